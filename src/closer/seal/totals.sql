INSERT INTO daily_totals (site_id, day, visitors, visits, bounces, duration_ms, views, events, engaged_ms)
SELECT site_id, day, uniqExact(visitor), count(), sum(bounce), sum(duration_ms), sum(views), sum(events), sum(engaged_ms)
FROM visits
WHERE @stored
GROUP BY site_id, day
