//! The one thread that writes the log, and the queue in front of it.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::event::row::Rows;
use crate::hours::Hour;
use crate::limits::QUEUE_BYTES_MAX;
use crate::metrics::METRICS;
use crate::wal::disk;
use crate::wal::drained::Stop;
use crate::wal::entry::ID_MASK;
use crate::wal::identity::Mark;
use crate::wal::ledger::Ledger;
use crate::wal::log::{Batch, Log};
use crate::wal::watchdog::{FailOnPanic, Pulse, fail};
use crate::wal::{Admission, Durable, Unavailable, WalConfig};

/// Between looks at the disk's free space and the clock.
const CHORES_EVERY: Duration = Duration::from_secs(1);
/// Between marks of the clock within an hour.
const MARK_EVERY_MS: i64 = 60_000;
/// A spike's buffer is given back above this.
const BODY_BYTES_KEPT: usize = 8 * 1024 * 1024;

/// The rows of one request on their way to the disk.
pub(super) struct Waiting {
    pub(super) admission: Admission,
    pub(super) rows: Rows,
    pub(super) ack: oneshot::Sender<Durable>,
    pub(super) since: Instant,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    closed: bool,
}

/// What requests, the writer and the watchdog share.
pub(super) struct Shared {
    pub(super) config: WalConfig,
    pub(super) clock: Clock,
    pub(super) node: u32,
    pub(super) next_seq: AtomicU64,
    pub(super) ledger: Arc<Ledger>,
    pub(super) stop: Arc<Stop>,
    pub(super) pulse: Arc<Pulse>,
    /// Beyond it file descriptors may run out: okaywal keeps one for each sealed segment.
    pub(super) segments_max: u64,
    queue: Mutex<Queue>,
    wake: Condvar,
    queue_bytes: AtomicUsize,
    disk_free: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        (config, clock): (WalConfig, Clock),
        (node, first_seq): (u32, u64),
        (ledger, stop): (Arc<Ledger>, Arc<Stop>),
        segments_max: u64,
        disk_free: u64,
    ) -> Shared {
        Shared {
            config,
            clock,
            node,
            next_seq: AtomicU64::new(first_seq),
            ledger,
            stop,
            pulse: Arc::new(Pulse::new()),
            segments_max,
            queue: Mutex::default(),
            wake: Condvar::new(),
            queue_bytes: AtomicUsize::new(0),
            disk_free: AtomicU64::new(disk_free),
        }
    }

    pub(super) fn accepting(&self) -> Result<(), Unavailable> {
        if self.stop.closing() {
            Err(Unavailable::Closing)
        } else if self.queue_bytes.load(SeqCst) >= QUEUE_BYTES_MAX {
            Err(Unavailable::Queue)
        } else if self.ledger.bytes() >= self.config.bytes_max
            || self.ledger.segments() >= self.segments_max
        {
            Err(Unavailable::Backlog)
        } else if self.disk_free.load(SeqCst) < self.config.disk_free_bytes_min {
            Err(Unavailable::Disk)
        } else {
            Ok(())
        }
    }

    /// Puts rows before the writer, or gives them up: what is refused here was never written.
    pub(super) fn push(&self, waiting: Waiting) -> Result<(), Unavailable> {
        let bytes = waiting.rows.bytes().len();
        if self.queue_bytes.fetch_add(bytes, SeqCst) + bytes > QUEUE_BYTES_MAX {
            self.queue_bytes.fetch_sub(bytes, SeqCst);
            return Err(Unavailable::Queue);
        }
        // A poisoned lock means that the writer's thread is ending the process.
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.closed {
            drop(queue);
            self.queue_bytes.fetch_sub(bytes, SeqCst);
            return Err(Unavailable::Closing);
        }
        queue.waiting.push(waiting);
        let first = queue.waiting.len() == 1;
        drop(queue);
        if first {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Lets the writer finish what is queued and end.
    pub(super) fn close(&self) {
        self.stop.close();
        self.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.wake.notify_one();
    }
}

/// The writer.
pub(super) struct Writer {
    pub(super) shared: Arc<Shared>,
    pub(super) log: Log,
    /// The clock's mark on disk.
    pub(super) mark: Mark,
}

impl Writer {
    /// Runs until the log is closed.
    pub(super) fn run(mut self) {
        let _guard = FailOnPanic("wal-writer");
        let shared = self.shared.clone();
        let mut spare = Vec::new();
        let mut body = Vec::new();
        let mut tick = Instant::now();
        let mut chores = Instant::now();
        loop {
            let (mut batch, closed) = self.collect(spare, tick);
            if !batch.is_empty() {
                tick = Instant::now() + shared.config.sync_interval;
                self.commit(&mut batch, &mut body);
            }
            spare = batch;
            if closed {
                break;
            }
            self.seal_if_due();
            if chores.elapsed() >= CHORES_EVERY || self.hour() > Hour::of_ms(self.mark.ts_ms) {
                chores = Instant::now();
                self.do_chores();
            }
        }
        self.write_mark();
        drop(self.log);
        shared.stop.writer_is_gone();
    }

    /// Waits for rows and for the tick, and takes what is queued. Rows that come after a pause are
    /// taken at once; the next ones wait for the tick.
    fn collect(&self, spare: Vec<Waiting>, tick: Instant) -> (Vec<Waiting>, bool) {
        let shared = &*self.shared;
        let growing = self.log.active().is_some();
        let patience = if growing { shared.config.sync_interval } else { CHORES_EVERY };
        let poisoned = "no holder of the queue panics";
        let mut queue = shared.queue.lock().expect(poisoned);
        if queue.waiting.is_empty() && !queue.closed {
            let wait = patience.min(CHORES_EVERY).max(Duration::from_millis(1));
            queue = shared.wake.wait_timeout(queue, wait).expect(poisoned).0;
        }
        while !queue.waiting.is_empty() && !queue.closed {
            let left = tick.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            queue = shared.wake.wait_timeout(queue, left).expect(poisoned).0;
        }
        let batch = std::mem::replace(&mut queue.waiting, spare);
        (batch, queue.closed)
    }

    /// Writes what was taken, one batch for each hour in it, and answers.
    fn commit(&mut self, batch: &mut Vec<Waiting>, body: &mut Vec<u8>) {
        // Requests admitted before the hour changed may be taken after others admitted behind it.
        batch.sort_by_key(|waiting| waiting.admission.hour().0);
        while let Some(first) = batch.first() {
            let hour = first.admission.hour();
            let until = batch.partition_point(|waiting| waiting.admission.hour() == hour);
            self.commit_hour(hour, &batch[..until], body);
            let done = Instant::now();
            for waiting in batch.drain(..until) {
                METRICS.ack_seconds.observe((done - waiting.since).as_secs_f64());
                // A client that went away does not hear it; its rows are stored all the same.
                let _ = waiting.ack.send(Durable(()));
            }
        }
        METRICS.queue_bytes.set(self.shared.queue_bytes.load(SeqCst) as i64);
    }

    fn commit_hour(&mut self, hour: Hour, requests: &[Waiting], body: &mut Vec<u8>) {
        body.clear();
        body.shrink_to(BODY_BYTES_KEPT);
        let first = requests[0].admission.stamp(0);
        let mut batch = Batch { hour, count: 0, first, last_seq: 0, max_ts_ms: 0 };
        for Waiting { admission, rows, .. } in requests {
            body.extend_from_slice(rows.bytes());
            batch.count += rows.count();
            let last_seq = admission.first_seq + u64::from(admission.events) - 1;
            batch.last_seq = batch.last_seq.max(last_seq);
            batch.max_ts_ms = batch.max_ts_ms.max(admission.ts_ms);
        }
        let began = Instant::now();
        let Writer { shared, log, .. } = self;
        if let Err(e) = shared.pulse.watch(|| log.write(&batch, body)) {
            fail(format_args!("a commit in {} failed: {e}", shared.config.dir.display()));
        }
        METRICS.wal_commit_seconds.observe(began.elapsed().as_secs_f64());
        METRICS.accepted.inc_by(u64::from(batch.count));
        shared.queue_bytes.fetch_sub(body.len(), SeqCst);
    }

    /// Seals by size, at the end of the hour, and by age. By age only while the drain has nothing
    /// else to do: a drain that is away for a day must not find a day of two-second segments, each
    /// with its file and its descriptor.
    fn seal_if_due(&mut self) {
        let Some(active) = self.log.active() else { return };
        let config = &self.shared.config;
        let old =
            active.since.elapsed() >= config.segment_age && self.shared.ledger.segments() == 0;
        if old || active.bytes >= config.segment_bytes as u64 || self.hour() > active.hour {
            let Writer { shared, log, .. } = self;
            if let Err(e) = shared.pulse.watch(|| log.seal()) {
                fail(format_args!("cannot seal a segment in {}: {e}", shared.config.dir.display()));
            }
        }
    }

    fn hour(&self) -> Hour {
        Hour::of_ms(self.shared.clock.now_ms())
    }

    /// Looks at the disk, and writes the clock's mark: at once when an hour begins, because the low
    /// watermark waits for it.
    fn do_chores(&mut self) {
        let shared = self.shared.clone();
        match disk::free_bytes(&shared.config.dir) {
            Ok(free) => shared.disk_free.store(free, SeqCst),
            Err(e) => tracing::warn!("log: cannot ask for the free disk space: {e}"),
        }
        let used = shared.next_seq.load(SeqCst) & ID_MASK;
        if used > ID_MASK - (1 << 32) {
            fail("the seqs of this start are nearly used up");
        }
        let now_ms = shared.clock.now_ms();
        METRICS.clock_behind_seconds.set(shared.clock.behind_ms() as f64 / 1000.0);
        if now_ms - self.mark.ts_ms >= MARK_EVERY_MS || self.hour() > Hour::of_ms(self.mark.ts_ms) {
            self.write_mark();
        }
    }

    fn write_mark(&mut self) {
        let shared = &self.shared;
        let ts_ms = shared.clock.now_ms();
        let mark = Mark { ts_ms, batch: self.log.last_batch() };
        if let Err(e) = shared.pulse.watch(|| mark.write(&shared.config.dir)) {
            fail(format_args!(
                "cannot write the clock file in {}: {e}",
                shared.config.dir.display()
            ));
        }
        self.mark = mark;
        shared.ledger.marked(Hour::of_ms(ts_ms));
    }
}
