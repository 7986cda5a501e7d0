-- A visit's first page may be seen an hour after the visit began, so an open visit's hours are put together first.
SELECT name, sum(visitors) AS visitors, sum(visits) AS visits, sum(bounces) AS bounces, sum(duration_ms) AS duration_ms,
  count() OVER () AS total
FROM (
  SELECT pathname AS name, sum(entry_visitors) AS visitors, sum(entries) AS visits, sum(entry_bounces) AS bounces,
    sum(entry_duration_ms) AS duration_ms
  FROM daily_pages WHERE @sealed AND entries > 0
  GROUP BY pathname
  UNION ALL
  SELECT first_page, uniqExact(visitor), count(), toUInt64(sum(bounced)), toUInt64(sum(lasted_ms))
  FROM (
    SELECT day, visitor, argMax(entry, bucket) AS first_page, sum(bounces) AS bounced, sum(duration_ms) AS lasted_ms
    FROM open_visits WHERE @open
    GROUP BY day, visitor, visit_start
    HAVING max(total_views) > 0
  )
  GROUP BY day, first_page
)
WHERE positionCaseInsensitiveUTF8(name, {search:String}) > 0
GROUP BY name
ORDER BY visitors DESC, visits DESC, name
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
