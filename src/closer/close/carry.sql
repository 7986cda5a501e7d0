UNION ALL
-- Visits last seen so late in the hour before that an event of this hour may belong to them.
SELECT site_id, day, visitor, CAST((
    toUnixTimestamp64Milli(visit_start), toUnixTimestamp64Milli(last_seen), total_views, 0, total_actions, 0, entry, exit,
    arrayStringConcat(arrayConcat(
      [toString(toUnixTimestamp(start_hour)), toString(channel), toString(device), toString(screen), hostname, source, referrer],
      utm, [country, region, city, browser, browser_version, os, os_version, language]), '\0'),
    1), '@slot')
FROM open_visits
WHERE bucket = fromUnixTimestamp64Milli({from_ms:Int64} - 3600000, 'UTC')
  AND last_seen >= fromUnixTimestamp64Milli({from_ms:Int64} - {gap_ms:Int64}, 'UTC')
  AND visitor BETWEEN toFixedString(unhex({visitor_from:String}), 16) AND toFixedString(unhex({visitor_until:String}), 16)
