//! What is admitted, committed and not drained: the source of the backlog's size and of the low
//! watermark (I7).

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::SeqCst};

use crate::clock::Clock;
use crate::hours::Hour;
use crate::metrics::METRICS;

const LOCK: &str = "no holder of this lock panics";

/// A segment, or the growing one, that is not drained.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding {
    pub(super) hour: Hour,
    /// Bytes of its entries in the log.
    pub(super) bytes: u64,
    /// Its records.
    pub(super) count: u64,
}

#[derive(Default)]
struct Held {
    /// The segment that grows.
    active: Option<Holding>,
    /// Sealed ones, by the id of their last entry.
    sealed: BTreeMap<u64, Holding>,
}

/// Shared by requests, the writer and the drain's thread.
pub(super) struct Ledger {
    /// Events admitted and not yet committed or dropped, by the parity of their hour.
    in_flight: [AtomicU64; 2],
    /// Every admission of an hour before this one is over.
    settled: AtomicU32,
    /// The clock's mark on disk has reached this hour: no restart can hand out an earlier one.
    marked: AtomicU32,
    held: Mutex<Held>,
    bytes: AtomicU64,
    segments: AtomicU64,
}

impl Ledger {
    /// `marked` is the hour of the mark on disk. It is not later than the clock.
    pub(super) fn new(marked: Hour) -> Ledger {
        Ledger {
            in_flight: [AtomicU64::new(0), AtomicU64::new(0)],
            settled: AtomicU32::new(marked.0),
            marked: AtomicU32::new(marked.0),
            held: Mutex::default(),
            bytes: AtomicU64::new(0),
            segments: AtomicU64::new(0),
        }
    }

    /// Takes the time of an admission. Pair it with [`Ledger::leave`].
    ///
    /// The counter is raised first and the clock read again: only so is an admission that got a time
    /// of hour H visible to whoever saw the clock past H (see [`Ledger::low_watermark`]).
    pub(super) fn enter(&self, clock: &Clock) -> i64 {
        loop {
            let guess = Hour::of_ms(clock.now_ms());
            self.slot(guess).fetch_add(1, SeqCst);
            let ts_ms = clock.now_ms();
            if Hour::of_ms(ts_ms) == guess {
                return ts_ms;
            }
            self.slot(guess).fetch_sub(1, SeqCst);
        }
    }

    /// Ends an admission: its rows are in the log and [`Ledger::committed`], or will never be.
    pub(super) fn leave(&self, hour: Hour) {
        self.slot(hour).fetch_sub(1, SeqCst);
    }

    /// A batch is durable in the growing segment.
    pub(super) fn committed(&self, batch: Holding) {
        let mut held = self.held.lock().expect(LOCK);
        let active = held.active.get_or_insert(Holding { bytes: 0, count: 0, ..batch });
        assert_eq!(active.hour, batch.hour, "a segment holds one hour");
        active.bytes += batch.bytes;
        active.count += batch.count;
        drop(held);
        self.bytes.fetch_add(batch.bytes, SeqCst);
        METRICS.pending.add(batch.count as i64);
        METRICS.wal_bytes.add(batch.bytes as i64);
    }

    /// The growing segment is about to be sealed; its last entry has this id.
    pub(super) fn sealed(&self, last_id: u64) {
        let mut held = self.held.lock().expect(LOCK);
        let active = held.active.take().expect("an empty segment is never sealed");
        held.sealed.insert(last_id, active);
        drop(held);
        self.segments.fetch_add(1, SeqCst);
        METRICS.wal_segments.add(1);
    }

    /// A sealed segment found at boot.
    pub(super) fn recovered(&self, last_id: u64, segment: Holding) {
        self.committed(segment);
        self.sealed(last_id);
    }

    /// A sealed segment is stored elsewhere.
    pub(super) fn drained(&self, last_id: u64) {
        let gone = self.held.lock().expect(LOCK).sealed.remove(&last_id);
        let gone = gone.expect("a segment is drained once");
        self.bytes.fetch_sub(gone.bytes, SeqCst);
        self.segments.fetch_sub(1, SeqCst);
        METRICS.pending.sub(gone.count as i64);
        METRICS.wal_bytes.sub(gone.bytes as i64);
        METRICS.wal_segments.sub(1);
    }

    /// The clock's mark on disk has reached this hour.
    pub(super) fn marked(&self, hour: Hour) {
        self.marked.fetch_max(hour.0, SeqCst);
    }

    /// Bytes of entries not drained.
    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(SeqCst)
    }

    /// Sealed segments not drained.
    pub(super) fn segments(&self) -> u64 {
        self.segments.load(SeqCst)
    }

    /// The earliest hour that may still receive or hold events that are not drained.
    ///
    /// Why it is right. Let an admission have a time in hour H. It raised H's counter before it read
    /// that time. `settled` passes H only when the clock was first seen past H and then the counter
    /// seen at zero; the clock never goes back, so the admission's read of it came before ours, its
    /// raise before that, and the zero means that it has left. It leaves only after its rows are in
    /// `held` or given up, and `held` is read last: rows that are not drained are seen there. Hours
    /// two apart share a counter, which can only hold `settled` back. A restart starts at the mark on
    /// disk or later, so what is not behind the mark is not called done.
    pub(super) fn low_watermark(&self, clock: &Clock) -> Hour {
        let now = Hour::of_ms(clock.now_ms());
        let mut settled = self.settled.load(SeqCst);
        while settled < now.0 && self.slot(Hour(settled)).load(SeqCst) == 0 {
            settled = match self.settled.compare_exchange(settled, settled + 1, SeqCst, SeqCst) {
                Ok(_) => settled + 1,
                Err(other) => other,
            };
        }
        let marked = self.marked.load(SeqCst);
        let held = self.held.lock().expect(LOCK);
        let active = held.active.iter().map(|segment| segment.hour.0);
        let sealed = held.sealed.values().map(|segment| segment.hour.0);
        Hour(active.chain(sealed).fold(settled.min(marked), u32::min))
    }

    fn slot(&self, hour: Hour) -> &AtomicU64 {
        &self.in_flight[(hour.0 & 1) as usize]
    }
}
