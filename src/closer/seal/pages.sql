INSERT INTO daily_pages (site_id, pathname, day, visitors, views, engaged_ms, scroll_sum, scroll_count,
  entries, entry_visitors, entry_bounces, entry_duration_ms, exits, exit_visitors)
SELECT site_id, pathname, day, sum(visitors), sum(views), sum(engaged_ms), sum(scroll_sum), sum(scroll_count),
  sum(entries), sum(entry_visitors), sum(entry_bounces), sum(entry_duration_ms), sum(exits), sum(exit_visitors)
FROM (
  SELECT site_id, pathname, day, uniqExactIf(visitor, name = 'pageview') AS visitors, countIf(name = 'pageview') AS views,
    sum(events.engaged_ms) AS engaged_ms, sumIf(scroll, name = 'engagement') AS scroll_sum,
    countIf(name = 'engagement' AND scroll > 0) AS scroll_count,
    0 AS entries, 0 AS entry_visitors, 0 AS entry_bounces, 0 AS entry_duration_ms, 0 AS exits, 0 AS exit_visitors
  FROM events
  WHERE @raw AND name IN ('pageview', 'engagement')
  GROUP BY site_id, pathname, day
  UNION ALL
  SELECT site_id, entry, day, 0, 0, 0, 0, 0, count(), uniqExact(visitor), sum(bounce), sum(duration_ms), 0, 0
  FROM visits
  WHERE @stored AND views > 0
  GROUP BY site_id, entry, day
  UNION ALL
  SELECT site_id, exit, day, 0, 0, 0, 0, 0, 0, 0, 0, 0, count(), uniqExact(visitor)
  FROM visits
  WHERE @stored AND views > 0
  GROUP BY site_id, exit, day
)
GROUP BY site_id, pathname, day
