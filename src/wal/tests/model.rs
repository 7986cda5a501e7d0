//! Random sequences of what can happen to a log, against a list of what was acknowledged.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;

use super::rig::{Rig, scans};
use crate::hours::HOUR_MS;
use crate::wal::repair::segment_path;
use crate::wal::scan::Scan;

#[derive(Clone, Debug)]
enum Op {
    Append {
        events: u32,
        text: usize,
    },
    /// The clock jumps, and with the hour the segment is sealed.
    ClockStep {
        ms: i64,
    },
    /// The drain runs or stands still.
    Hold(bool),
    Reopen,
    /// Bytes are lost at the end of the newest segment.
    TruncateTail {
        bytes: usize,
    },
    /// One bit of a segment flips. Both numbers are taken modulo what there is.
    FlipBit {
        file: usize,
        bit: usize,
    },
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        8 => (1..5u32, 0..2000usize).prop_map(|(events, text)| Op::Append { events, text }),
        2 => (-HOUR_MS..HOUR_MS * 2).prop_map(|ms| Op::ClockStep { ms }),
        1 => any::<bool>().prop_map(Op::Hold),
        1 => Just(Op::Reopen),
        1 => (1..600usize).prop_map(|bytes| Op::TruncateTail { bytes }),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(file, bit)| Op::FlipBit { file, bit }),
    ]
}

struct Model {
    rig: Rig,
    acked: Vec<u64>,
    /// Seqs whose bytes were harmed.
    hit: BTreeSet<u64>,
    /// Events in the files before they were harmed.
    before: Option<u64>,
}

fn events(scan: &Scan) -> impl Iterator<Item = u64> {
    scan.runs.iter().flatten().map(|entry| u64::from(entry.header.count))
}

impl Model {
    fn apply(&mut self, op: &Op) {
        match *op {
            Op::Append { events, text } => {
                self.acked.extend(self.rig.append(events, &"p".repeat(text)));
            }
            Op::ClockStep { ms } => self.rig.clock.set(self.rig.clock.now_ms() + ms),
            Op::Hold(true) => self.rig.store.hold(),
            Op::Hold(false) => self.rig.store.let_go(),
            Op::Reopen => self.reopen(),
            Op::TruncateTail { bytes } => {
                self.rig.close();
                let newest = scans(self.rig.dir()).into_iter().rfind(|(_, s)| s.last().is_some());
                if let Some((file, scan)) = newest {
                    let until = scan.end.saturating_sub(bytes);
                    self.harm(file, until..scan.end, |content| content.truncate(until));
                }
                self.reopen();
            }
            Op::FlipBit { file, bit } => {
                self.rig.close();
                let files = scans(self.rig.dir());
                if !files.is_empty() {
                    let (file, scan) = &files[file % files.len()];
                    let bit = bit % (scan.written.max(1) * 8);
                    self.harm(*file, bit / 8..bit / 8 + 1, |content| {
                        content[bit / 8] ^= 1 << (bit % 8);
                    });
                }
                self.reopen();
            }
        }
    }

    fn harm(&mut self, file: u64, range: std::ops::Range<usize>, harm: impl FnOnce(&mut Vec<u8>)) {
        let scans = scans(self.rig.dir());
        let (_, scan) = scans.iter().find(|(id, _)| *id == file).unwrap();
        for entry in scan.runs.iter().flatten() {
            if entry.from < range.end && range.start < entry.until {
                self.hit.extend(entry.header.first.seq..=entry.header.last_seq);
            }
        }
        self.before = Some(scans.iter().flat_map(|(_, scan)| events(scan)).sum());
        let path = segment_path(self.rig.dir(), file);
        let mut content = std::fs::read(&path).unwrap();
        harm(&mut content);
        std::fs::write(&path, content).unwrap();
    }

    fn reopen(&mut self) {
        self.rig.reopen();
        let report = &self.rig.report;
        let reported = report.torn + report.quarantined + report.missing;
        if let Some(before) = self.before.take() {
            assert!(report.events == before || reported > 0, "lost and not reported: {report}");
        }
    }

    fn check(mut self) {
        self.rig.drain();
        let seqs = self.rig.store.seqs();
        assert!(seqs.is_sorted_by(|a, b| a < b), "each once and in order: {seqs:x?}");
        let stored: BTreeSet<u64> = seqs.into_iter().collect();
        let lost: Vec<u64> =
            self.acked.iter().copied().filter(|seq| !stored.contains(seq)).collect();
        assert!(lost.iter().all(|seq| self.hit.contains(seq)), "lost, not hit: {lost:x?}");
        assert!(stored.iter().all(|seq| self.acked.contains(seq)), "stored, never appended");
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 48,
        failure_persistence: None,
        max_shrink_iters: 200,
        ..ProptestConfig::default()
    })]

    /// A failure prints its operations, smallest first found.
    #[test]
    fn what_was_acknowledged_is_stored_once(ops in proptest::collection::vec(op(), 1..25)) {
        let rig = Rig::with(|config| config.segment_age = Duration::from_millis(5));
        let mut model = Model { rig, acked: Vec::new(), hit: BTreeSet::new(), before: None };
        ops.iter().for_each(|op| model.apply(op));
        model.check();
    }
}
