-- An event's own row has no currency; a row per currency stands beside it.
SELECT name, sumIf(people, money = '') AS visitors, sumIf(times, money = '') AS count,
  arraySort(groupArrayIf((money, milli), money != '')) AS revenue, count() OVER () AS total
FROM (
  SELECT name, money, sum(people) AS people, sum(times) AS times, sum(milli) AS milli
  FROM (
    SELECT name, currency AS money, sum(visitors) AS people, sum(count) AS times, sum(revenue_milli) AS milli
    FROM daily_events WHERE @sealed AND key = ''
    GROUP BY name, currency
    UNION ALL
    SELECT name, currency, uniqCombined64Merge(14)(visitors), sum(count), sum(revenue_milli)
    FROM open_events WHERE @open AND key = ''
    GROUP BY day, name, currency
  )
  WHERE positionCaseInsensitiveUTF8(name, {search:String}) > 0
  GROUP BY name, money
)
GROUP BY name
ORDER BY visitors DESC, count DESC, name
LIMIT {limit:UInt32} OFFSET {offset:UInt32}
