INSERT INTO daily_events (site_id, day, name, key, value, currency, visitors, count, revenue_milli)
SELECT site_id, day, name, fact.1, fact.2, fact.3, uniqExact(visitor), count(), sum(if(fact.3 = '', 0, revenue_milli))
FROM (
  SELECT site_id, day, name, visitor, revenue_milli, @facts AS fact
  FROM events
  WHERE @raw AND name != 'engagement'
)
GROUP BY site_id, day, name, fact
