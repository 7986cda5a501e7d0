-- The first day with events and the time of the last event, as far as hours are closed.
SELECT min(first) AS first_day, max(last) AS last_event_ms, count() > 0 AS any
FROM (
  SELECT min(day) AS first, toInt64(0) AS last
  FROM daily_totals WHERE @sealed
  HAVING count() > 0
  UNION ALL
  SELECT max(day), toUnixTimestamp64Milli(max(last_seen))
  FROM visits WHERE @sealed AND day = (SELECT max(day) FROM daily_totals WHERE @sealed)
  HAVING count() > 0
  UNION ALL
  SELECT min(day), toUnixTimestamp64Milli(max(last_seen))
  FROM open_visits WHERE @open
  HAVING count() > 0
)
