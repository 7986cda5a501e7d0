SELECT {name:String} AS name, prop.1 AS key, prop.2 AS value, sum(people) AS visitors, sum(times) AS count,
  count() OVER () AS total
FROM (
  SELECT (key, value) AS prop, sum(visitors) AS people, sum(count) AS times
  FROM daily_events WHERE @sealed AND name = {name:String} AND key != ''
  GROUP BY prop
  UNION ALL
  SELECT (key, value) AS prop, uniqCombined64Merge(14)(visitors), sum(count)
  FROM open_events WHERE @open AND name = {name:String} AND key != ''
  GROUP BY day, prop
)
WHERE positionCaseInsensitiveUTF8(prop.1, {search:String}) + positionCaseInsensitiveUTF8(prop.2, {search:String}) > 0
GROUP BY prop
ORDER BY visitors DESC, count DESC, key, value
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
