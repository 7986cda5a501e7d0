CREATE TABLE IF NOT EXISTS events (
  site_id UInt32 CODEC(ZSTD(1)),
  ts DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  hour DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
  day Date CODEC(ZSTD(1)),
  node UInt32 CODEC(ZSTD(1)),
  seq UInt64 CODEC(Delta(8), ZSTD(1)),
  visitor FixedString(16) CODEC(ZSTD(1)),
  name String CODEC(ZSTD(1)),
  interactive UInt8 CODEC(ZSTD(1)),
  hostname String CODEC(ZSTD(1)),
  pathname String CODEC(ZSTD(1)),
  source String CODEC(ZSTD(1)),
  referrer String CODEC(ZSTD(1)),
  channel Int8 CODEC(ZSTD(1)),
  utm_source String CODEC(ZSTD(1)),
  utm_medium String CODEC(ZSTD(1)),
  utm_campaign String CODEC(ZSTD(1)),
  utm_content String CODEC(ZSTD(1)),
  utm_term String CODEC(ZSTD(1)),
  country String CODEC(ZSTD(1)),
  region String CODEC(ZSTD(1)),
  city String CODEC(ZSTD(1)),
  browser String CODEC(ZSTD(1)),
  browser_version String CODEC(ZSTD(1)),
  os String CODEC(ZSTD(1)),
  os_version String CODEC(ZSTD(1)),
  device Int8 CODEC(ZSTD(1)),
  screen Int8 CODEC(ZSTD(1)),
  language String CODEC(ZSTD(1)),
  engaged_ms UInt32 CODEC(ZSTD(1)),
  scroll UInt8 CODEC(ZSTD(1)),
  currency String CODEC(ZSTD(1)),
  revenue_milli Int64 CODEC(ZSTD(1)),
  props Map(String, String) CODEC(ZSTD(1)),
  bot Int8 CODEC(ZSTD(1)),
  expires Date CODEC(ZSTD(1))
)
ENGINE = MergeTree
PARTITION BY toDate(ts)
ORDER BY (site_id, toStartOfHour(ts), visitor, ts)
TTL expires DELETE
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 0;
