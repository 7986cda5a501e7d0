//! A log in a directory of its own, a sink that can be held, and events whose text is chosen.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::clock::Clock;
use crate::event::row::{RECORD_HEAD_BYTES, Rows};
use crate::event::{Bot, Device, Event, Place, Stamp, Traffic, VisitorId};
use crate::hours::{HOUR_MS, Zone};
use crate::tenant::SiteId;
use crate::wal::identity::Node;
use crate::wal::scan::{Judge, Scan, scan};
use crate::wal::{
    Admission, AppendError, BootReport, Durable, Segment, Sink, Unavailable, Wal, WalConfig,
    WalError, disk, repair,
};

/// The hour in which every test begins.
pub(super) const START_MS: i64 = 491_000 * HOUR_MS + 1_000;

/// Waits for a condition, or fails the test.
pub(super) fn wait_for(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition() {
        assert!(Instant::now() < deadline, "waited too long for: {what}");
        std::thread::yield_now();
        std::thread::park_timeout(Duration::from_millis(1));
    }
}

/// A sink that keeps what it gets, and can be held and stopped.
#[derive(Clone, Default)]
pub(super) struct Store(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    segments: Vec<Segment>,
    held: bool,
    stopped: bool,
}

impl Sink for Store {
    fn segment(&mut self, segment: &Segment) -> ControlFlow<()> {
        let mut state = self.0.0.lock().unwrap();
        while state.held && !state.stopped {
            state = self.0.1.wait(state).unwrap();
        }
        if state.stopped {
            return ControlFlow::Break(());
        }
        assert_eq!(stamps(segment).len(), segment.count as usize, "records add up");
        state.segments.push(segment.clone());
        ControlFlow::Continue(())
    }
}

impl Store {
    pub(super) fn hold(&self) {
        self.set(|state| state.held = true);
    }

    pub(super) fn let_go(&self) {
        self.set(|state| state.held = false);
    }

    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    pub(super) fn segments(&self) -> Vec<Segment> {
        self.0.0.lock().unwrap().segments.clone()
    }

    /// The seqs of everything stored, in the order it came.
    pub(super) fn seqs(&self) -> Vec<u64> {
        self.segments().iter().flat_map(stamps).map(|stamp| stamp.seq).collect()
    }
}

/// The stamps inside a segment's records.
pub(super) fn stamps(segment: &Segment) -> Vec<Stamp> {
    let mut rest = &segment.records[..];
    let mut stamps = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[2..6].try_into().unwrap()) as usize;
        let row = &rest[RECORD_HEAD_BYTES..RECORD_HEAD_BYTES + length];
        stamps.push(Stamp {
            ts_ms: i64::from_le_bytes(row[4..12].try_into().unwrap()),
            node: u32::from_le_bytes(row[18..22].try_into().unwrap()),
            seq: u64::from_le_bytes(row[22..30].try_into().unwrap()),
        });
        rest = &rest[RECORD_HEAD_BYTES + length..];
    }
    stamps
}

/// Encodes `count` events with this text as their path.
pub(super) fn rows(admission: &Admission, count: u32, text: &str) -> Rows {
    let mut rows = Rows::default();
    for i in 0..count {
        let stamp = admission.stamp(i);
        rows.push(&Event {
            site: SiteId(1),
            stamp,
            local: Zone::utc().local(stamp.ts_ms),
            visitor: VisitorId([3; 16]),
            name: "pageview",
            interactive: true,
            hostname: "example.org",
            pathname: text,
            traffic: Traffic::default(),
            place: Place::default(),
            device: Device::default(),
            engaged_ms: 0,
            scroll: 0,
            revenue: None,
            props: &[],
            bot: Bot::No,
            expires_day: 0,
        });
    }
    rows
}

/// Runs a future to its end on this thread.
pub(super) fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Opens a log; the last owner's drain thread may need a moment to let go of the lock.
pub(super) fn open(
    config: &WalConfig,
    clock: &Clock,
    sink: impl Sink + Clone,
) -> (Wal, BootReport) {
    let mut opened = None;
    wait_for("the lock", || {
        match Wal::open(config.clone(), clock.clone(), sink.clone()) {
            Ok(pair) => opened = Some(pair),
            Err(WalError::Locked(_)) => {}
            Err(e) => panic!("{e}"),
        }
        opened.is_some()
    });
    opened.unwrap()
}

/// A log under test.
pub(super) struct Rig {
    pub(super) home: TempDir,
    pub(super) config: WalConfig,
    pub(super) clock: Clock,
    pub(super) store: Store,
    pub(super) report: BootReport,
    wal: Option<Wal>,
}

impl Rig {
    /// Small segments, no waiting.
    pub(super) fn config(dir: &Path) -> WalConfig {
        WalConfig {
            sync_interval: Duration::from_millis(1),
            disk_free_bytes_min: 0,
            segment_bytes: 4096,
            segment_age: Duration::from_secs(3600),
            ..WalConfig::new(dir)
        }
    }

    pub(super) fn new() -> Rig {
        Rig::with(|_| ())
    }

    pub(super) fn with(change: impl FnOnce(&mut WalConfig)) -> Rig {
        let home = tempfile::tempdir().unwrap();
        let mut config = Rig::config(&home.path().join("wal"));
        change(&mut config);
        let clock = Clock::manual(START_MS);
        let store = Store::default();
        let (wal, report) = open(&config, &clock, store.clone());
        Rig { home, config, clock, store, report, wal: Some(wal) }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.config.dir
    }

    pub(super) fn wal(&self) -> &Wal {
        self.wal.as_ref().unwrap()
    }

    /// Appends events and returns their seqs once they are durable.
    pub(super) fn append(&self, count: u32, text: &str) -> Vec<u64> {
        let admission = self.wal().admit(count).unwrap();
        let seqs = (0..count).map(|i| admission.stamp(i).seq).collect();
        self.append_admitted(admission, count, text).unwrap();
        seqs
    }

    pub(super) fn append_admitted(
        &self,
        admission: Admission,
        count: u32,
        text: &str,
    ) -> Result<Durable, AppendError> {
        let rows = rows(&admission, count, text);
        block_on(self.wal().append(admission, rows))
    }

    /// Closes the log and waits until nothing touches the directory any more.
    pub(super) fn close(&mut self) {
        let Some(wal) = self.wal.take() else { return };
        wal.close();
        self.store.set(|state| state.stopped = true);
        let mut lock = None;
        wait_for("the lock", || {
            lock = disk::lock(&self.config.dir).unwrap();
            lock.is_some()
        });
        self.store.set(|state| state.stopped = false);
    }

    /// Closes, and opens again.
    pub(super) fn reopen(&mut self) {
        self.close();
        let (wal, report) = open(&self.config, &self.clock, self.store.clone());
        (self.wal, self.report) = (Some(wal), report);
    }

    /// Opens again with the drain running, and waits until all that was sealed is stored.
    pub(super) fn drain(&mut self) {
        self.store.let_go();
        self.reopen();
        let ledger = &self.wal().shared().ledger;
        wait_for("the drain", || ledger.segments() == 0);
    }

    pub(super) fn refusal(&self) -> Option<Unavailable> {
        self.wal().accepting().err()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        self.close();
    }
}

pub(super) fn judge(dir: &Path) -> Judge {
    Node::read(dir).unwrap().map_or(Judge::FirstSeen, |node| Judge::Secret(node.secret))
}

/// The live segments of a closed log, as the repair would see them.
pub(super) fn scans(dir: &Path) -> Vec<(u64, Scan)> {
    let judge = judge(dir);
    let live = repair::list(dir).unwrap().live;
    let read = |id| std::fs::read(repair::segment_path(dir, id)).unwrap();
    live.into_iter().map(|id| (id, scan(&read(id), id, &judge))).collect()
}

/// Copies a directory's files (not its directories).
pub(super) fn copy(from: &Path, into: &Path) {
    std::fs::create_dir_all(into).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), into.join(file.file_name())).unwrap();
        }
    }
}
