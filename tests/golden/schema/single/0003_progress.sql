CREATE TABLE IF NOT EXISTS progress (
  key String,
  value UInt64,
  at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY key;

CREATE TABLE IF NOT EXISTS migrations (
  number UInt32,
  name String,
  checksum String,
  at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree(at)
ORDER BY number;
