//! okaywal behind its guards: whole batches in, durable on return, sealed when we say so.
//!
//! Guards here: our own header in front of each batch; one chunk a batch; no automatic rotation; an
//! empty segment is never sealed (okaywal would give two files one name); a segment is sealed only
//! after its last fsync, so the drain's thread never has to; the directory is synced before the
//! first batch of a file is acknowledged (okaywal forgets that for recycled files). After any error
//! the caller must end the process: okaywal's next call may hang.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use okaywal::{LogPosition, WriteAheadLog};

use crate::event::Stamp;
use crate::hours::Hour;
use crate::wal::disk;
use crate::wal::entry::{BOOT_SHIFT, ENTRY_OVERHEAD, Header, ID_MASK, Nonce};
use crate::wal::ledger::{Holding, Ledger};

/// What a batch says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    pub(super) hour: Hour,
    pub(super) count: u32,
    pub(super) first: Stamp,
    pub(super) last_seq: u64,
    pub(super) max_ts_ms: i64,
}

/// The log as its one writer holds it.
pub(super) struct Log {
    wal: WriteAheadLog,
    dir: PathBuf,
    ledger: Arc<Ledger>,
    boot: u64,
    nonce: Nonce,
    /// The file whose name is durable.
    named_file: u64,
    active: Option<Active>,
    last_id: u64,
}

/// The growing segment. It has at least one batch.
#[derive(Clone, Copy)]
pub(super) struct Active {
    pub(super) hour: Hour,
    pub(super) bytes: u64,
    pub(super) since: Instant,
}

impl Log {
    /// `wal` has been opened, and what was recovered is sealed.
    pub(super) fn new(
        wal: WriteAheadLog,
        dir: PathBuf,
        ledger: Arc<Ledger>,
        boot: u64,
        nonce: Nonce,
    ) -> Log {
        Log { wal, dir, ledger, boot, nonce, named_file: 0, active: None, last_id: 0 }
    }

    /// Appends a batch; durable on return. Seals first if the segment holds another hour.
    pub(super) fn write(&mut self, batch: &Batch, records: &[u8]) -> io::Result<()> {
        if self.active.is_some_and(|active| active.hour != batch.hour) {
            self.seal()?;
        }
        let mut entry = self.wal.begin_entry()?;
        let id = entry.id().0;
        assert!(id <= ID_MASK, "entry ids fit below the boot number");
        let header = Header {
            hour: batch.hour,
            nonce: self.nonce,
            batch: self.boot << BOOT_SHIFT | id,
            count: batch.count,
            length: u32::try_from(records.len()).expect("the queue is smaller than 4 GiB"),
            first: batch.first,
            last_seq: batch.last_seq,
            max_ts_ms: batch.max_ts_ms,
            body_crc: crc32c::crc32c(records),
        };
        let written = entry.write_chunk(&header.encode()).and_then(|at| {
            entry.write_chunk(records)?;
            Ok(at.position)
        });
        let position = match written {
            Ok(position) => position,
            Err(e) => {
                // Dropped, the entry would try to undo itself, and panic.
                std::mem::forget(entry);
                return Err(e);
            }
        };
        entry.commit()?;
        self.name_file(position)?;
        let bytes = (records.len() + ENTRY_OVERHEAD) as u64;
        let holding = Holding { hour: batch.hour, bytes, count: u64::from(batch.count) };
        self.ledger.committed(holding);
        let fresh = Active { hour: batch.hour, bytes: 0, since: Instant::now() };
        self.active.get_or_insert(fresh).bytes += bytes;
        self.last_id = id;
        Ok(())
    }

    /// Makes the name of a file durable before anything in it is acknowledged.
    fn name_file(&mut self, position: LogPosition) -> io::Result<()> {
        let mut bytes = [0; LogPosition::SERIALIZED_LENGTH as usize];
        position.serialize_to(&mut bytes[..])?;
        let file = u64::from_le_bytes(*bytes.first_chunk().expect("16 bytes hold a u64"));
        if file != self.named_file {
            disk::sync_dir(&self.dir)?;
            self.named_file = file;
        }
        Ok(())
    }

    /// Ends the growing segment, if there is one, and hands it to the drain's thread.
    pub(super) fn seal(&mut self) -> io::Result<()> {
        if self.active.take().is_none() {
            return Ok(());
        }
        // First the ledger: the drain may be done with it before the next line returns.
        self.ledger.sealed(self.last_id);
        self.wal.checkpoint_active()
    }

    /// The growing segment.
    pub(super) fn active(&self) -> Option<Active> {
        self.active
    }

    /// The last durable batch of this boot.
    pub(super) fn last_batch(&self) -> u64 {
        self.boot << BOOT_SHIFT | self.last_id
    }
}
