//! What stands in front of each batch in the log: our own header, because okaywal's checksums cover
//! neither its framing nor its ids.
//!
//! ```text
//! file   = "okw" 00 00 | entry*
//! entry  = 01 | id u64 | chunk(header) | chunk(records) | 03
//! chunk  = 02 | length u32 | bytes | crc32c(bytes)
//! header = magic 4 | hour u32 | nonce 16 | batch u64 | count u32 | length u32
//!        | first ts i64 | node u32 | first seq u64 | last seq u64 | max ts i64
//!        | crc32c(records) | crc32c(header)                          all little endian
//! ```
//! `nonce` is derived from a secret and the boot number in `batch`, so bytes inside a record can
//! never pass for an entry, and an entry left over in a recycled file never passes for a new one.

use crate::event::Stamp;
use crate::hours::Hour;
use crate::wal::BlockId;

/// What an empty segment file starts with.
pub(super) const FILE_HEAD: [u8; 5] = *b"okw\0\0";
pub(super) const NEW_ENTRY: u8 = 1;
pub(super) const CHUNK: u8 = 2;
pub(super) const END_OF_ENTRY: u8 = 3;
/// From an entry's first byte to the first byte of our header.
pub(super) const HEADER_AT: usize = 1 + 8 + 1 + 4;
/// Bytes of our header.
pub(super) const HEADER_BYTES: usize = 84;
/// Bytes of an entry besides its records.
pub(super) const ENTRY_OVERHEAD: usize = HEADER_AT + HEADER_BYTES + 4 + 1 + 4 + 4 + 1;

/// Not text, so it stands in no string of a record; the last byte is the format's version.
pub(super) const MAGIC: [u8; 4] = [0xF7, b'T', b'H', 1];

/// The boot number stands above the batch number, and above the counter of a seq.
pub(super) const BOOT_SHIFT: u32 = 40;
pub(super) const ID_MASK: u64 = (1 << BOOT_SHIFT) - 1;

/// Proves that an entry was written by this node in a given boot.
pub(super) type Nonce = [u8; 16];

/// The nonce of a boot.
pub(super) fn nonce(secret: &[u8; 32], boot: u64) -> Nonce {
    let hash = blake3::keyed_hash(secret, &boot.to_le_bytes());
    let mut nonce = [0; 16];
    nonce.copy_from_slice(&hash.as_bytes()[..16]);
    nonce
}

/// The header of one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) hour: Hour,
    pub(super) nonce: Nonce,
    /// Boot number, and below [`BOOT_SHIFT`] the entry's id again, where a checksum covers it. Ids
    /// rise by one from entry to entry, through segments and restarts.
    pub(super) batch: u64,
    /// Records in the body.
    pub(super) count: u32,
    /// Bytes of the body.
    pub(super) length: u32,
    pub(super) first: Stamp,
    /// Highest seq in the body.
    pub(super) last_seq: u64,
    pub(super) max_ts_ms: i64,
    pub(super) body_crc: u32,
}

impl Header {
    /// The boot that wrote it.
    pub(super) fn boot(&self) -> u64 {
        self.batch >> BOOT_SHIFT
    }

    /// The id its entry must have.
    pub(super) fn id(&self) -> u64 {
        self.batch & ID_MASK
    }

    pub(super) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.hour.0.to_le_bytes());
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&self.batch.to_le_bytes());
        out.extend_from_slice(&self.count.to_le_bytes());
        out.extend_from_slice(&self.length.to_le_bytes());
        out.extend_from_slice(&self.first.ts_ms.to_le_bytes());
        out.extend_from_slice(&self.first.node.to_le_bytes());
        out.extend_from_slice(&self.first.seq.to_le_bytes());
        out.extend_from_slice(&self.last_seq.to_le_bytes());
        out.extend_from_slice(&self.max_ts_ms.to_le_bytes());
        out.extend_from_slice(&self.body_crc.to_le_bytes());
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out.try_into().expect("the fields add up to the header's size")
    }

    /// Reads a header, or nothing if these are not the bytes of one.
    pub(super) fn decode(bytes: &[u8]) -> Option<Header> {
        if bytes.len() != HEADER_BYTES || bytes[..4] != MAGIC {
            return None;
        }
        let (fields, crc) = bytes.split_at(HEADER_BYTES - 4);
        if crc32c::crc32c(fields).to_le_bytes() != *crc {
            return None;
        }
        let mut at = Fields(&fields[4..]);
        Some(Header {
            hour: Hour(u32::from_le_bytes(at.take())),
            nonce: at.take(),
            batch: u64::from_le_bytes(at.take()),
            count: u32::from_le_bytes(at.take()),
            length: u32::from_le_bytes(at.take()),
            first: Stamp {
                ts_ms: i64::from_le_bytes(at.take()),
                node: u32::from_le_bytes(at.take()),
                seq: u64::from_le_bytes(at.take()),
            },
            last_seq: u64::from_le_bytes(at.take()),
            max_ts_ms: i64::from_le_bytes(at.take()),
            body_crc: u32::from_le_bytes(at.take()),
        })
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (field, rest) = self.0.split_first_chunk().expect("the caller checked the length");
        self.0 = rest;
        *field
    }
}

/// The identity of a segment: a function of what it holds, not of file names or entry ids.
pub(super) fn block_id(first: &Header, last: &Header) -> BlockId {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&first.nonce);
    hasher.update(&first.batch.to_le_bytes());
    hasher.update(&last.batch.to_le_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    BlockId(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_reads_as_written_and_no_flipped_bit_passes() {
        let header = Header {
            hour: Hour(491_000),
            nonce: nonce(&[7; 32], 3),
            batch: 3 << BOOT_SHIFT | 9,
            count: 2,
            length: 700,
            first: Stamp { ts_ms: 1_767_600_000_123, node: 5, seq: 3 << BOOT_SHIFT | 20 },
            last_seq: 3 << BOOT_SHIFT | 21,
            max_ts_ms: 1_767_600_000_140,
            body_crc: 0xDEAD_BEEF,
        };
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Some(header));
        assert_eq!((header.boot(), header.id()), (3, 9));
        for bit in 0..bytes.len() * 8 {
            let mut bent = bytes;
            bent[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Header::decode(&bent), None, "bit {bit}");
        }
    }
}
