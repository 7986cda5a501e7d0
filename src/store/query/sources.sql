SELECT name, sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views, sum(bounces) AS bounces,
  sum(duration_ms) AS duration_ms, count() OVER () AS total
FROM (
  SELECT name, sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views, sum(bounces) AS bounces,
    sum(duration_ms) AS duration_ms
  FROM daily_sources WHERE @sealed AND kind = {kind:String}
  GROUP BY name
  UNION ALL
  SELECT fact, uniqExact(visitor), toUInt64(sum(visits)), sum(views), toUInt64(sum(bounces)), toUInt64(sum(duration_ms))
  FROM (
    SELECT day, visitor, visits, views, bounces, duration_ms, multiIf(
      {kind:String} = 'channel', ({channels:Array(String)})[channel + 1],
      {kind:String} = 'source', source,
      {kind:String} = 'referrer', referrer,
      utm[greatest(1, indexOf(['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term'], {kind:String}))]) AS fact
    FROM open_visits WHERE @open
  )
  WHERE NOT (fact = '' AND startsWith({kind:String}, 'utm_'))
  GROUP BY day, fact
)
WHERE positionCaseInsensitiveUTF8(name, {search:String}) > 0
GROUP BY name
ORDER BY visitors DESC, views DESC, name
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
