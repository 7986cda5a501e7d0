SELECT name, sum(visitors) AS visitors, sum(visits) AS visits, count() OVER () AS total
FROM (
  SELECT pathname AS name, sum(exit_visitors) AS visitors, sum(exits) AS visits
  FROM daily_pages WHERE @sealed AND exits > 0
  GROUP BY pathname
  UNION ALL
  SELECT last_page, uniqExact(visitor), count()
  FROM (
    SELECT day, visitor, argMax(exit, bucket) AS last_page
    FROM open_visits WHERE @open
    GROUP BY day, visitor, visit_start
    HAVING max(total_views) > 0
  )
  GROUP BY day, last_page
)
WHERE positionCaseInsensitiveUTF8(name, {search:String}) > 0
GROUP BY name
ORDER BY visitors DESC, visits DESC, name
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
