-- Only hours that are complete: in some zones an hour of the site spans two UTC hours.
SELECT toUnixTimestamp(t) AS hour_s, sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views,
  sum(events) AS events, sum(bounces) AS bounces, sum(duration_ms) AS duration_ms
FROM (
  SELECT hour AS t, sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views,
    sum(events) AS events, sum(bounces) AS bounces, sum(duration_ms) AS duration_ms
  FROM hourly_visitors WHERE @sealed
  GROUP BY hour
  UNION ALL
  SELECT hour, uniqCombined64Merge(14)(visitors), 0, sum(views), sum(events), 0, 0
  FROM open_hours WHERE @open
  GROUP BY day, hour
  UNION ALL
  SELECT start_hour, 0, toUInt64(sum(visits)), 0, 0, toUInt64(sum(bounces)), toUInt64(sum(duration_ms))
  FROM open_visits WHERE @open
  GROUP BY start_hour
)
WHERE t + 3600 <= {horizon:DateTime('UTC')}
GROUP BY t
ORDER BY t
