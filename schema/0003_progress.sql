-- How far the closer is. One row a change; the newest of a key counts. Written only after what it promises is synced.
CREATE TABLE IF NOT EXISTS progress @on_cluster (
  key String,
  value UInt64,
  at DateTime64(6, 'UTC')
)
ENGINE = @ReplacingMergeTree(progress, at)
ORDER BY key;

-- Which migrations have run, with the checksum of what ran.
CREATE TABLE IF NOT EXISTS migrations @on_cluster (
  number UInt32,
  name String,
  checksum String,
  at DateTime64(6, 'UTC')
)
ENGINE = @ReplacingMergeTree(migrations, at)
ORDER BY number;
