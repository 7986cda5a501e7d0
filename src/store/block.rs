//! Blocks of raw rows: one insert, one part, one marker, all or nothing.
//!
//! ```text
//! body = header of the version | rows | marker row
//! ```
//! The marker (a row of site 0 with the block's id) commits with the rows, so asking for it tells
//! whether they are there. Deduplication tokens cannot: ClickHouse remembers a token before the part is
//! renamed into place, and a kill in between makes the repeat a silent loss (I3).

use std::time::Duration;

use bytes::Bytes;
use clickhouse::insert_formatted::InsertFormatted;
use tokio::time::Instant;

use super::{Class, Param, Store, StoreError, Topology};
use crate::event::{Stamp, row};
use crate::hours::{Day, HOUR_MS, Hour};
use crate::limits::{BLOCK_BYTES_MAX, BLOCK_ROWS_MAX};

/// Bytes handed to the connection at once.
const SLICE_BYTES: usize = 1 << 20;
/// How long ClickHouse may refuse to take more of a block.
const SEND_LIMIT: Duration = Duration::from_secs(120);
/// How long ClickHouse may take to write one block.
const WRITE_LIMIT: Duration = Duration::from_secs(600);
/// How long ClickHouse may take to list an insert; see [`Store::insert_block`].
const LISTED_LIMIT: Duration = Duration::from_secs(3);

const INSERT: &str = "INSERT INTO events FORMAT RowBinaryWithNamesAndTypes";

/// Rows of one UTC hour and one schema version, to be stored as a unit.
#[derive(Clone, Debug)]
pub struct Block {
    /// Differs from every other block of the node and hour.
    pub id: [u8; 16],
    /// The stamp of its first event; the marker bears it.
    pub first: Stamp,
    /// Schema version of its rows.
    pub version: u16,
    /// The rows, without the log's framing.
    pub rows: Bytes,
    /// When the marker may go: after the last moment at which somebody may ask for the block.
    pub expires: Day,
}

impl Block {
    /// How the ids of its inserts start.
    pub fn query_id(&self) -> String {
        format!("block-{}", hex(&self.id))
    }
}

/// Lower case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[derive(clickhouse::Row, serde::Deserialize)]
struct Marker {
    visitor: [u8; 16],
}

impl Store {
    /// Stores one block; when this returns without error it is stored, though not yet on the disk (see
    /// [`Store::sync`]).
    ///
    /// The rows are held back until ClickHouse lists the insert. An insert given up can then never
    /// happen later, unseen, out of some buffer: either it was listed and [`Store::kill_query`] finds
    /// it, or its body never ended.
    ///
    /// # Errors
    /// After any error the block may be stored, or be on its way: end it with [`Store::kill_query`],
    /// then ask with [`Store::has_block`].
    pub async fn insert_block(&self, block: &Block) -> Result<(), StoreError> {
        assert!(block.rows.len() < BLOCK_BYTES_MAX, "a block is one insert");
        // One id a try: what is listed is this try, not an earlier one.
        let query_id = format!("{}-{:08x}", block.query_id(), rand::random::<u32>());
        let mut insert = self.begin(block.version, &query_id).await?;
        self.wait_until_listed(block.version, &query_id).await?;
        let mut rows = block.rows.clone();
        while !rows.is_empty() {
            insert.send(rows.split_to(rows.len().min(SLICE_BYTES))).await?;
        }
        let marker = row::marker(block.id, block.first, block.expires.0);
        insert.send(marker.into()).await?;
        Ok(insert.end().await?)
    }

    /// Whether ClickHouse would take rows of this version at all: an insert of none.
    ///
    /// # Errors
    /// Refused when the table, its columns, or our right to write are not what this build expects.
    pub async fn probe(&self, version: u16) -> Result<(), StoreError> {
        let query_id = format!("probe-{:08x}", rand::random::<u32>());
        let insert = self.begin(version, &query_id).await?;
        Ok(insert.end().await?)
    }

    /// Whether a block is stored. Reads one granule.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn has_block(&self, id: [u8; 16], hour: Hour, node: u32) -> Result<bool, StoreError> {
        Ok(!self.blocks(&id, hour, node).await?.is_empty())
    }

    /// The ids of all stored blocks of the hour that start with `prefix`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn blocks(
        &self,
        prefix: &[u8],
        hour: Hour,
        node: u32,
    ) -> Result<Vec<[u8; 16]>, StoreError> {
        let end = |fill: u8| {
            let mut id = [fill; 16];
            id[..prefix.len()].copy_from_slice(prefix);
            Param::from(hex(&id))
        };
        let sql = "SELECT DISTINCT visitor FROM events \
                   WHERE site_id = 0 AND toStartOfHour(ts) = {hour:DateTime('UTC')} \
                   AND ts >= {from:DateTime64(3, 'UTC')} AND ts < {until:DateTime64(3, 'UTC')} \
                   AND visitor >= toFixedString(unhex({first:String}), 16) \
                   AND visitor <= toFixedString(unhex({last:String}), 16) \
                   AND node = {node:UInt32}";
        let params = [
            ("hour", Param::from(hour)),
            ("from", Param::Ms(hour.start_ms())),
            ("until", Param::Ms(hour.start_ms() + HOUR_MS)),
            ("first", end(0)),
            ("last", end(0xff)),
            ("node", Param::from(node)),
        ];
        let markers: Vec<Marker> = self.rows(sql, &params).await?;
        Ok(markers.into_iter().map(|m| m.visitor).collect())
    }

    /// Ends every query of ours whose id starts with `query_id`, and waits until it is gone.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn kill_query(&self, query_id: &str) -> Result<(), StoreError> {
        let on_cluster = super::migrate::on_cluster(&self.config.topology);
        let sql = format!(
            "KILL QUERY{on_cluster} WHERE startsWith(query_id, {{id:String}}) SYNC FORMAT Null"
        );
        self.run(&sql, &[("id", Param::from(query_id))]).await
    }

    /// Puts everything stored so far on the disk, merges included: `syncfs` of the engine's file
    /// system. Other servers sync each insert themselves.
    ///
    /// # Errors
    /// Retry when the disk reports an error; what was stored since the last sync may be lost.
    pub async fn sync(&self) -> Result<(), StoreError> {
        let Some(dir) = self.config.data_dir.clone() else { return Ok(()) };
        let synced = tokio::task::spawn_blocking(move || {
            let file = std::fs::File::open(&dir)?;
            rustix::fs::syncfs(&file).map_err(std::io::Error::from)
        });
        let synced = synced.await.unwrap_or_else(|e| Err(std::io::Error::other(e)));
        synced.map_err(|e| StoreError::new(Class::Retry, format!("the data cannot be synced: {e}")))
    }

    async fn begin(&self, version: u16, query_id: &str) -> Result<InsertFormatted, StoreError> {
        let columns = row::columns(version).ok_or_else(|| {
            StoreError::fatal(format!("rows of version {version} are newer than this build"))
        })?;
        let settings = [
            ("query_id", query_id.to_owned()),
            // So that the body is one block, and with one hour one part.
            ("max_insert_block_size", BLOCK_ROWS_MAX.to_string()),
            ("min_insert_block_size_rows", BLOCK_ROWS_MAX.to_string()),
            ("min_insert_block_size_bytes", (16 * BLOCK_BYTES_MAX).to_string()),
            ("input_format_parallel_parsing", "0".to_owned()),
            // A column the table lacks is an error, not a loss.
            ("input_format_skip_unknown_fields", "0".to_owned()),
            // ClickHouse lists a query once it has read this much, rather than 256 KiB. It is more than
            // the statement with its line end, and less than that and the header.
            ("max_query_size", (INSERT.len() + 8).to_string()),
        ];
        let insert = self.client()?.insert_formatted_with(INSERT);
        let insert =
            settings.into_iter().fold(insert, |i, (name, value)| i.with_setting(name, value));
        let mut insert = insert.with_timeouts(Some(SEND_LIMIT), Some(WRITE_LIMIT));
        insert.send(row::header(columns).into()).await?;
        Ok(insert)
    }

    async fn wait_until_listed(&self, version: u16, query_id: &str) -> Result<(), StoreError> {
        if matches!(self.config.topology, Topology::Cluster { .. }) {
            return Ok(()); // another replica may answer
        }
        let deadline = Instant::now() + LISTED_LIMIT;
        let mut pause = Duration::from_millis(1);
        loop {
            let sql = "SELECT count() FROM system.processes WHERE query_id = {id:String}";
            let listed: Vec<u64> = self.rows(sql, &[("id", Param::from(query_id))]).await?;
            if listed.first().is_some_and(|n| *n > 0) {
                return Ok(());
            }
            if Instant::now() > deadline {
                break;
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(50));
        }
        // It ended before we looked, and ClickHouse says why only after the body: ask without one.
        self.probe(version).await?;
        // A proxy in front of the operator's own server may hold the body; then this is all we can do.
        let own = self.config.data_dir.is_some();
        if own { Err(StoreError::late(LISTED_LIMIT)) } else { Ok(()) }
    }
}
