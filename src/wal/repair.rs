//! Makes the directory fit for okaywal before it is opened: okaywal 0.3.1 refuses to start over, or
//! silently drops, nearly everything a crash or a bad sector can leave behind.
//!
//! Cut short: a torn tail. Removed: files without entries, recycled files. Copied to `quarantine/`
//! and counted: damage with whole entries behind it, and tails that no crash explains. Whole entries
//! behind damage move to a segment of their own, with their headers, so their identity stays. Every
//! step can be repeated, so a crash in the middle of a repair is repaired by the next.

use std::fs::OpenOptions;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::metrics::METRICS;
use crate::wal::BootReport;
use crate::wal::disk;
use crate::wal::entry::{BOOT_SHIFT, FILE_HEAD, ID_MASK};
use crate::wal::identity::Mark;
use crate::wal::ledger::Holding;
use crate::wal::scan::{Judge, Run, Scan, Tail, scan};

/// A segment that okaywal will find.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    /// okaywal's id of its last entry.
    pub(super) last_id: u64,
    pub(super) entries: u64,
    /// Latest time of an event in it.
    pub(super) newest_ms: i64,
    pub(super) holding: Holding,
}

/// What the last boot left, besides the files.
pub(super) struct Past {
    pub(super) judge: Judge,
    /// Its number. Segments of earlier boots were repaired at its start.
    pub(super) boot: u64,
    pub(super) mark: Mark,
}

/// The files of a log directory, by kind.
#[derive(Default)]
pub(super) struct Listing {
    /// `wal-N`, by rising N.
    pub(super) live: Vec<u64>,
    /// `wal-N-cp`: drained and kept for reuse.
    pub(super) recycled: Vec<u64>,
    /// Names okaywal would take for one of its own, and must not.
    foreign: Vec<PathBuf>,
    /// Files a crash kept from replacing others.
    scratch: Vec<PathBuf>,
}

/// Lists a log directory.
pub(super) fn list(dir: &Path) -> io::Result<Listing> {
    let mut listing = Listing::default();
    for file in std::fs::read_dir(dir)? {
        let file = file?;
        let name = file.file_name();
        if name.as_encoded_bytes().starts_with(b"new-") {
            listing.scratch.push(file.path());
        }
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix("wal-")) else { continue };
        let (number, kind) = match rest.strip_suffix("-cp") {
            Some(number) => (number, &mut listing.recycled),
            None => (rest, &mut listing.live),
        };
        match number.parse::<u64>() {
            Ok(id) if id > 0 && id.to_string() == number => kind.push(id),
            _ => listing.foreign.push(file.path()),
        }
    }
    listing.live.sort_unstable();
    listing.recycled.sort_unstable();
    Ok(listing)
}

/// The path of a live segment.
pub(super) fn segment_path(dir: &Path, id: u64) -> PathBuf {
    dir.join(format!("wal-{id}"))
}

/// Repairs the directory. On return all that is found in it is durable.
pub(super) fn repair(dir: &Path, past: &Past, report: &mut BootReport) -> io::Result<Vec<Found>> {
    let listing = list(dir)?;
    for path in &listing.scratch {
        disk::remove(path)?;
    }
    for path in &listing.foreign {
        let name = path.file_name().unwrap_or_default();
        std::fs::create_dir_all(dir.join("quarantine"))?;
        std::fs::rename(path, dir.join("quarantine").join(name))?;
        report.quarantined += 1;
    }
    let mut files = Vec::with_capacity(listing.live.len());
    for &id in &listing.live {
        files.push((id, scan(&std::fs::read(segment_path(dir, id))?, id, &past.judge)));
    }
    sort_recycled(dir, &listing.recycled, past, &mut files, report)?;
    files.sort_by_key(|(id, _)| *id);
    let mut found = Vec::new();
    for at in 0..files.len() {
        let (id, scan) = &files[at];
        let next = files.get(at + 1).map(|(id, _)| *id);
        let lost = lost_tail(*id, scan, next, past);
        Repair { dir, id: *id, scan, report }.settle(lost)?;
        found.extend(scan.runs.iter().filter_map(summary));
    }
    disk::sync_dir(dir)?;
    // A repair cut short by a crash has left a run both in its old file and in its own.
    found.sort_by_key(|segment| segment.last_id);
    found.dedup_by_key(|segment| segment.last_id);
    Ok(found)
}

/// Removes recycled files. One whose new name was lost in a power cut holds entries newer than any
/// live one; nobody was told that they are durable, but they are whole, so they are kept.
fn sort_recycled(
    dir: &Path,
    recycled: &[u64],
    past: &Past,
    files: &mut Vec<(u64, Scan)>,
    report: &mut BootReport,
) -> io::Result<()> {
    for &id in recycled {
        let path = dir.join(format!("wal-{id}-cp"));
        let bytes = std::fs::read(&path)?;
        let newest = files.iter().filter_map(|(_, scan)| scan.last()).map(|last| last.id).max();
        let newest = newest.unwrap_or(0).max(id);
        let first = bytes.get(FILE_HEAD.len() + 1..FILE_HEAD.len() + 9);
        let first = first.and_then(|id| id.try_into().ok()).map_or(0, u64::from_le_bytes);
        let found = scan(&bytes, first, &past.judge);
        let newer = first > newest && first - newest < 1 << 32;
        if newer && found.first().is_some_and(|entry| entry.header.boot() == past.boot) {
            std::fs::rename(&path, segment_path(dir, first))?;
            files.push((first, found));
            report.rescued += 1;
        } else {
            disk::remove(&path)?;
            report.removed += 1;
        }
    }
    Ok(())
}

fn summary(run: &Run) -> Option<Found> {
    let last = run.last()?;
    let count = run.iter().map(|entry| u64::from(entry.header.count)).sum();
    let bytes = run.iter().map(|entry| (entry.until - entry.from) as u64).sum();
    let newest_ms = run.iter().map(|entry| entry.header.max_ts_ms).max()?;
    let holding = Holding { hour: last.header.hour, bytes, count };
    Some(Found { last_id: last.id, entries: run.len() as u64, newest_ms, holding })
}

struct Repair<'a> {
    dir: &'a Path,
    id: u64,
    scan: &'a Scan,
    report: &'a mut BootReport,
}

impl Repair<'_> {
    fn settle(&mut self, lost: Lost) -> io::Result<()> {
        let path = segment_path(self.dir, self.id);
        self.report.missing += lost.entries + self.scan.missing(self.id);
        let tail = self.scan.end..self.scan.written;
        let tail = (lost.tail && !tail.is_empty()).then_some(tail);
        let damage: Vec<_> = self.scan.damage.iter().cloned().chain(tail).collect();
        if !damage.is_empty() {
            self.quarantine(&path, &damage)?;
        }
        if self.scan.tail == Tail::Torn && !lost.tail {
            self.report.torn += 1;
        }
        // The file may go on under its name if its head and its first entry are where they belong.
        let first = self.scan.first().filter(|first| first.id == self.id);
        let sound = self.scan.headed && first.is_some_and(|first| first.from == FILE_HEAD.len());
        for run in self.scan.runs.iter().skip(usize::from(sound)) {
            self.move_out(&path, run)?;
        }
        if sound {
            let end = self.scan.runs[0].last().map_or(0, |last| last.until);
            return self.cut(&path, end);
        }
        self.report.removed += u64::from(first.is_none());
        if first.is_none() { disk::remove(&path) } else { Ok(()) }
    }

    fn cut(&self, path: &Path, end: usize) -> io::Result<()> {
        let file = OpenOptions::new().write(true).open(path)?;
        if self.scan.written > end {
            file.set_len(end as u64)?;
        }
        file.sync_all()
    }

    fn quarantine(&mut self, path: &Path, damage: &[Range<usize>]) -> io::Result<()> {
        let aside = self.dir.join("quarantine");
        disk::make_private(&aside)?;
        let bytes = std::fs::read(path)?;
        for range in damage {
            let name = format!("wal-{}-at-{}", self.id, range.start);
            disk::replace(&aside, &name, &bytes[range.clone()])?;
            self.report.quarantined += 1;
            METRICS.wal_quarantined.inc();
        }
        Ok(())
    }

    /// Gives entries behind damage a segment of their own, named after the first of them. If that is
    /// this file's own name, only its head was bad, and the new file takes its place.
    fn move_out(&self, path: &Path, run: &Run) -> io::Result<()> {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(()) };
        let bytes = std::fs::read(path)?;
        let mut segment = FILE_HEAD.to_vec();
        segment.extend_from_slice(&bytes[first.from..last.until]);
        disk::replace(self.dir, &format!("wal-{}", first.id), &segment)
    }
}

struct Lost {
    /// Entries that were durable and are not there.
    entries: u64,
    /// The tail is damage, not the trace of a crash.
    tail: bool,
}

/// What a segment has lost at its end. A segment's last id is known from its successor's name, or at
/// least from the mark; and no crash leaves a tail on a segment that an earlier start has repaired.
fn lost_tail(file_id: u64, scan: &Scan, next: Option<u64>, past: &Past) -> Lost {
    let marked = (past.mark.batch >> BOOT_SHIFT == past.boot).then_some(past.mark.batch & ID_MASK);
    let from = scan.last().map_or(file_id, |last| last.id + 1);
    let until = next.or(marked.map(|id| id + 1)).unwrap_or(from);
    let entries = until.saturating_sub(from);
    let repaired = scan.last().is_some_and(|last| last.header.boot() < past.boot);
    Lost { entries, tail: scan.tail != Tail::Clean && (entries > 0 || repaired) }
}
