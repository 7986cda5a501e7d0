//! What okaywal asks of its owner: reading sealed segments for the drain, on okaywal's own thread.
//!
//! Guards here: every chunk is read to its end and its checksum asked for (okaywal would otherwise
//! skip too far); reading stops at the segment's last id (old entries follow in a recycled file);
//! okaywal never sees an error while anything may still be written (its thread would end silently).

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};

use bytes::Bytes;
use okaywal::{Entry, EntryId, LogManager, ReadChunkResult, SegmentReader, WriteAheadLog};

use crate::wal::entry::{Header, block_id};
use crate::wal::ledger::Ledger;
use crate::wal::watchdog::{FailOnPanic, fail};
use crate::wal::{Segment, Sink};

/// Tells okaywal's thread about the end of the writer.
#[derive(Default)]
pub(super) struct Stop {
    closing: AtomicBool,
    writer_gone: Mutex<bool>,
    gone: Condvar,
}

impl Stop {
    /// No further segment is delivered.
    pub(super) fn close(&self) {
        self.closing.store(true, SeqCst);
    }

    pub(super) fn closing(&self) -> bool {
        self.closing.load(SeqCst)
    }

    /// Nothing will be written any more.
    pub(super) fn writer_is_gone(&self) {
        *self.writer_gone.lock().expect("no holder panics") = true;
        self.gone.notify_all();
    }

    pub(super) fn writer_ended(&self) -> bool {
        *self.writer_gone.lock().expect("no holder panics")
    }

    fn wait_for_writer(&self) {
        let mut gone = self.writer_gone.lock().expect("no holder panics");
        while !*gone {
            gone = self.gone.wait(gone).expect("no holder panics");
        }
    }
}

/// Delivers sealed segments to the sink.
pub(super) struct Drain {
    pub(super) sink: Mutex<Box<dyn Sink>>,
    pub(super) ledger: Arc<Ledger>,
    pub(super) stop: Arc<Stop>,
    /// Held as long as this thread may touch the directory.
    pub(super) _lock: Arc<File>,
}

impl std::fmt::Debug for Drain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Drain")
    }
}

impl LogManager for Drain {
    fn recover(&mut self, entry: &mut Entry<'_>) -> io::Result<()> {
        // The repair has told all there is to know; the entry only has to be read to its end.
        entry.read_all_chunks().map(drop)
    }

    fn checkpoint_to(
        &mut self,
        last: EntryId,
        reader: &mut SegmentReader,
        _: &WriteAheadLog,
    ) -> io::Result<()> {
        let _guard = FailOnPanic("drain");
        if self.stop.closing() {
            return self.retire();
        }
        let segment = match read(last.0, reader) {
            Ok(segment) => segment,
            Err(e) => {
                fail(format_args!("cannot read the sealed segment up to entry {}: {e}", last.0))
            }
        };
        let sink = self.sink.get_mut().expect("only this thread uses it");
        match sink.segment(&segment) {
            ControlFlow::Continue(()) => {
                self.ledger.drained(last.0);
                Ok(())
            }
            ControlFlow::Break(()) => self.retire(),
        }
    }
}

impl Drain {
    /// Leaves the segment where it is. The error ends okaywal's thread, and every later seal would
    /// fail, so it waits until there will be none.
    fn retire(&self) -> io::Result<()> {
        self.stop.wait_for_writer();
        Err(io::Error::from(io::ErrorKind::Interrupted))
    }
}

/// Reads a sealed segment and checks it once more.
fn read(last_id: u64, reader: &mut SegmentReader) -> io::Result<Segment> {
    let mut records = Vec::new();
    let mut headers: Option<(Header, Header)> = None;
    let mut segment: Option<Segment> = None;
    loop {
        let mut entry = reader.read_entry()?.ok_or_else(|| bad("it ends early"))?;
        let id = entry.id().0;
        let header = read_entry(&mut entry, &mut records)?;
        let follows = headers.is_none_or(|(_, last)| {
            header.batch == last.batch + 1 && header.nonce == last.nonce && header.hour == last.hour
        });
        if header.id() != id || !follows {
            return Err(bad("an entry is not the one that must come next"));
        }
        headers = Some((headers.map_or(header, |(first, _)| first), header));
        let whole = segment.get_or_insert(Segment {
            id: block_id(&header, &header),
            hour: header.hour,
            first: header.first,
            last_seq: 0,
            max_ts_ms: 0,
            records: Bytes::new(),
            count: 0,
        });
        whole.count += header.count;
        whole.last_seq = whole.last_seq.max(header.last_seq);
        whole.max_ts_ms = whole.max_ts_ms.max(header.max_ts_ms);
        if id >= last_id {
            break;
        }
    }
    let (Some(mut segment), Some((first, last))) = (segment, headers) else {
        return Err(bad("it is empty"));
    };
    segment.id = block_id(&first, &last);
    segment.records = Bytes::from(records);
    Ok(segment)
}

/// Reads one entry to its end and appends its records.
fn read_entry(entry: &mut Entry<'_>, records: &mut Vec<u8>) -> io::Result<Header> {
    let mut head = Vec::new();
    read_chunk(entry, &mut head)?;
    let header = Header::decode(&head).ok_or_else(|| bad("a header is damaged"))?;
    let from = records.len();
    read_chunk(entry, records)?;
    let body = &records[from..];
    if body.len() != header.length as usize || crc32c::crc32c(body) != header.body_crc {
        return Err(bad("records are damaged"));
    }
    match entry.read_chunk()? {
        ReadChunkResult::EndOfEntry => Ok(header),
        _ => Err(bad("an entry has no end")),
    }
}

fn read_chunk(entry: &mut Entry<'_>, out: &mut Vec<u8>) -> io::Result<()> {
    let ReadChunkResult::Chunk(mut chunk) = entry.read_chunk()? else {
        return Err(bad("a chunk is missing"));
    };
    chunk.read_to_end(out)?;
    if chunk.check_crc()? { Ok(()) } else { Err(bad("a checksum is wrong")) }
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
