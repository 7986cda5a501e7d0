site_id BETWEEN {site_from:UInt32} AND {site_until:UInt32}
  AND ts >= fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC') AND ts < fromUnixTimestamp64Milli({until_ms:Int64}, 'UTC')
  AND toStartOfHour(ts) >= toDateTime(intDiv({from_ms:Int64}, 1000), 'UTC') AND toStartOfHour(ts) < toDateTime(intDiv({until_ms:Int64}, 1000), 'UTC')
  AND day BETWEEN {day_from:Date} AND {day_until:Date}
  AND visitor BETWEEN toFixedString(unhex({visitor_from:String}), 16) AND toFixedString(unhex({visitor_until:String}), 16)
  AND bot = 0
