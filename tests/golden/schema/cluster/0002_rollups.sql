CREATE TABLE IF NOT EXISTS open_visits ON CLUSTER 'analytics' (
  site_id UInt32,
  day Date,
  visitor FixedString(16),
  visit_start DateTime64(3, 'UTC'),
  bucket DateTime('UTC'),
  start_hour SimpleAggregateFunction(any, DateTime('UTC')),
  last_seen SimpleAggregateFunction(max, DateTime64(3, 'UTC')),
  hostname SimpleAggregateFunction(any, String),
  entry SimpleAggregateFunction(any, String),
  exit SimpleAggregateFunction(any, String),
  source SimpleAggregateFunction(any, String),
  referrer SimpleAggregateFunction(any, String),
  channel SimpleAggregateFunction(any, Int8),
  utm SimpleAggregateFunction(any, Array(String)),
  country SimpleAggregateFunction(any, String),
  region SimpleAggregateFunction(any, String),
  city SimpleAggregateFunction(any, String),
  browser SimpleAggregateFunction(any, String),
  browser_version SimpleAggregateFunction(any, String),
  os SimpleAggregateFunction(any, String),
  os_version SimpleAggregateFunction(any, String),
  device SimpleAggregateFunction(any, Int8),
  screen SimpleAggregateFunction(any, Int8),
  language SimpleAggregateFunction(any, String),
  visits SimpleAggregateFunction(sum, Int64),
  bounces SimpleAggregateFunction(sum, Int64),
  duration_ms SimpleAggregateFunction(sum, Int64),
  views SimpleAggregateFunction(sum, UInt64),
  events SimpleAggregateFunction(sum, UInt64),
  engaged_ms SimpleAggregateFunction(sum, UInt64),
  total_views SimpleAggregateFunction(max, UInt64),
  total_actions SimpleAggregateFunction(max, UInt64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/open_visits', '{replica}')
PARTITION BY bucket
ORDER BY (site_id, day, visitor, visit_start, bucket)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS open_hours ON CLUSTER 'analytics' (
  site_id UInt32,
  bucket DateTime('UTC'),
  hour DateTime('UTC'),
  day Date,
  visitors AggregateFunction(uniqCombined64(14), FixedString(16)),
  views SimpleAggregateFunction(sum, UInt64),
  events SimpleAggregateFunction(sum, UInt64),
  engagements SimpleAggregateFunction(sum, UInt64),
  engaged_ms SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/open_hours', '{replica}')
PARTITION BY bucket
ORDER BY (site_id, day, hour, bucket)
SETTINGS index_granularity = 256, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS open_pages ON CLUSTER 'analytics' (
  site_id UInt32,
  day Date,
  pathname String,
  bucket DateTime('UTC'),
  visitors AggregateFunction(uniqCombined64(14), FixedString(16)),
  views SimpleAggregateFunction(sum, UInt64),
  engaged_ms SimpleAggregateFunction(sum, UInt64),
  scroll_sum SimpleAggregateFunction(sum, UInt64),
  scroll_count SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/open_pages', '{replica}')
PARTITION BY bucket
ORDER BY (site_id, day, pathname, bucket)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS open_events ON CLUSTER 'analytics' (
  site_id UInt32,
  day Date,
  name String,
  key String,
  value String,
  currency String,
  bucket DateTime('UTC'),
  visitors AggregateFunction(uniqCombined64(14), FixedString(16)),
  count SimpleAggregateFunction(sum, UInt64),
  revenue_milli SimpleAggregateFunction(sum, Int64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/open_events', '{replica}')
PARTITION BY bucket
ORDER BY (site_id, day, name, key, value, currency, bucket)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS hourly_visitors ON CLUSTER 'analytics' (
  site_id UInt32,
  hour DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
  day Date CODEC(ZSTD(1)),
  visitors SimpleAggregateFunction(sum, UInt64),
  visits SimpleAggregateFunction(sum, UInt64),
  bounces SimpleAggregateFunction(sum, UInt64),
  duration_ms SimpleAggregateFunction(sum, UInt64),
  views SimpleAggregateFunction(sum, UInt64),
  events SimpleAggregateFunction(sum, UInt64),
  engaged_ms SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/hourly_visitors', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, hour, day)
SETTINGS index_granularity = 256, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS daily_totals ON CLUSTER 'analytics' (
  site_id UInt32,
  day Date CODEC(ZSTD(1)),
  visitors SimpleAggregateFunction(sum, UInt64),
  visits SimpleAggregateFunction(sum, UInt64),
  bounces SimpleAggregateFunction(sum, UInt64),
  duration_ms SimpleAggregateFunction(sum, UInt64),
  views SimpleAggregateFunction(sum, UInt64),
  events SimpleAggregateFunction(sum, UInt64),
  engaged_ms SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/daily_totals', '{replica}')
ORDER BY (site_id, day)
SETTINGS index_granularity = 256, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS daily_pages ON CLUSTER 'analytics' (
  site_id UInt32,
  pathname String CODEC(ZSTD(1)),
  day Date CODEC(ZSTD(1)),
  visitors SimpleAggregateFunction(sum, UInt64),
  views SimpleAggregateFunction(sum, UInt64),
  engaged_ms SimpleAggregateFunction(sum, UInt64),
  scroll_sum SimpleAggregateFunction(sum, UInt64),
  scroll_count SimpleAggregateFunction(sum, UInt64),
  entries SimpleAggregateFunction(sum, UInt64),
  entry_visitors SimpleAggregateFunction(sum, UInt64),
  entry_bounces SimpleAggregateFunction(sum, UInt64),
  entry_duration_ms SimpleAggregateFunction(sum, UInt64),
  exits SimpleAggregateFunction(sum, UInt64),
  exit_visitors SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/daily_pages', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, pathname, day)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS daily_sources ON CLUSTER 'analytics' (
  site_id UInt32,
  kind LowCardinality(String),
  day Date CODEC(ZSTD(1)),
  name String CODEC(ZSTD(1)),
  visitors SimpleAggregateFunction(sum, UInt64),
  visits SimpleAggregateFunction(sum, UInt64),
  views SimpleAggregateFunction(sum, UInt64),
  bounces SimpleAggregateFunction(sum, UInt64),
  duration_ms SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/daily_sources', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, kind, day, name)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS daily_geo ON CLUSTER 'analytics' (
  site_id UInt32,
  kind LowCardinality(String),
  day Date CODEC(ZSTD(1)),
  country String CODEC(ZSTD(1)),
  region String CODEC(ZSTD(1)),
  city String CODEC(ZSTD(1)),
  visitors SimpleAggregateFunction(sum, UInt64),
  visits SimpleAggregateFunction(sum, UInt64),
  views SimpleAggregateFunction(sum, UInt64),
  bounces SimpleAggregateFunction(sum, UInt64),
  duration_ms SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/daily_geo', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, kind, day, country, region, city)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS daily_devices ON CLUSTER 'analytics' (
  site_id UInt32,
  kind LowCardinality(String),
  day Date CODEC(ZSTD(1)),
  name String CODEC(ZSTD(1)),
  version String CODEC(ZSTD(1)),
  visitors SimpleAggregateFunction(sum, UInt64),
  visits SimpleAggregateFunction(sum, UInt64),
  views SimpleAggregateFunction(sum, UInt64),
  bounces SimpleAggregateFunction(sum, UInt64),
  duration_ms SimpleAggregateFunction(sum, UInt64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/daily_devices', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, kind, day, name, version)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS daily_events ON CLUSTER 'analytics' (
  site_id UInt32,
  day Date CODEC(ZSTD(1)),
  name String CODEC(ZSTD(1)),
  key String CODEC(ZSTD(1)),
  value String CODEC(ZSTD(1)),
  currency String CODEC(ZSTD(1)),
  visitors SimpleAggregateFunction(sum, UInt64),
  count SimpleAggregateFunction(sum, UInt64),
  revenue_milli SimpleAggregateFunction(sum, Int64)
)
ENGINE = ReplicatedAggregatingMergeTree('/clickhouse/tables/{shard}/{database}/daily_events', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, day, name, key, value, currency)
SETTINGS index_granularity = 1024, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;

CREATE TABLE IF NOT EXISTS visits ON CLUSTER 'analytics' (
  site_id UInt32,
  day Date CODEC(ZSTD(1)),
  visitor FixedString(16) CODEC(ZSTD(1)),
  visit_start DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  last_seen DateTime64(3, 'UTC') CODEC(Delta(8), ZSTD(1)),
  start_hour DateTime('UTC') CODEC(Delta(4), ZSTD(1)),
  hostname LowCardinality(String) CODEC(ZSTD(1)),
  entry String CODEC(ZSTD(1)),
  exit String CODEC(ZSTD(1)),
  source LowCardinality(String) CODEC(ZSTD(1)),
  referrer String CODEC(ZSTD(1)),
  channel LowCardinality(String) CODEC(ZSTD(1)),
  utm Array(String) CODEC(ZSTD(1)),
  country LowCardinality(String) CODEC(ZSTD(1)),
  region LowCardinality(String) CODEC(ZSTD(1)),
  city LowCardinality(String) CODEC(ZSTD(1)),
  browser LowCardinality(String) CODEC(ZSTD(1)),
  browser_version LowCardinality(String) CODEC(ZSTD(1)),
  os LowCardinality(String) CODEC(ZSTD(1)),
  os_version LowCardinality(String) CODEC(ZSTD(1)),
  device LowCardinality(String) CODEC(ZSTD(1)),
  screen LowCardinality(String) CODEC(ZSTD(1)),
  language LowCardinality(String) CODEC(ZSTD(1)),
  views UInt32 CODEC(ZSTD(1)),
  events UInt32 CODEC(ZSTD(1)),
  bounce UInt8 CODEC(ZSTD(1)),
  duration_ms UInt64 CODEC(ZSTD(1)),
  engaged_ms UInt64 CODEC(ZSTD(1)),
  pages Array(String) CODEC(ZSTD(1)),
  goals Array(String) CODEC(ZSTD(1))
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/visits', '{replica}')
PARTITION BY toYYYYMM(day)
ORDER BY (site_id, day, visitor, visit_start)
SETTINGS index_granularity = 8192, fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0;
