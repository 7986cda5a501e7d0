-- A custom event counts once by its name, once by its currency, and once by each of its properties; of a page view only
-- the properties count here.
INSERT INTO open_events (site_id, day, name, key, value, currency, bucket, visitors, count, revenue_milli)
SELECT site_id, day, name, fact.1, fact.2, fact.3, fromUnixTimestamp64Milli({from_ms:Int64}, 'UTC'),
  uniqCombined64State(14)(visitor), count(), sum(if(fact.3 = '', 0, revenue_milli))
FROM (
  SELECT site_id, day, name, visitor, revenue_milli, @facts AS fact
  FROM events
  WHERE @raw AND name != 'engagement'
)
GROUP BY site_id, day, name, fact
