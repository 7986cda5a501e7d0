-- Visits that began before the cut, as they stand; views, events and engagement of the hours before it.
SELECT sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views, sum(events) AS events,
  sum(bounces) AS bounces, sum(duration_ms) AS duration_ms, sum(engaged_ms) AS engaged_ms
FROM (
  SELECT uniqExact(visitor) AS visitors, count() AS visits, 0 AS views, 0 AS events,
    sum(bounce) AS bounces, sum(visits.duration_ms) AS duration_ms, 0 AS engaged_ms
  FROM visits WHERE @sealed AND start_hour < {cut:DateTime('UTC')}
  GROUP BY day
  UNION ALL
  SELECT 0, 0, sum(views), sum(events), 0, 0, sum(engaged_ms)
  FROM hourly_visitors WHERE @sealed AND hour < {cut:DateTime('UTC')}
  UNION ALL
  SELECT uniqExact(visitor), toUInt64(sum(visits)), 0, 0, toUInt64(sum(bounces)), toUInt64(sum(duration_ms)), 0
  FROM open_visits WHERE @open AND start_hour < {cut:DateTime('UTC')}
  GROUP BY day
  UNION ALL
  SELECT 0, 0, sum(views), sum(events), 0, 0, sum(engaged_ms)
  FROM open_hours WHERE @open AND hour < {cut:DateTime('UTC')}
)
