-- The visits of a day, from that day's events alone: the visitor hash changes with the site's day.
INSERT INTO visits (site_id, day, visitor, visit_start, last_seen, start_hour, hostname, entry, exit,
  source, referrer, channel, utm, country, region, city, browser, browser_version, os, os_version, device, screen, language,
  views, events, bounce, duration_ms, engaged_ms, pages, goals)
WITH
  visit[1] AS head,
  splitByChar('\0', head.attributes) AS a
SELECT
  site_id, day, visitor,
  fromUnixTimestamp64Milli(head.first_ms, 'UTC'),
  fromUnixTimestamp64Milli(visit[-1].last_ms, 'UTC'),
  toDateTime(toUInt32OrZero(a[1]), 'UTC'),
  a[5],
  arrayFirst(slot -> slot.views > 0, visit).entry,
  arrayLast(slot -> slot.views > 0, visit).exit,
  a[6], a[7], @channel, arraySlice(a, 8, 5), a[13], a[14], a[15], a[16], a[17], a[18], a[19],
  @device, @screen, a[20],
  arraySum(slot -> slot.views, visit),
  arraySum(slot -> slot.events, visit),
  arraySum(slot -> slot.actions, visit) <= 1,
  visit[-1].last_ms - head.first_ms,
  arraySum(slot -> slot.engaged_ms, visit),
  arraySlice(arrayFlatten(arrayMap(slot -> arrayMap(page -> page.2, slot.pages), visit)), 1, 100),
  arraySlice(arraySort(arrayDistinct(arrayFlatten(arrayMap(slot -> slot.goals, visit)))), 1, 100)
FROM (
@split
)
