-- One row for each visitor and quarter of an hour: no gap of 30 minutes fits inside, so a slot belongs to exactly one
-- visit, and what must be held in memory is bounded by slots, not by events. The attributes are packed into one string,
-- numbers first: argMin over a tuple of them costs six times the CPU.
SELECT site_id, day, visitor, CAST((
    toUnixTimestamp64Milli(min(ts)),
    toUnixTimestamp64Milli(max(ts)),
    countIf(name = 'pageview'),
    countIf(name NOT IN ('pageview', 'engagement')),
    countIf(name = 'pageview' OR (name != 'engagement' AND interactive = 1)),
    sum(engaged_ms),
    argMinIf(pathname, place, name = 'pageview'),
    argMaxIf(pathname, place, name = 'pageview'),
    argMin(arrayStringConcat([toString(toUnixTimestamp(hour)), toString(channel), toString(device), toString(screen),
      hostname, source, referrer, utm_source, utm_medium, utm_campaign, utm_content, utm_term,
      country, region, city, browser, browser_version, os, os_version, language], '\0'), place),
    0@more), '@slot') AS slot
FROM (
  -- an event's place within its slot: time, then node and sequence, which are its identity
  SELECT *, bitOr(bitOr(bitShiftLeft(toUInt128(toUnixTimestamp64Milli(ts) % 900000), 96),
    bitShiftLeft(toUInt128(node), 64)), toUInt128(seq)) AS place
  FROM events
  WHERE @raw
)
GROUP BY site_id, day, visitor, intDiv(toUnixTimestamp64Milli(ts), 900000)
