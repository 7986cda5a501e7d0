INSERT INTO daily_geo (site_id, kind, day, country, region, city, visitors, visits, views, bounces, duration_ms)
SELECT site_id, fact.1, day, fact.2, fact.3, fact.4, uniqExact(visitor), count(), sum(views), sum(bounce), sum(duration_ms)
FROM (
  SELECT site_id, day, visitor, views, bounce, duration_ms, arrayJoin([
    ('country', toString(country), '', ''),
    ('region', toString(country), toString(region), ''),
    ('city', toString(country), toString(region), toString(city))]) AS fact
  FROM visits
  WHERE @stored
)
GROUP BY site_id, day, fact
