INSERT INTO daily_devices (site_id, kind, day, name, version, visitors, visits, views, bounces, duration_ms)
SELECT site_id, fact.1, day, fact.2, fact.3, uniqExact(visitor), count(), sum(views), sum(bounce), sum(duration_ms)
FROM (
  SELECT site_id, day, visitor, views, bounce, duration_ms, arrayJoin([
    ('browser', toString(browser), ''), ('browser_version', toString(browser), toString(browser_version)),
    ('os', toString(os), ''), ('os_version', toString(os), toString(os_version)),
    ('device', toString(device), ''), ('screen', toString(screen), ''), ('language', toString(language), '')]) AS fact
  FROM visits
  WHERE @stored
)
GROUP BY site_id, day, fact
