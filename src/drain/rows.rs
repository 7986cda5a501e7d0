//! Where the rows of a segment lie. Reads the framing, never a row.

use std::ops::Range;

use bytes::Bytes;

use crate::event::row::RECORD_HEAD_BYTES;

/// The rows of a segment's records.
pub(super) struct Rows<'a> {
    records: &'a [u8],
    found: Vec<Row>,
    /// Bytes behind the last whole record; none unless there is a bug.
    pub(super) rest: &'a [u8],
}

#[derive(Clone, Copy)]
struct Row {
    version: u16,
    /// Where its record begins, and where it ends.
    start: u32,
    end: u32,
}

impl<'a> Rows<'a> {
    pub(super) fn find(records: &'a [u8]) -> Rows<'a> {
        let mut found = Vec::with_capacity(records.len() / 128);
        let mut at = 0;
        while let Some((version, length)) = head(&records[at..]) {
            let end = at + RECORD_HEAD_BYTES + length;
            if end > records.len() {
                break;
            }
            found.push(Row { version, start: at as u32, end: end as u32 });
            at = end;
        }
        Rows { records, found, rest: &records[at..] }
    }

    pub(super) fn len(&self) -> usize {
        self.found.len()
    }

    pub(super) fn version(&self, index: usize) -> u16 {
        self.found[index].version
    }

    /// Longest ranges of one version: usually one.
    pub(super) fn runs(&self) -> Vec<Range<usize>> {
        let mut runs = Vec::new();
        let mut start = 0;
        for run in self.found.chunk_by(|a, b| a.version == b.version) {
            runs.push(start..start + run.len());
            start += run.len();
        }
        runs
    }

    /// The rows of a range, without their framing.
    pub(super) fn body(&self, range: Range<usize>) -> Bytes {
        let rows = &self.found[range];
        let mut body = Vec::with_capacity(rows.iter().map(|r| (r.end - r.start) as usize).sum());
        for row in rows {
            let start = row.start as usize + RECORD_HEAD_BYTES;
            body.extend_from_slice(&self.records[start..row.end as usize]);
        }
        body.into()
    }

    /// The records of a range, framing and all.
    pub(super) fn records(&self, range: Range<usize>) -> &'a [u8] {
        let rows = &self.found[range];
        match (rows.first(), rows.last()) {
            (Some(first), Some(last)) => &self.records[first.start as usize..last.end as usize],
            _ => &[],
        }
    }
}

fn head(bytes: &[u8]) -> Option<(u16, usize)> {
    let head: [u8; RECORD_HEAD_BYTES] = bytes.get(..RECORD_HEAD_BYTES)?.try_into().ok()?;
    let [a, b, c, d, e, f] = head;
    Some((u16::from_le_bytes([a, b]), u32::from_le_bytes([c, d, e, f]) as usize))
}

/// What of `wanted` is not in `stored`; both in any order, the answer in the order of `wanted`.
pub(super) fn subtract(wanted: &[Range<usize>], stored: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut stored = stored.to_vec();
    stored.sort_by_key(|range| range.start);
    let mut missing = Vec::new();
    for range in wanted {
        let mut start = range.start;
        for done in &stored {
            if start < done.start.min(range.end) {
                missing.push(start..done.start.min(range.end));
            }
            start = start.max(done.end);
        }
        if start < range.end {
            missing.push(start..range.end);
        }
    }
    missing
}

#[cfg(test)]
mod tests {
    use super::{Rows, subtract};

    fn record(version: u16, row: &[u8]) -> Vec<u8> {
        let mut record = version.to_le_bytes().to_vec();
        record.extend((row.len() as u32).to_le_bytes());
        record.extend(row);
        record
    }

    #[test]
    fn rows_are_found_and_grouped_by_version() {
        let records = [record(1, b"a"), record(1, b"bc"), record(2, b""), record(1, b"d")].concat();
        let rows = Rows::find(&records);
        assert_eq!(rows.runs(), [0..2, 2..3, 3..4]);
        assert_eq!(rows.body(0..2), "abc");
        assert_eq!(rows.records(1..2), record(1, b"bc"));
        assert!(rows.rest.is_empty());
    }

    #[test]
    fn a_cut_record_is_the_rest() {
        let records = [record(1, b"a"), record(1, b"bc")].concat();
        let rows = Rows::find(&records[..records.len() - 1]);
        assert_eq!((rows.len(), rows.rest.len()), (1, 7));
        assert!(Rows::find(&[]).runs().is_empty());
    }

    #[test]
    fn subtract_leaves_the_gaps() {
        let check = |wanted: &[_], stored: &[_], missing: &[_]| {
            assert_eq!(subtract(wanted, stored), missing, "{wanted:?} - {stored:?}");
        };
        check(&[0..10], &[], &[0..10]);
        check(&[0..10], &[0..10], &[]);
        check(&[0..10], &[7..8, 2..4], &[0..2, 4..7, 8..10]);
        check(&[0..5, 5..10], &[3..6], &[0..3, 6..10]);
        check(&[4..6], &[0..4, 6..9], &[4..6]);
        check(&[4..6], &[0..20], &[]);
        check(&[4..6], &[5..20, 0..5], &[]);
    }
}
