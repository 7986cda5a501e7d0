SELECT site_id
FROM daily_totals
WHERE @of_day AND site_id NOT IN (
  SELECT site_id
  FROM events
  WHERE site_id BETWEEN {site_from:UInt32} AND {site_until:UInt32}
    AND ts >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
    AND day = {day_from:Date}
)
GROUP BY site_id
ORDER BY site_id
LIMIT 1
