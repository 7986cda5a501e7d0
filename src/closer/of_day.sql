day = {day_from:Date} AND site_id BETWEEN {site_from:UInt32} AND {site_until:UInt32}
