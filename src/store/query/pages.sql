SELECT name, sum(visitors) AS visitors, sum(views) AS views, sum(engaged_ms) AS engaged_ms,
  toUInt8(if(sum(scroll_count) = 0, 0, round(sum(scroll_sum) / sum(scroll_count)))) AS scroll, count() OVER () AS total
FROM (
  SELECT pathname AS name, sum(visitors) AS visitors, sum(views) AS views, sum(engaged_ms) AS engaged_ms,
    sum(scroll_sum) AS scroll_sum, sum(scroll_count) AS scroll_count
  FROM daily_pages WHERE @sealed
  GROUP BY pathname
  UNION ALL
  SELECT pathname, uniqCombined64Merge(14)(visitors), sum(views), sum(engaged_ms), sum(scroll_sum), sum(scroll_count)
  FROM open_pages WHERE @open
  GROUP BY day, pathname
)
WHERE positionCaseInsensitiveUTF8(name, {search:String}) > 0
GROUP BY name
HAVING views > 0
ORDER BY visitors DESC, views DESC, name
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
