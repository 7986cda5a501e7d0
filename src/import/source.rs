//! The log file: plain or gzip by its content, read line by line, with a hash of all bytes read.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// Longer lines are malformed; this much of one is kept.
const LINE_BYTES_MAX: usize = 64 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// How a line was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// With its line end.
    Whole,
    /// The log ends in it.
    Unended,
    /// Too long; what is in the buffer is its beginning.
    Long,
    Nothing,
}

/// A log under reading. All positions are of the uncompressed bytes.
pub(super) struct Source {
    reader: Bytes,
    position: u64,
    hash: blake3::Hasher,
    /// Bytes taken from the reader: the position and a line not counted yet.
    taken: u64,
    /// Where the log ends for now.
    limit: u64,
    /// Bytes of the file itself that were read, for the progress bar.
    read: Arc<AtomicU64>,
    size: u64,
}

enum Bytes {
    Plain(BufReader<Counted>),
    Gzip(BufReader<MultiGzDecoder<BufReader<Counted>>>),
}

struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl Source {
    /// Opens a log at its beginning.
    pub(super) fn open(path: &Path) -> io::Result<Source> {
        let mut file = File::open(path)?;
        if file.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let mut magic = Vec::with_capacity(2);
        (&mut file).take(2).read_to_end(&mut magic)?;
        file.rewind()?;
        let (size, read) = (file.metadata()?.len(), Arc::new(AtomicU64::new(0)));
        let file = BufReader::with_capacity(1 << 18, Counted { file, read: read.clone() });
        let reader = if magic == GZIP_MAGIC {
            Bytes::Gzip(BufReader::with_capacity(1 << 18, MultiGzDecoder::new(file)))
        } else {
            Bytes::Plain(file)
        };
        Ok(Source {
            reader,
            position: 0,
            hash: blake3::Hasher::new(),
            taken: 0,
            limit: u64::MAX,
            read,
            size,
        })
    }

    /// Reads on to `position` without looking; false if the log is shorter.
    pub(super) fn skip_until(&mut self, position: u64) -> io::Result<bool> {
        while self.position < position {
            let ready = self.reader.fill()?;
            let ready = upto(ready, position - self.position);
            if ready.is_empty() {
                return Ok(false);
            }
            let n = ready.len();
            self.hash.update(ready);
            self.take(n);
            self.position += n as u64;
        }
        Ok(true)
    }

    /// Reads one line into `line`, with its line end. What is read is not yet in the position and
    /// the hash: that is for [`Source::commit`], so that a line can be left for the next run.
    pub(super) fn line(&mut self, line: &mut Vec<u8>) -> io::Result<Ending> {
        line.clear();
        let mut long = false;
        loop {
            let ready = self.reader.fill()?;
            let ready = upto(ready, self.limit - self.taken);
            if ready.is_empty() {
                return Ok(match (line.is_empty(), long) {
                    (true, _) => Ending::Nothing,
                    (false, true) => Ending::Long,
                    (false, false) => Ending::Unended,
                });
            }
            let end = ready.iter().position(|&b| b == b'\n').map(|i| i + 1);
            let part = &ready[..end.unwrap_or(ready.len())];
            let n = part.len();
            if long || line.len() + n > LINE_BYTES_MAX {
                // a long line is never left for later, so its bytes count at once
                self.hash.update(if long { b"" } else { &line[..] });
                self.position += if long { 0 } else { line.len() as u64 };
                self.hash.update(part);
                self.position += n as u64;
                long = true;
            } else {
                line.extend_from_slice(part);
            }
            self.take(n);
            if end.is_some() {
                return Ok(if long { Ending::Long } else { Ending::Whole });
            }
        }
    }

    /// Counts a line that [`Source::line`] gave (line end included) as read.
    pub(super) fn commit(&mut self, line: &[u8]) {
        self.hash.update(line);
        self.position += line.len() as u64;
    }

    /// Lets the log end at `position`, as it did when it was read before.
    pub(super) fn end_at(&mut self, position: u64) {
        self.limit = position.max(self.taken);
    }

    /// Lets the log end where it ends.
    pub(super) fn end_nowhere(&mut self) {
        self.limit = u64::MAX;
    }

    fn take(&mut self, n: usize) {
        self.reader.take(n);
        self.taken += n as u64;
    }

    /// Bytes read so far.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// The hash of the bytes read so far.
    pub(super) fn hash(&self) -> [u8; 32] {
        *self.hash.finalize().as_bytes()
    }

    /// The file's size, as it is on disk.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// How much of [`Source::size`] was read.
    pub(super) fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }
}

fn upto(bytes: &[u8], most: u64) -> &[u8] {
    &bytes[..bytes.len().min(usize::try_from(most).unwrap_or(usize::MAX))]
}

impl Bytes {
    fn fill(&mut self) -> io::Result<&[u8]> {
        match self {
            Bytes::Plain(reader) => reader.fill_buf(),
            Bytes::Gzip(reader) => reader.fill_buf(),
        }
    }

    fn take(&mut self, n: usize) {
        match self {
            Bytes::Plain(reader) => reader.consume(n),
            Bytes::Gzip(reader) => reader.consume(n),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{Ending, LINE_BYTES_MAX, Source};

    fn open(bytes: &[u8]) -> (tempfile::TempDir, Source) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        std::fs::write(&path, bytes).unwrap();
        let source = Source::open(&path).unwrap();
        (dir, source)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        out.write_all(bytes).unwrap();
        out.finish().unwrap()
    }

    fn lines(mut source: Source) -> (Vec<(Vec<u8>, Ending)>, [u8; 32], u64) {
        let (mut all, mut line) = (Vec::new(), Vec::new());
        loop {
            let how = source.line(&mut line).unwrap();
            match how {
                Ending::Nothing => return (all, source.hash(), source.position()),
                Ending::Long => all.push((Vec::new(), how)),
                Ending::Whole | Ending::Unended => {
                    source.commit(&line);
                    all.push((line.clone(), how));
                }
            }
        }
    }

    #[test]
    fn plain_gzip_and_members_read_the_same() {
        let long = [b"x".repeat(3 * LINE_BYTES_MAX), b"\n".to_vec()].concat();
        let text = [&b"one\r\n\n"[..], &long, b"two\nthree"].concat();
        let members = [gzip(&text[..9]), gzip(&text[9..])].concat();
        for file in [text.clone(), gzip(&text), members] {
            let (_dir, source) = open(&file);
            let (lines, hash, position) = lines(source);
            let hows: Vec<_> = lines.iter().map(|(_, how)| *how).collect();
            let (whole, long) = (Ending::Whole, Ending::Long);
            assert_eq!(hows, [whole, whole, long, whole, Ending::Unended]);
            assert_eq!(lines[0].0, b"one\r\n");
            assert_eq!((hash, position), (*blake3::hash(&text).as_bytes(), text.len() as u64));
        }
    }

    #[test]
    fn skipping_hashes_what_it_passes() {
        let (_dir, mut source) = open(b"one\ntwo\n");
        assert!(source.skip_until(4).unwrap());
        assert_eq!(source.hash(), *blake3::hash(b"one\n").as_bytes());
        let mut line = Vec::new();
        assert_eq!(source.line(&mut line).unwrap(), Ending::Whole);
        assert_eq!(line, b"two\n");
        assert!(!source.skip_until(9).unwrap());
    }

    #[test]
    fn a_cut_gzip_is_an_error() {
        let whole = gzip(&b"line\n".repeat(1000));
        let (_dir, mut source) = open(&whole[..whole.len() - 9]);
        assert!(source.skip_until(5000).is_err());
    }
}
