-- Page views, custom events and engagement of one day, in raw and in every sealed rollup; visits, in `visits` and the
-- rollups made from it. A row is a difference.
SELECT site_id, fact.1 AS figure, sum(fact.2) AS raw, sum(fact.3) AS rolled_up
FROM (
  SELECT site_id, arrayJoin([('totals.views', views, toInt64(0)), ('hours.views', views, toInt64(0)), ('pages.views', views, toInt64(0)), ('visits.views', views, toInt64(0)),
    ('totals.events', events, toInt64(0)), ('hours.events', events, toInt64(0)), ('events.count', events, toInt64(0)), ('visits.events', events, toInt64(0)),
    ('totals.engaged_ms', engaged, toInt64(0)), ('hours.engaged_ms', engaged, toInt64(0)), ('visits.engaged_ms', engaged, toInt64(0))]) AS fact
  FROM (
    SELECT site_id, toInt64(countIf(name = 'pageview')) AS views,
      toInt64(countIf(name NOT IN ('pageview', 'engagement'))) AS events, toInt64(sum(engaged_ms)) AS engaged
    FROM events
    WHERE @raw
    GROUP BY site_id
  )
  UNION ALL
  SELECT site_id, arrayJoin([('visits.views', toInt64(0), toInt64(sum(views))), ('visits.events', toInt64(0), toInt64(sum(events))),
    ('visits.engaged_ms', toInt64(0), toInt64(sum(engaged_ms))), ('totals.visits', toInt64(count()), toInt64(0)),
    ('hours.visits', toInt64(count()), toInt64(0)), ('channels.visits', toInt64(count()), toInt64(0)),
    ('countries.visits', toInt64(count()), toInt64(0)), ('browsers.visits', toInt64(count()), toInt64(0))]) AS fact
  FROM visits
  WHERE @of_day
  GROUP BY site_id
  UNION ALL
  SELECT site_id, arrayJoin([('totals.views', toInt64(0), toInt64(sum(views))), ('totals.events', toInt64(0), toInt64(sum(events))),
    ('totals.engaged_ms', toInt64(0), toInt64(sum(engaged_ms))), ('totals.visits', toInt64(0), toInt64(sum(visits)))]) AS fact
  FROM daily_totals
  WHERE @of_day
  GROUP BY site_id
  UNION ALL
  SELECT site_id, arrayJoin([('hours.views', toInt64(0), toInt64(sum(views))), ('hours.events', toInt64(0), toInt64(sum(events))),
    ('hours.engaged_ms', toInt64(0), toInt64(sum(engaged_ms))), ('hours.visits', toInt64(0), toInt64(sum(visits)))]) AS fact
  FROM hourly_visitors
  WHERE @of_day
  GROUP BY site_id
  UNION ALL
  SELECT site_id, ('pages.views', toInt64(0), toInt64(sum(views))) AS fact
  FROM daily_pages
  WHERE @of_day
  GROUP BY site_id
  UNION ALL
  SELECT site_id, ('channels.visits', toInt64(0), toInt64(sum(visits))) AS fact
  FROM daily_sources
  WHERE @of_day AND kind = 'channel'
  GROUP BY site_id
  UNION ALL
  SELECT site_id, ('countries.visits', toInt64(0), toInt64(sum(visits))) AS fact
  FROM daily_geo
  WHERE @of_day AND kind = 'country'
  GROUP BY site_id
  UNION ALL
  SELECT site_id, ('browsers.visits', toInt64(0), toInt64(sum(visits))) AS fact
  FROM daily_devices
  WHERE @of_day AND kind = 'browser'
  GROUP BY site_id
  UNION ALL
  SELECT site_id, ('events.count', toInt64(0), toInt64(sumIf(count, key = '' AND currency = ''))) AS fact
  FROM daily_events
  WHERE @of_day
  GROUP BY site_id
)
GROUP BY site_id, figure
HAVING raw != rolled_up
ORDER BY site_id, figure
