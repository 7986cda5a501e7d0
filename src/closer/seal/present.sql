SELECT 'visits' AS table FROM visits WHERE @of_day GROUP BY 1
UNION ALL
SELECT 'hourly_visitors' AS table FROM hourly_visitors WHERE @of_day GROUP BY 1
UNION ALL
SELECT 'daily_totals' AS table FROM daily_totals WHERE @of_day GROUP BY 1
UNION ALL
SELECT 'daily_pages' AS table FROM daily_pages WHERE @of_day GROUP BY 1
UNION ALL
SELECT 'daily_sources' AS table FROM daily_sources WHERE @of_day GROUP BY 1
UNION ALL
SELECT 'daily_geo' AS table FROM daily_geo WHERE @of_day GROUP BY 1
UNION ALL
SELECT 'daily_devices' AS table FROM daily_devices WHERE @of_day GROUP BY 1
UNION ALL
SELECT 'daily_events' AS table FROM daily_events WHERE @of_day GROUP BY 1
