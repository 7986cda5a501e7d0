SELECT device.1 AS name, device.2 AS version,
  sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views, sum(bounces) AS bounces,
  sum(duration_ms) AS duration_ms, count() OVER () AS total
FROM (
  SELECT (name, version) AS device, sum(visitors) AS visitors, sum(visits) AS visits, sum(views) AS views,
    sum(bounces) AS bounces, sum(duration_ms) AS duration_ms
  FROM daily_devices WHERE @sealed AND kind = {kind:String}
  GROUP BY device
  UNION ALL
  SELECT fact, uniqExact(visitor), toUInt64(sum(visits)), sum(views), toUInt64(sum(bounces)), toUInt64(sum(duration_ms))
  FROM (
    SELECT day, visitor, visits, views, bounces, duration_ms, (
      multiIf({kind:String} IN ('browser', 'browser_version'), browser,
        {kind:String} IN ('os', 'os_version'), os,
        {kind:String} = 'device', ({devices:Array(String)})[device + 1],
        {kind:String} = 'screen', ({screens:Array(String)})[screen + 1],
        language),
      multiIf({kind:String} = 'browser_version', browser_version, {kind:String} = 'os_version', os_version, '')) AS fact
    FROM open_visits WHERE @open
  )
  GROUP BY day, fact
)
WHERE positionCaseInsensitiveUTF8(name, {search:String}) > 0
GROUP BY device
ORDER BY visitors DESC, views DESC, name, version
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
