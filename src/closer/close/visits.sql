-- The visits of one hour. A visit still open at the hour's start is carried in as a slot that stands in front, and what
-- this hour adds to it is written beside how it stands now.
INSERT INTO open_visits (site_id, day, visitor, visit_start, bucket, start_hour, last_seen, hostname, entry, exit,
  source, referrer, channel, utm, country, region, city, browser, browser_version, os, os_version, device, screen, language,
  visits, bounces, duration_ms, views, events, engaged_ms, total_views, total_actions)
WITH
  visit[1] AS head,
  splitByChar('\0', head.attributes) AS a,
  head.carried = 1 AS carried,
  arraySum(slot -> slot.views, visit) AS all_views,
  arraySum(slot -> slot.actions, visit) AS all_actions
SELECT
  site_id, day, visitor,
  fromUnixTimestamp64Milli(head.first_ms, 'UTC'),
  fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC'),
  toDateTime(toUInt32OrZero(a[1]), 'UTC'),
  fromUnixTimestamp64Milli(visit[-1].last_ms, 'UTC'),
  a[5],
  arrayFirst(slot -> slot.views > 0, visit).entry,
  arrayLast(slot -> slot.views > 0, visit).exit,
  a[6], a[7], toInt8OrZero(a[2]), arraySlice(a, 8, 5), a[13], a[14], a[15], a[16], a[17], a[18], a[19],
  toInt8OrZero(a[3]), toInt8OrZero(a[4]), a[20],
  if(carried, 0, 1),
  (all_actions <= 1) - (carried AND head.actions <= 1),
  visit[-1].last_ms - if(carried, head.last_ms, head.first_ms),
  all_views - if(carried, head.views, 0),
  arraySum(slot -> slot.events, visit),
  arraySum(slot -> slot.engaged_ms, visit),
  all_views, all_actions
FROM (
@split
)
WHERE visit[-1].carried = 0
