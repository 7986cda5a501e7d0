//! Rows on their way into ClickHouse without the log: one block for each UTC day (a partition), each
//! with its marker, so that after a doubt only what is missing is sent again (I3).

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;

use crate::event::row::{RECORD_HEAD_BYTES, Rows, VERSION};
use crate::event::{Event, Stamp};
use crate::hours::{Day, Hour};
use crate::store::block::Block;
use crate::store::{Class, Store, StoreError};

/// A block is tried this often before the command gives up; running it again goes on.
const TRIES: u32 = 5;

/// The rows of one chunk of events, by UTC day.
#[derive(Default)]
pub(crate) struct Chunk {
    days: BTreeMap<Day, DayRows>,
    bytes: usize,
}

struct DayRows {
    first: Stamp,
    rows: Vec<u8>,
}

impl Chunk {
    /// Adds an event to its day.
    pub(crate) fn push(&mut self, event: &Event<'_>) {
        let mut encoded = Rows::default();
        encoded.push(event);
        let row = &encoded.bytes()[RECORD_HEAD_BYTES..];
        let day = self.days.entry(Day::of_ms(event.stamp.ts_ms));
        let day = day.or_insert(DayRows { first: event.stamp, rows: Vec::new() });
        day.rows.extend_from_slice(row);
        self.bytes += row.len();
    }

    /// Bytes of all rows.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The blocks. `name` identifies the chunk: the same name must mean the same rows.
    pub(crate) fn into_blocks(self, name: &[u64], expires: Day) -> Vec<Block> {
        let block = |(day, of_day): (Day, DayRows)| {
            let mut hash = blake3::Hasher::new();
            for part in name {
                hash.update(&part.to_le_bytes());
            }
            hash.update(&day.0.to_le_bytes());
            let mut id = [0; 16];
            id.copy_from_slice(&hash.finalize().as_bytes()[..16]);
            let rows = Bytes::from(of_day.rows);
            Block { id, first: of_day.first, version: VERSION, rows, expires }
        };
        self.days.into_iter().map(block).collect()
    }
}

/// Stores blocks, each once. `doubt` says that an earlier run may have stored some of them.
///
/// # Errors
/// ClickHouse refused a block, or was away for all tries; some blocks may be stored.
pub(crate) async fn store_all(
    store: &Store,
    blocks: &[Block],
    mut doubt: bool,
) -> Result<(), StoreError> {
    for block in blocks {
        let mut tries = 1;
        while let Err(e) = store_one(store, block, doubt).await {
            if e.class != Class::Retry || tries == TRIES {
                return Err(e);
            }
            tracing::warn!(error = %e, "a block was not stored; trying again");
            tokio::time::sleep(Duration::from_secs(1 << tries)).await;
            (tries, doubt) = (tries + 1, true);
        }
    }
    store.sync().await
}

async fn store_one(store: &Store, block: &Block, doubt: bool) -> Result<(), StoreError> {
    if doubt {
        store.kill_query(&block.query_id()).await?;
        let hour = Hour::of_ms(block.first.ts_ms);
        if store.has_block(block.id, hour, block.first.node).await? {
            return Ok(());
        }
    }
    store.insert_block(block).await
}
