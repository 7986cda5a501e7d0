site_id BETWEEN {site_from:UInt32} AND {site_until:UInt32}
  AND day BETWEEN {day_from:Date} AND {day_until:Date}
  AND visitor BETWEEN toFixedString(unhex({visitor_from:String}), 16) AND toFixedString(unhex({visitor_until:String}), 16)
