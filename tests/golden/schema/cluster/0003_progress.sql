CREATE TABLE IF NOT EXISTS progress ON CLUSTER 'analytics' (
  key String,
  value UInt64,
  at DateTime64(6, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/progress', '{replica}', at)
ORDER BY key;

CREATE TABLE IF NOT EXISTS migrations ON CLUSTER 'analytics' (
  number UInt32,
  name String,
  checksum String,
  at DateTime64(6, 'UTC')
)
ENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/migrations', '{replica}', at)
ORDER BY number;
