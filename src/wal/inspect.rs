//! Looks at a log without touching it, also while a daemon writes it: what `wal inspect` and
//! `wal verify` print.

use std::fmt;
use std::io;
use std::path::Path;

use serde::Serialize;

use crate::event::row::{RECORD_HEAD_BYTES, columns};
use crate::wal::WalError;
use crate::wal::disk;
use crate::wal::identity::Node;
use crate::wal::repair::{list, segment_path};
use crate::wal::scan::{Entry, Judge, Scan, Tail, scan};

/// One segment file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SegmentReport {
    /// Its file name.
    pub file: String,
    /// Start of the hour of its events, in seconds since the Unix epoch; nothing if it has none.
    pub hour_s: Option<u32>,
    pub entries: u64,
    pub records: u64,
    /// Of its entries.
    pub bytes: u64,
    /// Damaged byte ranges, missing entries, and records that do not add up.
    pub damage: u64,
    /// The file ends in an entry that is not whole: being written, cut short, or damaged.
    pub torn: bool,
}

/// All segments together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub segments: u64,
    pub entries: u64,
    pub records: u64,
    pub bytes: u64,
    pub damage: u64,
    pub torn: u64,
    /// Files kept for reuse.
    pub recycled: u64,
    /// Files in `quarantine/`.
    pub quarantined: u64,
}

/// What is in a log directory. Prints as a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    pub segments: Vec<SegmentReport>,
    pub summary: Summary,
}

impl Report {
    /// Whether nothing is damaged or missing.
    pub fn is_sound(&self) -> bool {
        self.summary.damage == 0
    }
}

/// Reads a log directory and tells what is in it.
///
/// # Errors
/// The directory or a file in it cannot be read.
pub fn inspect(dir: &Path) -> Result<Report, WalError> {
    read(dir).map_err(|source| WalError::Io { dir: dir.to_owned(), what: "read it", source })
}

/// As [`inspect`], for a log that is at rest: a torn entry counts as damage, too.
///
/// # Errors
/// The directory or a file in it cannot be read.
pub fn verify(dir: &Path) -> Result<Report, WalError> {
    let mut report = inspect(dir)?;
    report.summary.damage += report.summary.torn;
    Ok(report)
}

fn read(dir: &Path) -> io::Result<Report> {
    let judge = match Node::read(dir) {
        Ok(Some(node)) => Judge::Secret(node.secret),
        Ok(None) => Judge::FirstSeen,
        Err(e) if e.kind() == io::ErrorKind::InvalidData => Judge::FirstSeen,
        Err(e) => return Err(e),
    };
    let listing = list(dir)?;
    let mut report = Report::default();
    let mut expected = None;
    for id in listing.live {
        // A running daemon may have drained it meanwhile.
        let Some(bytes) = disk::read(&segment_path(dir, id))? else { continue };
        let found = scan(&bytes, id, &judge);
        let gap = expected.map_or(0, |expected| id.saturating_sub(expected));
        expected = Some(found.last().map_or(id, |last| last.id + 1));
        let segment = describe(id, &found, &bytes, gap);
        report.summary.add(&segment);
        report.segments.push(segment);
    }
    report.summary.recycled = listing.recycled.len() as u64;
    report.summary.quarantined = match std::fs::read_dir(dir.join("quarantine")) {
        Ok(files) => files.count() as u64,
        Err(_) => 0,
    };
    Ok(report)
}

fn describe(id: u64, found: &Scan, bytes: &[u8], gap: u64) -> SegmentReport {
    let entries = || found.runs.iter().flatten();
    let odd = entries().filter(|entry| !adds_up(entry, bytes)).count();
    let headless = !found.headed && found.damage.is_empty() && found.written > 0;
    let ranges = found.damage.len() + odd + usize::from(headless);
    SegmentReport {
        file: format!("wal-{id}"),
        hour_s: found.first().map(|first| first.header.hour.start_s()),
        entries: entries().count() as u64,
        records: entries().map(|entry| u64::from(entry.header.count)).sum(),
        bytes: entries().map(|entry| (entry.until - entry.from) as u64).sum(),
        damage: ranges as u64 + found.missing(id) + gap,
        torn: found.tail == Tail::Torn,
    }
}

/// Whether an entry's records fill it, are as many as it says, and are of versions we know.
fn adds_up(entry: &Entry, bytes: &[u8]) -> bool {
    let mut rest = entry.records(bytes);
    let mut count = 0;
    while let Some((head, behind)) = rest.split_first_chunk::<RECORD_HEAD_BYTES>() {
        let version = u16::from_le_bytes([head[0], head[1]]);
        let length = u32::from_le_bytes([head[2], head[3], head[4], head[5]]) as usize;
        let Some(next) = behind.get(length..).filter(|_| columns(version).is_some()) else {
            return false;
        };
        rest = next;
        count += 1;
    }
    rest.is_empty() && count == entry.header.count
}

impl Summary {
    fn add(&mut self, segment: &SegmentReport) {
        self.segments += 1;
        self.entries += segment.entries;
        self.records += segment.records;
        self.bytes += segment.bytes;
        self.damage += segment.damage;
        self.torn += u64::from(segment.torn);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<16} {:<22} {:>8} {:>10} {:>12}  state",
            "file", "hour", "entries", "records", "bytes"
        )?;
        for s in &self.segments {
            let hour = s.hour_s.and_then(|at| jiff::Timestamp::from_second(i64::from(at)).ok());
            let hour = hour.map_or("-".to_owned(), |at| at.to_string());
            let state = match (s.damage, s.torn) {
                (0, false) => "sound".to_owned(),
                (0, true) => "ends in an unfinished entry".to_owned(),
                (count, _) => format!("damaged ({count})"),
            };
            let (entries, records, bytes) = (s.entries, s.records, s.bytes);
            writeln!(
                f,
                "{:<16} {hour:<22} {entries:>8} {records:>10} {bytes:>12}  {state}",
                s.file
            )?;
        }
        let s = &self.summary;
        write!(
            f,
            "{} segments, {} entries, {} records, {} bytes; {} damaged, {} unfinished; {} files for \
             reuse, {} in quarantine",
            s.segments, s.entries, s.records, s.bytes, s.damage, s.torn, s.recycled, s.quarantined
        )
    }
}
