-- Visitors, views, events and engagement belong to the hour of the event; visits, bounces and duration to the hour in
-- which the visit began.
INSERT INTO hourly_visitors (site_id, hour, day, visitors, visits, bounces, duration_ms, views, events, engaged_ms)
SELECT site_id, hour, day, sum(visitors), sum(visits), sum(bounces), sum(duration_ms), sum(views), sum(events), sum(engaged_ms)
FROM (
  SELECT site_id, hour, day, uniqExact(visitor) AS visitors, 0 AS visits, 0 AS bounces, 0 AS duration_ms,
    countIf(name = 'pageview') AS views, countIf(name NOT IN ('pageview', 'engagement')) AS events,
    sum(engaged_ms) AS engaged_ms
  FROM events
  WHERE @raw
  GROUP BY site_id, hour, day
  UNION ALL
  SELECT site_id, start_hour, day, 0, count(), sum(bounce), sum(duration_ms), 0, 0, 0
  FROM visits
  WHERE @stored
  GROUP BY site_id, start_hour, day
)
GROUP BY site_id, hour, day
