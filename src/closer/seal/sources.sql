-- A visit without a tag has no row for that tag; an empty source or referrer is a direct visit.
INSERT INTO daily_sources (site_id, kind, day, name, visitors, visits, views, bounces, duration_ms)
SELECT site_id, fact.1, day, fact.2, uniqExact(visitor), count(), sum(views), sum(bounce), sum(duration_ms)
FROM (
  SELECT site_id, day, visitor, views, bounce, duration_ms, arrayJoin(arrayConcat(
    [('channel', toString(channel)), ('source', toString(source)), ('referrer', referrer)],
    arrayFilter(tag -> tag.2 != '', arrayZip(['utm_source', 'utm_medium', 'utm_campaign', 'utm_content', 'utm_term'], utm)))) AS fact
  FROM visits
  WHERE @stored
)
GROUP BY site_id, day, fact
