-- Page views, custom events and engagement of one hour, in raw and in every open rollup. A row is a difference.
SELECT site_id, fact.1 AS figure, sum(fact.2) AS raw, sum(fact.3) AS rolled_up
FROM (
  SELECT site_id, arrayJoin([('hours.views', views, toInt64(0)), ('visits.views', views, toInt64(0)), ('pages.views', views, toInt64(0)),
    ('hours.events', events, toInt64(0)), ('visits.events', events, toInt64(0)), ('events.count', events, toInt64(0)),
    ('hours.engaged_ms', engaged, toInt64(0)), ('visits.engaged_ms', engaged, toInt64(0))]) AS fact
  FROM (
    SELECT site_id, toInt64(countIf(name = 'pageview')) AS views,
      toInt64(countIf(name NOT IN ('pageview', 'engagement'))) AS events, toInt64(sum(engaged_ms)) AS engaged
    FROM events
    WHERE @raw
    GROUP BY site_id
  )
  UNION ALL
  SELECT site_id, arrayJoin([('hours.views', toInt64(0), toInt64(sum(views))), ('hours.events', toInt64(0), toInt64(sum(events))),
    ('hours.engaged_ms', toInt64(0), toInt64(sum(engaged_ms)))]) AS fact
  FROM open_hours
  WHERE bucket = toDateTime(intDiv({from_ms:Int64}, 1000), 'UTC')
  GROUP BY site_id
  UNION ALL
  SELECT site_id, arrayJoin([('visits.views', toInt64(0), toInt64(sum(views))), ('visits.events', toInt64(0), toInt64(sum(events))),
    ('visits.engaged_ms', toInt64(0), toInt64(sum(engaged_ms)))]) AS fact
  FROM open_visits
  WHERE bucket = toDateTime(intDiv({from_ms:Int64}, 1000), 'UTC')
  GROUP BY site_id
  UNION ALL
  SELECT site_id, ('pages.views', toInt64(0), toInt64(sum(views))) AS fact
  FROM open_pages
  WHERE bucket = toDateTime(intDiv({from_ms:Int64}, 1000), 'UTC')
  GROUP BY site_id
  UNION ALL
  SELECT site_id, ('events.count', toInt64(0), toInt64(sumIf(count, key = '' AND currency = ''))) AS fact
  FROM open_events
  WHERE bucket = toDateTime(intDiv({from_ms:Int64}, 1000), 'UTC')
  GROUP BY site_id
)
GROUP BY site_id, figure
HAVING raw != rolled_up
ORDER BY site_id, figure
