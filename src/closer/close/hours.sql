INSERT INTO open_hours (site_id, bucket, hour, day, visitors, views, events, engagements, engaged_ms)
SELECT site_id, fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC'), hour, day, uniqCombined64State(14)(visitor),
  countIf(name = 'pageview'), countIf(name NOT IN ('pageview', 'engagement')), countIf(name = 'engagement'), sum(engaged_ms)
FROM events
WHERE @raw
GROUP BY site_id, hour, day
