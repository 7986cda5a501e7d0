//! Reads one segment file as strictly as it can be read: what is in it beyond doubt, what is damaged,
//! and how it ends. Used by the repair at boot and by `wal inspect`; it never writes.

use std::ops::Range;

use crate::wal::entry::{
    CHUNK, END_OF_ENTRY, FILE_HEAD, HEADER_AT, HEADER_BYTES, Header, MAGIC, NEW_ENTRY, nonce,
};

/// Whether a nonce is ours.
pub(super) enum Judge {
    /// It must be the one of the entry's boot.
    Secret([u8; 32]),
    /// The node file is lost: the first entry of each file is believed, the rest must agree with it.
    FirstSeen,
}

impl Judge {
    fn accepts(&self, header: &Header) -> bool {
        match self {
            Judge::Secret(secret) => header.nonce == nonce(secret, header.boot()),
            Judge::FirstSeen => true,
        }
    }
}

/// One whole entry.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// okaywal's entry id.
    pub(super) id: u64,
    /// Offset of its first byte in the file.
    pub(super) from: usize,
    /// Offset behind its last byte.
    pub(super) until: usize,
    pub(super) header: Header,
}

impl Entry {
    /// Its records, in the bytes of its file.
    pub(super) fn records<'a>(&self, file: &'a [u8]) -> &'a [u8] {
        let from = self.from + HEADER_AT + HEADER_BYTES + 4 + 1 + 4;
        &file[from..from + self.header.length as usize]
    }
}

/// Entries that follow each other without a gap.
pub(super) type Run = Vec<Entry>;

/// What stands behind the last whole entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing, or zeros.
    Clean,
    /// An entry that was begun: a write cut short, or a damaged last entry.
    Torn,
    /// Something else: what a recycled file held before.
    Stale,
}

/// A segment file, read.
#[derive(Debug)]
pub(super) struct Scan {
    /// The file's own head is right.
    pub(super) headed: bool,
    /// In a healthy file, at most one.
    pub(super) runs: Vec<Run>,
    /// Byte ranges with whole entries behind them, that hold none themselves.
    pub(super) damage: Vec<Range<usize>>,
    pub(super) tail: Tail,
    /// Where the tail begins.
    pub(super) end: usize,
    /// Bytes of the file up to its last one that is not zero.
    pub(super) written: usize,
}

impl Scan {
    pub(super) fn first(&self) -> Option<&Entry> {
        self.runs.first().and_then(|run| run.first())
    }

    pub(super) fn last(&self) -> Option<&Entry> {
        self.runs.last().and_then(|run| run.last())
    }

    /// Entries that stood before or between the whole ones and are gone.
    pub(super) fn missing(&self, file_id: u64) -> u64 {
        let mut next = file_id;
        let mut missing = 0;
        for entry in self.runs.iter().flatten() {
            missing += entry.id - next;
            next = entry.id + 1;
        }
        missing
    }
}

/// Reads the bytes of `wal-{file_id}`.
pub(super) fn scan(bytes: &[u8], file_id: u64, judge: &Judge) -> Scan {
    // The head ends in zeros of its own: it is looked for before the unwritten rest is cut off.
    let headed = bytes.starts_with(&FILE_HEAD);
    let head = if headed { FILE_HEAD.len() } else { 0 };
    let written = bytes.iter().rposition(|&b| b != 0).map_or(0, |at| at + 1).max(head);
    let bytes = &bytes[..written];
    let (runs, damage) = (Vec::new(), Vec::new());
    let mut scan = Scan { headed, runs, damage, tail: Tail::Clean, end: 0, written };
    let mut at = FILE_HEAD.len();
    let mut last: Option<Entry> = None;
    if !headed {
        // Without its head okaywal refuses the file, so what follows must move to a new one.
        let Some(found) = resync(bytes, 0, file_id, (None, judge)) else {
            scan.tail = if written == 0 { Tail::Clean } else { Tail::Stale };
            return scan;
        };
        scan.damage.push(0..found.from);
        at = found.from;
    }
    let mut run = Run::new();
    loop {
        if let Some(entry) =
            entry_at(bytes, at, judge).filter(|e| follows(e, last.as_ref(), file_id))
        {
            at = entry.until;
            last = Some(entry);
            run.push(entry);
            continue;
        }
        let Some(found) = resync(bytes, at, file_id, (last.as_ref(), judge)) else { break };
        if found.from > at {
            scan.damage.push(at..found.from);
        }
        if !run.is_empty() {
            scan.runs.push(std::mem::take(&mut run));
        }
        run.push(found);
        at = found.until;
        last = Some(found);
    }
    if !run.is_empty() {
        scan.runs.push(run);
    }
    scan.end = at;
    scan.tail = tail(bytes, at, last.map_or(file_id, |last| last.id + 1), judge);
    scan
}

/// Whether an entry is the one that must come next.
fn follows(entry: &Entry, last: Option<&Entry>, file_id: u64) -> bool {
    entry.id == last.map_or(file_id, |last| last.id + 1) && belongs(entry, last, file_id)
}

/// Whether an entry is of this file's present life: what a recycled file held before has lower ids.
fn belongs(entry: &Entry, last: Option<&Entry>, file_id: u64) -> bool {
    match last {
        None => entry.id >= file_id,
        Some(last) => {
            entry.id > last.id
                && entry.header.nonce == last.header.nonce
                && entry.header.hour == last.header.hour
        }
    }
}

/// Finds the next whole entry of this file at or behind `at`.
fn resync(
    bytes: &[u8],
    at: usize,
    file_id: u64,
    (last, judge): (Option<&Entry>, &Judge),
) -> Option<Entry> {
    let mut from = at + HEADER_AT;
    while let Some(found) = find(bytes.get(from..)?, &MAGIC) {
        let start = from + found - HEADER_AT;
        if let Some(entry) = entry_at(bytes, start, judge)
            && belongs(&entry, last, file_id)
        {
            return Some(entry);
        }
        from += found + 1;
    }
    None
}

fn find(bytes: &[u8], what: &[u8; 4]) -> Option<usize> {
    let mut from = 0;
    while let Some(at) = bytes[from..].iter().position(|&b| b == what[0]) {
        if bytes[from + at..].starts_with(what) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

/// A whole entry at an offset: framing, checksums and nonce are all right.
fn entry_at(bytes: &[u8], from: usize, judge: &Judge) -> Option<Entry> {
    let mut at = Cursor { bytes, at: from };
    at.expect(&[NEW_ENTRY])?;
    let id = u64::from_le_bytes(at.take(8)?.try_into().ok()?);
    let (header, stored) = at.chunk(HEADER_BYTES)?;
    if crc32c::crc32c(header) != stored {
        return None;
    }
    let header = Header::decode(header)?;
    if header.id() != id || !judge.accepts(&header) {
        return None;
    }
    let (body, stored) = at.chunk(header.length as usize)?;
    at.expect(&[END_OF_ENTRY])?;
    // Ours and the chunk's checksum are over the same bytes: one pass serves both.
    (stored == header.body_crc && crc32c::crc32c(body) == stored).then_some(Entry {
        id,
        from,
        until: at.at,
        header,
    })
}

fn tail(bytes: &[u8], at: usize, id: u64, judge: &Judge) -> Tail {
    let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) else { return Tail::Clean };
    let framed = 9.min(rest.len());
    let begun = rest[0] == NEW_ENTRY && rest[1..framed] == id.to_le_bytes()[..framed - 1];
    // A damaged last entry may have lost its framing, or its header, but hardly both.
    let header = rest.get(HEADER_AT..HEADER_AT + HEADER_BYTES).and_then(Header::decode);
    let ours = header.is_some_and(|header| header.id() >= id && judge.accepts(&header));
    if begun || ours { Tail::Torn } else { Tail::Stale }
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let until = self.at.checked_add(count)?;
        let taken = self.bytes.get(self.at..until)?;
        self.at = until;
        Some(taken)
    }

    fn expect(&mut self, what: &[u8]) -> Option<()> {
        (self.take(what.len())? == what).then_some(())
    }

    /// A chunk of this very length and its checksum, not yet compared.
    fn chunk(&mut self, length: usize) -> Option<(&'a [u8], u32)> {
        self.expect(&[CHUNK])?;
        self.expect(&u32::try_from(length).ok()?.to_le_bytes())?;
        let bytes = self.take(length)?;
        Some((bytes, u32::from_le_bytes(self.take(4)?.try_into().ok()?)))
    }
}
