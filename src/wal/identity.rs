//! Two small files beside the segments: `node`, who this node is and which boot it is in, and
//! `clock`, the latest time it has handed out. Both are replaced whole and carry a checksum.
//!
//! ```text
//! node  = "THN1" | node u32 | boot u64 | secret 32 | crc32c          52 bytes
//! clock = "THC1" | ts i64 | last durable batch u64 | crc32c          24 bytes
//! ```

use std::io;
use std::path::Path;

use crate::wal::disk;

const NODE: &str = "node";
const CLOCK: &str = "clock";

/// Who writes.
#[derive(Clone, Copy)]
pub(super) struct Node {
    /// Random, high bit clear: numbers with it set are for imports.
    pub(super) id: u32,
    /// Raised at each start; 0 before the first.
    pub(super) boot: u64,
    /// What nonces are derived from. Never leaves the directory.
    pub(super) secret: [u8; 32],
}

impl Node {
    pub(super) fn new() -> Node {
        let id = rand::random::<u32>() & 0x7FFF_FFFF;
        Node { id: id.max(1), boot: 0, secret: rand::random() }
    }

    /// Reads the file; nothing if there is none.
    ///
    /// # Errors
    /// `InvalidData`: it is damaged. A new identity must then be an operator's decision.
    pub(super) fn read(dir: &Path) -> io::Result<Option<Node>> {
        let Some(bytes) = disk::read(&dir.join(NODE))? else { return Ok(None) };
        let Some(body) = checked(&bytes, b"THN1", 52) else {
            return Err(io::Error::from(io::ErrorKind::InvalidData));
        };
        Ok(Some(Node {
            id: u32::from_le_bytes(field(&body[0..])),
            boot: u64::from_le_bytes(field(&body[4..])),
            secret: field(&body[12..]),
        }))
    }

    /// Durable on return.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        let mut bytes = b"THN1".to_vec();
        bytes.extend_from_slice(&self.id.to_le_bytes());
        bytes.extend_from_slice(&self.boot.to_le_bytes());
        bytes.extend_from_slice(&self.secret);
        disk::replace(dir, NODE, &sealed(bytes))
    }
}

/// How far a node had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// No time later than this was needed for the low watermark yet.
    pub(super) ts_ms: i64,
    /// The last batch known to be durable: one that is gone is missed.
    pub(super) batch: u64,
}

impl Mark {
    /// Reads the file. A lost or damaged one counts as none: the log's own entries still tell.
    pub(super) fn read(dir: &Path) -> io::Result<Mark> {
        let bytes = disk::read(&dir.join(CLOCK))?.unwrap_or_default();
        Ok(checked(&bytes, b"THC1", 24).map_or(Mark::default(), |body| Mark {
            ts_ms: i64::from_le_bytes(field(&body[0..])),
            batch: u64::from_le_bytes(field(&body[8..])),
        }))
    }

    /// Durable on return.
    pub(super) fn write(&self, dir: &Path) -> io::Result<()> {
        let mut bytes = b"THC1".to_vec();
        bytes.extend_from_slice(&self.ts_ms.to_le_bytes());
        bytes.extend_from_slice(&self.batch.to_le_bytes());
        disk::replace(dir, CLOCK, &sealed(bytes))
    }
}

fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_le_bytes());
    bytes
}

fn checked<'a>(bytes: &'a [u8], magic: &[u8; 4], length: usize) -> Option<&'a [u8]> {
    if bytes.len() != length || !bytes.starts_with(magic) {
        return None;
    }
    let (body, crc) = bytes.split_at(length - 4);
    (crc32c::crc32c(body).to_le_bytes() == *crc).then_some(&body[4..])
}

fn field<const N: usize>(bytes: &[u8]) -> [u8; N] {
    *bytes.first_chunk().expect("the length was checked")
}

#[cfg(test)]
mod tests {
    use super::{Mark, Node};

    #[test]
    fn both_files_read_as_written_and_damage_shows() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Node::read(dir.path()).unwrap().is_none());
        assert_eq!(Mark::read(dir.path()).unwrap(), Mark::default());
        let node = Node { boot: 7, ..Node::new() };
        node.write(dir.path()).unwrap();
        let read = Node::read(dir.path()).unwrap().unwrap();
        assert_eq!((read.id, read.boot, read.secret), (node.id, 7, node.secret));
        assert!(node.id > 0 && node.id < 1 << 31);
        let mark = Mark { ts_ms: 1_767_600_000_000, batch: 12 };
        mark.write(dir.path()).unwrap();
        assert_eq!(Mark::read(dir.path()).unwrap(), mark);
        for name in ["node", "clock"] {
            let mut bytes = std::fs::read(dir.path().join(name)).unwrap();
            bytes[9] ^= 1;
            std::fs::write(dir.path().join(name), bytes).unwrap();
        }
        assert!(Node::read(dir.path()).is_err());
        assert_eq!(Mark::read(dir.path()).unwrap(), Mark::default());
    }
}
