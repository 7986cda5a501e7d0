INSERT INTO open_pages (site_id, day, pathname, bucket, visitors, views, engaged_ms, scroll_sum, scroll_count)
SELECT site_id, day, pathname, fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC'),
  uniqCombined64StateIf(14)(visitor, name = 'pageview'), countIf(name = 'pageview'), sum(engaged_ms),
  sumIf(scroll, name = 'engagement'), countIf(name = 'engagement' AND scroll > 0)
FROM events
WHERE @raw AND name IN ('pageview', 'engagement')
GROUP BY site_id, day, pathname
