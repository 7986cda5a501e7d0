SELECT sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views, sum(events) AS events,
  sum(bounces) AS bounces, sum(duration_ms) AS duration_ms, sum(engaged_ms) AS engaged_ms
FROM (
  SELECT sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views, sum(events) AS events,
    sum(bounces) AS bounces, sum(duration_ms) AS duration_ms, sum(engaged_ms) AS engaged_ms
  FROM daily_totals WHERE @sealed
  UNION ALL
  SELECT uniqExact(visitor), toUInt64(sum(visits)), sum(views), sum(events), toUInt64(sum(bounces)),
    toUInt64(sum(duration_ms)), sum(engaged_ms)
  FROM open_visits WHERE @open
  GROUP BY day
)
