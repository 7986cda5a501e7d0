-- A visit's first page may be seen an hour after the visit began: the visit as it stands counts in the hour of its first
-- view, and what later hours add to it in theirs.
SELECT name, sum(visitors) AS visitors, sum(visits) AS visits, sum(bounces) AS bounces, sum(duration_ms) AS duration_ms,
  count() OVER () AS total
FROM (
  SELECT pathname AS name, sum(entry_visitors) AS visitors, sum(entries) AS visits, sum(entry_bounces) AS bounces,
    sum(entry_duration_ms) AS duration_ms
  FROM daily_pages WHERE @sealed AND entries > 0
  GROUP BY pathname
  UNION ALL
  SELECT entry, uniqExact(visitor), countIf(is_first),
    toUInt64(sum(if(is_first, total_actions <= 1, bounces))),
    toUInt64(sum(if(is_first, dateDiff('millisecond', visit_start, last_seen), duration_ms)))
  FROM (
    SELECT day, visitor, entry, total_views = views AS is_first, total_actions, bounces, visit_start, last_seen, duration_ms
    FROM open_visits WHERE @open AND total_views > 0
  )
  GROUP BY day, entry
)
WHERE positionCaseInsensitiveUTF8(name, {search:String}) > 0
GROUP BY name
ORDER BY visitors DESC, visits DESC, name
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
