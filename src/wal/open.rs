//! Opening and closing, in the one order that is safe.

use std::io;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use okaywal::{Configuration, WriteAheadLog};

use crate::clock::Clock;
use crate::hours::Hour;
use crate::limits::CONNECTIONS_MAX;
use crate::wal::disk::{self, Ballast};
use crate::wal::drained::{Drain, Stop};
use crate::wal::entry::{BOOT_SHIFT, nonce};
use crate::wal::identity::{Mark, Node};
use crate::wal::ledger::Ledger;
use crate::wal::log::Log;
use crate::wal::repair::{Found, Past, repair};
use crate::wal::scan::Judge;
use crate::wal::watchdog::{self, Pulse};
use crate::wal::writer::{Shared, Writer};
use crate::wal::{BootReport, Sink, WalConfig, WalError};

/// File descriptors for all else: the database, pages, the engine.
const OTHER_FILES: u64 = 256;

/// What the public handles share.
pub(super) struct Handle {
    pub(super) shared: Arc<Shared>,
    threads: Mutex<Option<(JoinHandle<()>, JoinHandle<()>)>>,
}

impl Handle {
    pub(super) fn close(&self) {
        self.shared.close();
        let threads = self.threads.lock().expect("no holder panics").take();
        if let Some((writer, watchdog)) = threads {
            writer.join().expect("a panic of the writer ends the process");
            watchdog.thread().unpark();
            watchdog.join().expect("the watchdog does not panic");
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

pub(super) fn open(
    config: WalConfig,
    clock: Clock,
    sink: Box<dyn Sink>,
) -> Result<(Handle, BootReport), WalError> {
    let dir = config.dir.clone();
    let failed = |what: &'static str| {
        let dir = dir.clone();
        move |source: io::Error| WalError::Io { dir, what, source }
    };
    disk::make_private(&dir).map_err(failed("make the directory private"))?;
    let lock = disk::lock(&dir).map_err(failed("take the lock"))?;
    let lock = Arc::new(lock.ok_or_else(|| WalError::Locked(dir.clone()))?);
    let (mut node, known) = match Node::read(&dir) {
        Ok(Some(node)) => (node, true),
        Ok(None) => (Node::new(), false),
        Err(e) if e.kind() == io::ErrorKind::InvalidData => return Err(WalError::Identity(dir)),
        Err(source) => return Err(failed("read the node file")(source)),
    };
    let ballast = Ballast::for_segments_of(preallocate_bytes(&config));
    ballast.drop_if_needed(&dir).map_err(failed("ask for the free disk space"))?;

    let mark = Mark::read(&dir).map_err(failed("read the clock file"))?;
    let judge = if known { Judge::Secret(node.secret) } else { Judge::FirstSeen };
    let past = Past { judge, boot: node.boot, mark };
    let mut report = BootReport::default();
    let found = repair(&dir, &past, &mut report).map_err(failed("repair the segments"))?;

    node.boot += 1;
    node.write(&dir).map_err(failed("write the node file"))?;
    let mark = start_clock(&clock, &past, &found, node.boot);
    mark.write(&dir).map_err(failed("write the clock file"))?;
    total(&found, &node, &mut report);

    ballast.take_if_possible(&dir).map_err(failed("set disk space aside"))?;
    let disk_free = disk::free_bytes(&dir).map_err(failed("ask for the free disk space"))?;
    let ledger = Arc::new(Ledger::new(Hour::of_ms(mark.ts_ms)));
    found.iter().for_each(|segment| ledger.recovered(segment.last_id, segment.holding));
    let stop = Arc::new(Stop::default());
    let drain =
        Drain { sink: Mutex::new(sink), ledger: ledger.clone(), stop: stop.clone(), _lock: lock };
    let wal = open_okaywal(&config, drain, !found.is_empty());
    let wal = wal.map_err(failed("open the segments"))?;

    let log = Log::new(wal, dir.clone(), ledger.clone(), node.boot, nonce(&node.secret, node.boot));
    let identity = (node.id, node.boot << BOOT_SHIFT);
    let segments_max = segments_max(&config);
    let settings = (config, clock);
    let shared = Shared::new(settings, identity, (ledger, stop), segments_max, disk_free);
    let shared = Arc::new(shared);
    start(shared, log, mark).map_err(failed("start its threads")).map(|handle| (handle, report))
}

/// Raises the clock to what was handed out before, and says from where it goes on.
fn start_clock(clock: &Clock, past: &Past, found: &[Found], boot: u64) -> Mark {
    let newest_ms = found.iter().map(|segment| segment.newest_ms).max().unwrap_or(0);
    clock.observe(newest_ms.max(past.mark.ts_ms));
    Mark { ts_ms: clock.now_ms(), batch: boot << BOOT_SHIFT }
}

fn total(found: &[Found], node: &Node, report: &mut BootReport) {
    (report.node, report.boot) = (node.id, node.boot);
    for segment in found {
        report.segments += 1;
        report.entries += segment.entries;
        report.events += segment.holding.count;
        report.bytes += segment.holding.bytes;
        report.newest_ms = report.newest_ms.max(segment.newest_ms);
    }
}

/// A little more than a segment may hold, so that its last batch does not have to grow the file.
fn preallocate_bytes(config: &WalConfig) -> u64 {
    (config.segment_bytes + config.segment_bytes / 15) as u64
}

fn open_okaywal(config: &WalConfig, drain: Drain, recovered: bool) -> io::Result<WriteAheadLog> {
    let preallocate = u32::try_from(preallocate_bytes(config)).unwrap_or(u32::MAX);
    let wal = Configuration::default_for(&config.dir)
        .preallocate_bytes(preallocate)
        .checkpoint_after_bytes(u64::MAX)
        .open(drain)?;
    // The newest recovered segment is active again; it must not grow, or its identity would change.
    if recovered {
        wal.checkpoint_active()?;
    }
    disk::sync_dir(&config.dir)?;
    Ok(wal)
}

/// Sealed segments that file descriptors allow, besides connections.
fn segments_max(config: &WalConfig) -> u64 {
    let others = CONNECTIONS_MAX as u64 + OTHER_FILES;
    let wanted = config.bytes_max / config.segment_bytes.max(1) as u64 + others + OTHER_FILES;
    let allowed = disk::raise_open_files(wanted);
    allowed.saturating_sub(others).max(allowed / 4)
}

fn start(shared: Arc<Shared>, log: Log, mark: Mark) -> io::Result<Handle> {
    let pulse: Arc<Pulse> = shared.pulse.clone();
    let stop = shared.stop.clone();
    let watchdog = watchdog::watch(pulse, shared.config.stall, move || stop.writer_ended())?;
    let writer = Writer { shared: shared.clone(), log, mark };
    let thread = std::thread::Builder::new().name("wal-writer".into());
    let writer = thread.spawn(move || writer.run())?;
    Ok(Handle { shared, threads: Mutex::new(Some((writer, watchdog))) })
}
