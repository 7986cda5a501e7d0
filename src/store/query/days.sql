SELECT day, sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views,
  sum(events) AS events, sum(bounces) AS bounces, sum(duration_ms) AS duration_ms
FROM (
  SELECT day, sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views,
    sum(events) AS events, sum(bounces) AS bounces, sum(duration_ms) AS duration_ms
  FROM daily_totals WHERE @sealed
  GROUP BY day
  UNION ALL
  SELECT day, uniqExact(visitor), toUInt64(sum(visits)), sum(views), sum(events), toUInt64(sum(bounces)),
    toUInt64(sum(duration_ms))
  FROM open_visits WHERE @open
  GROUP BY day
)
GROUP BY day
ORDER BY day
