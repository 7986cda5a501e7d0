//! A stretch of a log, read into rows. Where it ends is decided by the lines alone, so that the same
//! stretch gives the same rows in the next run.

use std::collections::BTreeSet;
use std::io;

use super::blocks::Chunk as Rows;
use super::line::{self, Line};
use super::rule::{self, Skip};
use super::source::{Ending, Source};
use super::summary::Summary;
use crate::accounts::Site;
use crate::accounts::imports::Import;
use crate::event::Stamp;
use crate::hours::{DAY_MS, Day, Hour};
use crate::ingest::past::{Enricher, NotCounted, PastHit};

/// A chunk ends when its rows have so many bytes; far below what a block may hold.
const ROW_BYTES_MAX: usize = 24 << 20;

/// Where a chunk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bounds {
    /// After so many lines, or earlier if they are long.
    Lines(u64),
    /// At this byte: it was read before.
    Exactly(u64),
}

/// Why a chunk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    Full,
    End,
    /// At a line of the running hour.
    RunningHour,
    /// At a last line that is not whole yet.
    Unended,
}

/// What was read.
pub(super) struct Read {
    pub(super) from: u64,
    pub(super) first_line: u64,
    pub(super) next_line: u64,
    pub(super) rows: Rows,
    /// Site-local days with rows.
    pub(super) days: BTreeSet<Day>,
    pub(super) stop: Stop,
}

/// Reads chunks.
pub(super) struct Chunker<'a> {
    site: &'a Site,
    enricher: &'a Enricher,
    secret: [u8; 32],
    node: u32,
    now_ms: i64,
    next_line: u64,
    expires_day: u16,
    buffer: Vec<u8>,
    url: String,
}

/// What is done with a line.
enum Fate {
    Counted(Day),
    Skipped(Skip),
    /// The line and all after it are for a later run.
    Later,
}

impl<'a> Chunker<'a> {
    /// A chunker for the lines from `import.next_line` on.
    ///
    /// # Panics
    /// The import has no secret.
    pub(super) fn new(
        site: &'a Site,
        enricher: &'a Enricher,
        import: &Import,
        now_ms: i64,
    ) -> Chunker<'a> {
        Chunker {
            site,
            enricher,
            secret: import.secret.expect("the secret is made before the first chunk"),
            node: import.node(),
            now_ms,
            next_line: import.next_line,
            expires_day: Day::of_ms(now_ms).0.saturating_add(site.retention_days),
            buffer: Vec::new(),
            url: String::new(),
        }
    }

    /// Reads one chunk and counts its lines.
    pub(super) fn read(
        &mut self,
        source: &mut Source,
        bounds: Bounds,
        summary: &mut Summary,
    ) -> io::Result<Read> {
        let mut chunk = Read {
            from: source.position(),
            first_line: self.next_line,
            next_line: self.next_line,
            rows: Rows::default(),
            days: BTreeSet::new(),
            stop: Stop::Full,
        };
        match bounds {
            Bounds::Exactly(end) => source.end_at(end),
            Bounds::Lines(_) => source.end_nowhere(),
        }
        loop {
            let full = match bounds {
                Bounds::Exactly(end) => source.position() >= end,
                Bounds::Lines(most) => {
                    let lines = chunk.next_line - chunk.first_line;
                    lines >= most || chunk.rows.bytes() >= ROW_BYTES_MAX
                }
            };
            if full {
                return Ok(chunk);
            }
            if let Some(stop) = self.line(source, bounds, summary, &mut chunk)? {
                chunk.stop = stop;
                return Ok(chunk);
            }
        }
    }

    fn line(
        &mut self,
        source: &mut Source,
        bounds: Bounds,
        summary: &mut Summary,
        chunk: &mut Read,
    ) -> io::Result<Option<Stop>> {
        let mut buffer = std::mem::take(&mut self.buffer);
        let ending = source.line(&mut buffer)?;
        let text = buffer.trim_ascii_end();
        let parsed = match ending {
            Ending::Nothing => return Ok(Some(Stop::End)),
            Ending::Whole | Ending::Unended => line::parse(text),
            Ending::Long => None,
        };
        if parsed.is_none() && ending == Ending::Unended && matches!(bounds, Bounds::Lines(_)) {
            return Ok(Some(Stop::Unended));
        }
        let fate = match &parsed {
            Some(line) => self.fate(line, bounds, chunk),
            None => Fate::Skipped(Skip::Malformed),
        };
        match fate {
            Fate::Later => return Ok(Some(Stop::RunningHour)),
            Fate::Counted(day) => summary.count(day),
            // the line end of a last line that had none
            Fate::Skipped(_) if text.is_empty() && ending == Ending::Whole => summary.lines += 1,
            Fate::Skipped(reason) => summary.skip(reason, self.next_line),
        }
        if ending != Ending::Long {
            source.commit(&buffer);
        }
        self.buffer = buffer;
        self.next_line += 1;
        chunk.next_line = self.next_line;
        Ok(None)
    }

    fn fate(&mut self, line: &Line<'_>, bounds: Bounds, chunk: &mut Read) -> Fate {
        if Hour::of_ms(line.ts_ms) >= Hour::of_ms(self.now_ms) {
            // one wrong line must not hold up the rest for ever
            if line.ts_ms > self.now_ms + DAY_MS || matches!(bounds, Bounds::Exactly(_)) {
                return Fate::Skipped(Skip::Future);
            }
            return Fate::Later;
        }
        if let Some(reason) = rule::skip(line) {
            return Fate::Skipped(reason);
        }
        let host = self.site.domain.split('/').next().unwrap_or("");
        self.url.clear();
        self.url.extend(["https://", host, &line.target]);
        let hit = PastHit {
            address: line.address,
            agent: &line.agent,
            url: &self.url,
            referrer: &line.referrer,
            stamp: Stamp { ts_ms: line.ts_ms, node: self.node, seq: self.next_line },
            expires_day: self.expires_day,
            secret: &self.secret,
        };
        let mut day = Day(0);
        let read = self.enricher.read(self.site, &hit, |event| {
            day = event.local.day;
            chunk.rows.push(event);
        });
        match read {
            Ok(()) => {
                chunk.days.insert(day);
                Fate::Counted(day)
            }
            Err(NotCounted::Junk) => Fate::Skipped(Skip::Gate),
            Err(NotCounted::Bot) => Fate::Skipped(Skip::Bot),
            Err(NotCounted::Url) => Fate::Skipped(Skip::Malformed),
            Err(NotCounted::Excluded) => Fate::Skipped(Skip::Excluded),
        }
    }
}
