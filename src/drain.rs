//! Sealed segments of the log → ClickHouse, in order, each row exactly once (I3), its bytes unchanged
//! (I5).
//!
//! ```text
//! segment → ranges of rows of one version → one block each → marker → sync → next segment
//! ```
//! Normally a segment is one block. A block's id says which rows of which segment it holds, so after any
//! doubt (an error, a lost answer, our own start) one question tells which rows are stored, and exactly
//! the others are inserted, however the segment was cut before. A block that ClickHouse refuses is
//! halved until the bad rows are found; they go to `quarantine/`. Whatever else goes wrong is tried
//! again for ever.
//!
//! Runs on the log's own thread. It cannot decode a row, so it cannot change one.

use std::ops::{ControlFlow, Range};
use std::path::PathBuf;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::event::Stamp;
use crate::hours::{Day, Hour};
use crate::limits::{DRAIN_BACKOFF_MAX, RETENTION_DAYS};
use crate::metrics::METRICS;
use crate::store::{Block, Class, Store, StoreError};
use crate::wal::{Segment, Sink};

mod quarantine;
mod rows;

use quarantine::Quarantine;
use rows::Rows;

const BACKOFF_MIN: Duration = Duration::from_millis(100);
/// Bytes of a block's id that tell the segment; the other eight are the range.
const PREFIX_BYTES: usize = 8;

/// A sealed segment: what the log hands over.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The segment's id; the same when it is handed over again.
    pub id: [u8; 16],
    /// The UTC hour of all its events.
    pub hour: Hour,
    /// The stamp of its first event.
    pub first: Stamp,
    /// Records as `event::row` frames them.
    pub records: &'a [u8],
}

/// What the drain needs beside the store.
#[derive(Clone, Debug)]
pub struct DrainConfig {
    /// Where refused rows go.
    pub quarantine: PathBuf,
    /// For the lag and the markers' expiry.
    pub clock: Clock,
    /// Becomes true when the daemon stops.
    pub stop: watch::Receiver<bool>,
    /// Where its waiting happens; the drain itself runs on a thread of no runtime.
    pub runtime: Handle,
}

/// Copies segments into ClickHouse.
pub struct Drain {
    store: Store,
    config: DrainConfig,
    quarantine: Quarantine,
    /// Whether an insert of unknown fate may exist: at our start, and after any error.
    doubt: bool,
}

impl Sink for Drain {
    fn segment(&mut self, segment: &Segment) -> ControlFlow<()> {
        self.store(Batch {
            id: segment.id.0,
            hour: segment.hour,
            first: segment.first,
            records: &segment.records,
        })
    }
}

enum Outcome {
    Stored,
    /// Only these parts are missing: an earlier run of the daemon stored the others.
    Partly(Vec<Range<usize>>),
    Refused(StoreError),
}

impl Drain {
    /// Nothing happens until the first segment.
    pub fn new(store: Store, config: DrainConfig) -> Drain {
        let quarantine = Quarantine::new(config.quarantine.clone());
        Drain { store, config, quarantine, doubt: true }
    }

    /// Returns when the whole segment is stored and on the disk, or, with `Break`, when a stop is
    /// wanted; then the segment must be kept. Blocks; never call it on a runtime's thread.
    pub fn store(&mut self, batch: Batch<'_>) -> ControlFlow<()> {
        let runtime = self.config.runtime.clone();
        let mut stop = self.config.stop.clone();
        runtime.block_on(async {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => ControlFlow::Break(()),
                () = self.until_stored(batch) => ControlFlow::Continue(()),
            }
        })
    }

    async fn until_stored(&mut self, batch: Batch<'_>) {
        let rows = Rows::find(batch.records);
        let mut refused = 0;
        if !rows.rest.is_empty() {
            // The log checks what it hands over, so this is a bug of ours; lose nothing over it.
            tracing::error!(bytes = rows.rest.len(), "drain: a segment ends in no record");
            self.set_aside(batch, rows.len()..rows.len(), rows.rest, "not a record").await;
        }
        let mut todo = rows.runs();
        if self.doubt {
            todo = self.missing(batch, &todo).await;
        }
        todo.reverse();
        while let Some(range) = todo.pop() {
            match self.attempt(batch, &rows, &range).await {
                Outcome::Stored => {}
                Outcome::Partly(parts) => todo.extend(parts.into_iter().rev()),
                Outcome::Refused(error) if range.len() == 1 => {
                    let record = rows.records(range.clone());
                    tracing::error!(code = error.code, "drain: ClickHouse refused a row");
                    self.set_aside(batch, range, record, &error.message).await;
                    refused += 1;
                    METRICS.drain_quarantined.inc();
                }
                Outcome::Refused(_) => {
                    let middle = range.start + range.len() / 2;
                    todo.push(middle..range.end);
                    todo.push(range.start..middle);
                }
            }
        }
        let mut pause = Pause::new("the sync");
        while let Err(error) = self.store.sync().await {
            self.wait(&mut pause, &error).await;
        }
        METRICS.stored.inc_by((rows.len() - refused) as u64);
        METRICS.drain_lag_seconds.set(0.0);
    }

    /// Inserts one range until it is stored or refused for its data.
    async fn attempt(
        &mut self,
        batch: Batch<'_>,
        rows: &Rows<'_>,
        range: &Range<usize>,
    ) -> Outcome {
        let today = Day::of_ms(self.config.clock.now_ms());
        let block = Block {
            id: block_id(batch.id, range),
            first: batch.first,
            version: rows.version(range.start),
            rows: rows.body(range.clone()),
            expires: Day(today.0.saturating_add(RETENTION_DAYS)),
        };
        let mut pause = Pause::new("a block");
        loop {
            self.observe_lag(batch);
            self.doubt = true;
            let error = match self.store.insert_block(&block).await {
                Ok(()) => break,
                Err(error) => error,
            };
            let missing = self.missing(batch, std::slice::from_ref(range)).await;
            if missing.is_empty() {
                break;
            }
            if missing != [range.clone()] {
                return Outcome::Partly(missing);
            }
            if error.class == Class::Refused && self.takes_rows(block.version).await {
                self.doubt = false;
                return Outcome::Refused(error);
            }
            self.wait(&mut pause, &error).await;
        }
        self.doubt = false;
        METRICS.drain_blocks.inc();
        Outcome::Stored
    }

    /// Which parts of these ranges are not stored, after no insert of the segment is under way any more.
    async fn missing(&mut self, batch: Batch<'_>, wanted: &[Range<usize>]) -> Vec<Range<usize>> {
        let prefix = prefix(batch.id);
        let mut pause = Pause::new("the question what is stored");
        loop {
            match self.stored(batch, &prefix).await {
                Ok(stored) => return rows::subtract(wanted, &stored),
                Err(error) => self.wait(&mut pause, &error).await,
            }
        }
    }

    async fn stored(
        &self,
        batch: Batch<'_>,
        prefix: &[u8; PREFIX_BYTES],
    ) -> Result<Vec<Range<usize>>, StoreError> {
        let query_id = format!("block-{}", crate::store::block::hex(prefix));
        self.store.kill_query(&query_id).await?;
        let blocks = self.store.blocks(prefix, batch.hour, batch.first.node).await?;
        Ok(blocks.iter().map(range_of).collect())
    }

    /// Whether a refusal can be the rows' fault: the table takes a block of none.
    async fn takes_rows(&mut self, version: u16) -> bool {
        match self.store.probe(version).await {
            Ok(()) => true,
            Err(error) => {
                tracing::error!(%error, "drain: the table `events` is not as this build needs it");
                false
            }
        }
    }

    async fn set_aside(&mut self, batch: Batch<'_>, range: Range<usize>, bytes: &[u8], why: &str) {
        let name = format!("refused-{}-{}", crate::store::block::hex(&batch.id), range.start);
        let mut pause = Pause::new("the quarantine");
        while let Err(error) = self.quarantine.keep(&name, bytes, why) {
            self.pause(&mut pause, &error.to_string()).await;
        }
        let dir = self.config.quarantine.display();
        tracing::error!("drain: set aside in {dir}/{name}.rows, with the reason beside it");
    }

    async fn wait(&mut self, pause: &mut Pause, error: &StoreError) {
        // A refusal's text may quote a row, and rows are never logged.
        let refused = format!("refused with code {}", error.code);
        let text = if error.class == Class::Retry { &error.message } else { &refused };
        self.pause(pause, text).await;
        // With the engine away, the next try comes as soon as it is back.
        self.store.wait_for_server().await;
    }

    async fn pause(&mut self, pause: &mut Pause, error: &str) {
        METRICS.drain_retries.inc();
        let (what, seconds) = (pause.what, pause.next.as_secs_f32());
        tracing::warn!(error, "drain: {what} failed; next try in {seconds} s");
        tokio::time::sleep(pause.next).await;
        pause.next = (pause.next * 2).min(DRAIN_BACKOFF_MAX);
    }

    fn observe_lag(&self, batch: Batch<'_>) {
        let lag_ms = (self.config.clock.now_ms() - batch.first.ts_ms).max(0);
        METRICS.drain_lag_seconds.set(lag_ms as f64 / 1000.0);
    }
}

struct Pause {
    what: &'static str,
    next: Duration,
}

impl Pause {
    fn new(what: &'static str) -> Pause {
        Pause { what, next: BACKOFF_MIN }
    }
}

/// Tells the segment among those of its node and hour.
fn prefix(segment: [u8; 16]) -> [u8; PREFIX_BYTES] {
    let hash = blake3::hash(&segment);
    hash.as_bytes()[..PREFIX_BYTES].try_into().expect("a hash has 32 bytes")
}

fn block_id(segment: [u8; 16], range: &Range<usize>) -> [u8; 16] {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&prefix(segment));
    id[8..12].copy_from_slice(&(range.start as u32).to_be_bytes());
    id[12..].copy_from_slice(&(range.end as u32).to_be_bytes());
    id
}

fn range_of(id: &[u8; 16]) -> Range<usize> {
    let number = |at: usize| {
        let bytes: [u8; 4] = id[at..at + 4].try_into().expect("an id has 16 bytes");
        u32::from_be_bytes(bytes) as usize
    };
    number(8)..number(12)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_block_id_tells_its_range() {
        let id = super::block_id([7; 16], &(3..70_000));
        assert_eq!(super::range_of(&id), 3..70_000);
        assert_eq!(id[..8], super::prefix([7; 16]));
    }
}
