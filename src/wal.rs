//! The write-ahead log: an event is accepted when its row is durable here, and leaves when it is
//! stored in ClickHouse.
//!
//! Holds I1 (202 means durable), I2 (503 means never stored), I7 (one writer, time never goes back),
//! I12 (queue and backlog are bounded). The only user of okaywal, whose known faults are kept out by
//! the guards in `wal/` (each names its own).
//!
//! ```text
//! request: accepting → admit (time, seqs) → append ─┐ queue, bounded in bytes
//! writer thread: every tick one entry per hour, fsync, then the answers; seals segments
//! okaywal's thread: sealed segments, in order → Sink → recycled
//! ```
//! A segment holds one hour's events and never changes once sealed. Any failed write or fsync ends
//! the process with exit code 74; the next start repairs and goes on.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::event::Stamp;
use crate::event::row::Rows;
use crate::hours::Hour;
use crate::limits;
use crate::wal::writer::{Shared, Waiting};

mod disk;
mod drained;
mod entry;
mod identity;
mod inspect;
mod ledger;
mod log;
mod open;
mod repair;
mod scan;
#[cfg(test)]
mod tests;
mod watchdog;
mod writer;

pub use inspect::{Report, SegmentReport, Summary, inspect, verify};

/// Settings of the log.
#[derive(Clone, Debug)]
pub struct WalConfig {
    /// Its directory; made if missing, owned by one process.
    pub dir: PathBuf,
    /// Group commit interval.
    pub sync_interval: Duration,
    /// Bytes not drained beyond which nothing is admitted.
    pub bytes_max: u64,
    /// Free disk space below which nothing is admitted.
    pub disk_free_bytes_min: u64,
    /// A segment is sealed at this size.
    pub segment_bytes: usize,
    /// A segment is sealed at this age if no other waits to be drained.
    pub segment_age: Duration,
    /// A commit or seal that takes longer than this ends the process.
    pub stall: Duration,
}

impl WalConfig {
    /// The defaults of [`limits`] for a directory.
    pub fn new(dir: impl Into<PathBuf>) -> WalConfig {
        WalConfig {
            dir: dir.into(),
            sync_interval: limits::WAL_SYNC_INTERVAL,
            bytes_max: limits::WAL_BYTES_MAX,
            disk_free_bytes_min: limits::DISK_FREE_BYTES_MIN,
            segment_bytes: limits::SEGMENT_BYTES,
            segment_age: limits::SEGMENT_AGE,
            stall: limits::COMMIT_STALL,
        }
    }
}

/// Why the log could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum WalError {
    /// Another process has it.
    #[error("log {0} is in use by another process; stop that one first")]
    Locked(PathBuf),
    /// The node file is damaged.
    #[error(
        "node file in {0} is damaged; restore it from a backup, or remove it to go on under a new \
         node id"
    )]
    Identity(PathBuf),
    /// The disk refused.
    #[error("log {dir}: cannot {what} ({source}); check that the disk has room and is writable")]
    Io { dir: PathBuf, what: &'static str, source: std::io::Error },
}

/// Why nothing is admitted: certainly nothing was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The process is stopping.
    #[error("the log is closing")]
    Closing,
    /// Too much waits for the next commit.
    #[error("the log's queue is full")]
    Queue,
    /// Too much waits for the drain.
    #[error("the log has reached its size limit")]
    Backlog,
    /// The disk is nearly full.
    #[error("the log's disk is nearly full")]
    Disk,
}

impl Unavailable {
    /// For logs and metric labels.
    pub fn tag(self) -> &'static str {
        match self {
            Unavailable::Closing => "closing",
            Unavailable::Queue => "queue",
            Unavailable::Backlog => "backlog",
            Unavailable::Disk => "disk",
        }
    }
}

/// Why rows were not acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// They will never be stored.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// They may or may not be stored.
    #[error("the outcome of the commit is unknown")]
    Unknown,
}

/// What a start found in the directory and did about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BootReport {
    /// This node's number, and how often it has started.
    pub node: u32,
    pub boot: u64,
    /// Segments, entries, events and bytes that wait for the drain.
    pub segments: u64,
    pub entries: u64,
    pub events: u64,
    pub bytes: u64,
    /// Writes cut short by a crash, or damaged last entries: cut off.
    pub torn: u64,
    /// Damaged byte ranges, copied to `quarantine/`.
    pub quarantined: u64,
    /// Entries that were durable and are gone.
    pub missing: u64,
    /// Files without entries, and recycled ones, removed.
    pub removed: u64,
    /// Recycled files that held new entries, renamed back.
    pub rescued: u64,
    /// Latest time of an event found, in milliseconds; 0 for none.
    pub newest_ms: i64,
}

impl std::fmt::Display for BootReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "node {} boot {}: {} events in {} entries of {} segments ({} bytes) wait for the drain; \
             {} torn, {} quarantined, {} missing, {} removed, {} rescued",
            self.node,
            self.boot,
            self.events,
            self.entries,
            self.segments,
            self.bytes,
            self.torn,
            self.quarantined,
            self.missing,
            self.removed,
            self.rescued
        )
    }
}

/// The identity of a segment's content: the same however often it is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub [u8; 16]);

impl std::fmt::Display for BlockId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A sealed segment.
#[derive(Clone, Debug)]
pub struct Segment {
    pub id: BlockId,
    /// The hour of all its events.
    pub hour: Hour,
    /// The first stamp of the admission of its first record: no other segment has the same.
    pub first: Stamp,
    /// No seq in it is higher.
    pub last_seq: u64,
    /// The latest time in it.
    pub max_ts_ms: i64,
    /// Its records, one behind the other, as `event::row` frames them.
    pub records: Bytes,
    /// How many.
    pub count: u32,
}

/// Where sealed segments go.
pub trait Sink: Send + 'static {
    /// Stores a segment; called in order, on okaywal's thread, and blocks until it is stored or the
    /// process stops (`Break`: the segment stays and comes again at the next start). After a crash
    /// the first segment may be one that was stored before.
    fn segment(&mut self, segment: &Segment) -> ControlFlow<()>;
}

impl<F: FnMut(&Segment) -> ControlFlow<()> + Send + 'static> Sink for F {
    fn segment(&mut self, segment: &Segment) -> ControlFlow<()> {
        self(segment)
    }
}

/// Proof that rows are durable: only a successful commit makes one, and only with one can a 202 be
/// built.
#[derive(Debug)]
pub struct Durable(());

/// The right to append events with a time and seqs of their own. Holds back the low watermark until
/// it is appended or dropped.
pub struct Admission {
    shared: Arc<Shared>,
    ts_ms: i64,
    first_seq: u64,
    events: u32,
}

impl Admission {
    /// The stamp of the `i`-th event, counted from 0.
    pub fn stamp(&self, i: u32) -> Stamp {
        assert!(i < self.events, "stamp {i} of an admission of {} events", self.events);
        let seq = self.first_seq + u64::from(i);
        Stamp { ts_ms: self.ts_ms, node: self.shared.node, seq }
    }

    /// The hour of its time.
    fn hour(&self) -> Hour {
        Hour::of_ms(self.ts_ms)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.shared.ledger.leave(self.hour());
    }
}

/// The log. Clones share it; the last one to go closes it.
#[derive(Clone)]
pub struct Wal(Arc<open::Handle>);

impl Wal {
    /// Opens a directory: takes its lock, repairs what a crash or a bad disk left, and hands what was
    /// not drained to `sink`, oldest first, while new events are taken already. The clock will not
    /// go behind any time handed out for an hour that may be closed.
    ///
    /// # Errors
    /// Another process has it; the node file is damaged; the disk refuses. Nothing is lost.
    pub fn open(
        config: WalConfig,
        clock: Clock,
        sink: impl Sink,
    ) -> Result<(Wal, BootReport), WalError> {
        let (handle, report) = open::open(config, clock, Box::new(sink))?;
        Ok((Wal(Arc::new(handle)), report))
    }

    /// Whether an event would be admitted now. A few atomic reads.
    ///
    /// # Errors
    /// It would not: answer 503 before reading on.
    pub fn accepting(&self) -> Result<(), Unavailable> {
        self.shared().accepting()
    }

    /// Takes the time for a request of up to `events` events and reserves as many seqs.
    ///
    /// # Errors
    /// Nothing is admitted now, and nothing was stored.
    pub fn admit(&self, events: u32) -> Result<Admission, Unavailable> {
        let shared = self.shared();
        shared.accepting()?;
        let ts_ms = shared.ledger.enter(&shared.clock);
        let first_seq = shared.next_seq.fetch_add(u64::from(events), SeqCst);
        Ok(Admission { shared: shared.clone(), ts_ms, first_seq, events })
    }

    /// Appends the rows of an admission and waits for the commit. Dropping the future does not undo
    /// an append that has begun.
    ///
    /// # Errors
    /// `Unavailable`: nothing was stored or will be. `Unknown`: the process is going down.
    pub async fn append(&self, admission: Admission, rows: Rows) -> Result<Durable, AppendError> {
        assert!(rows.count() > 0 && rows.count() <= admission.events, "rows as admitted");
        let (ack, done) = oneshot::channel();
        self.shared().push(Waiting { admission, rows, ack, since: Instant::now() })?;
        done.await.map_err(|_| AppendError::Unknown)
    }

    /// The earliest hour that may still receive or hold undrained events: all events before its
    /// start are drained.
    pub fn low_watermark(&self) -> Hour {
        let shared = self.shared();
        shared.ledger.low_watermark(&shared.clock)
    }

    /// Stops admitting, for all clones; commits what is queued, and returns without waiting for the
    /// drain, which is not given another segment. Blocks for about one commit.
    pub fn close(self) {
        self.0.close();
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }
}
