SELECT multiIf({kind:String} = 'country', place.1, {kind:String} = 'region', place.2, place.3) AS name,
  place.1 AS country, place.2 AS region,
  sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views, sum(bounces) AS bounces,
  sum(duration_ms) AS duration_ms, count() OVER () AS total
FROM (
  SELECT (country, region, city) AS place, sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views,
    sum(bounces) AS bounces, sum(duration_ms) AS duration_ms
  FROM daily_geo WHERE @sealed AND kind = {kind:String}
  GROUP BY place
  UNION ALL
  SELECT fact, uniqExact(visitor), toUInt64(sum(visits)), sum(views), toUInt64(sum(bounces)), toUInt64(sum(duration_ms))
  FROM (
    SELECT day, visitor, visits, views, bounces, duration_ms,
      (country, if({kind:String} = 'country', '', region), if({kind:String} = 'city', city, '')) AS fact
    FROM open_visits WHERE @open
  )
  GROUP BY day, fact
)
WHERE positionCaseInsensitiveUTF8(name, {search:String}) > 0
GROUP BY place
ORDER BY visitors DESC, views DESC, name, country, region
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
