//! What a crash or a bad disk can do to the files.

use std::collections::BTreeSet;
use std::path::Path;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tempfile::TempDir;

use super::rig::{Rig, Store, copy, judge, open, scans, wait_for};
use crate::wal::BootReport;
use crate::wal::entry::{
    CHUNK, END_OF_ENTRY, FILE_HEAD, HEADER_AT, HEADER_BYTES, Header, NEW_ENTRY, nonce,
};
use crate::wal::identity::{Mark, Node};
use crate::wal::repair::{Past, repair, segment_path};
use crate::wal::scan::{Entry, Judge, Tail, scan};

fn three_segments() -> Rig {
    segments(3)
}

/// A closed log of some segments with several entries each, none drained.
fn segments(count: u64) -> Rig {
    let mut rig = Rig::new();
    rig.store.hold();
    for hour in 0..count {
        for i in 0..4 {
            rig.append(1 + i, &format!("/page/{hour}/{i}"));
        }
        rig.clock.set(rig.clock.now_ms() + crate::hours::HOUR_MS);
        let ledger = &rig.wal().shared().ledger;
        wait_for("the seal", || ledger.segments() > hour);
    }
    rig.close();
    rig
}

fn entries(dir: &Path) -> Vec<(u64, Entry)> {
    let scans = scans(dir);
    let all = scans.iter().flat_map(|(id, scan)| scan.runs.iter().flatten().map(|e| (*id, *e)));
    all.collect()
}

fn batches(dir: &Path) -> BTreeSet<u64> {
    entries(dir).iter().map(|(_, entry)| entry.header.batch).collect()
}

/// Repairs a copy of a log after `harm` was done to one of its files.
fn harmed(rig: &Rig, file: u64, harm: impl FnOnce(&mut Vec<u8>)) -> (TempDir, BootReport) {
    let home = tempfile::tempdir_in(rig.home.path()).unwrap();
    let dir = home.path();
    copy(rig.dir(), dir);
    let path = segment_path(dir, file);
    let mut bytes = std::fs::read(&path).unwrap();
    harm(&mut bytes);
    std::fs::write(&path, bytes).unwrap();
    let boot = Node::read(dir).unwrap().unwrap().boot;
    let past = Past { judge: judge(dir), boot, mark: Mark::read(dir).unwrap() };
    let mut report = BootReport::default();
    repair(dir, &past, &mut report).unwrap();
    for (id, scan) in scans(dir) {
        assert!(scan.headed && scan.runs.len() == 1 && scan.damage.is_empty(), "wal-{id} is sound");
        assert_eq!((scan.tail, scan.first().unwrap().id), (Tail::Clean, id));
    }
    (home, report)
}

/// Runs the cases on a few threads: they wait for the disk most of the time.
fn for_each<T: Sync>(cases: &[T], check: impl Fn(&T) + Sync) {
    std::thread::scope(|threads| {
        for share in cases.chunks(cases.len().div_ceil(8)) {
            let check = &check;
            threads.spawn(move || share.iter().for_each(check));
        }
    });
}

fn reported(report: &BootReport) -> bool {
    report.torn + report.quarantined + report.missing > 0
}

#[test]
fn a_last_entry_cut_at_any_byte_costs_only_itself() {
    let rig = segments(1);
    let all = entries(rig.dir());
    let (file, last) = *all.last().unwrap();
    let others: BTreeSet<u64> = all[..all.len() - 1].iter().map(|(_, e)| e.header.batch).collect();
    let harms: [fn(&mut Vec<u8>, usize, usize); 3] = [
        |bytes, at, _| bytes.truncate(at),
        |bytes, at, until| bytes[at..until].fill(0),
        |bytes, at, until| bytes[at..until].iter_mut().for_each(|b| *b = b.wrapping_add(0x5B)),
    ];
    let cases: Vec<usize> = (last.from..last.until).collect();
    for_each(&cases, |&at| {
        for (kind, harm) in harms.iter().enumerate() {
            let (dir, report) = harmed(&rig, file, |bytes| harm(bytes, at, last.until));
            assert_eq!(batches(dir.path()), others, "harm {kind} at {at}");
            assert!(reported(&report), "harm {kind} at {at}: {report}");
        }
    });
}

#[test]
fn a_half_written_entry_is_cut_and_the_log_opens() {
    let mut rig = three_segments();
    let acked = rig.wal_events();
    let all = entries(rig.dir());
    let (file, last) = *all.last().unwrap();
    let past = std::fs::read(segment_path(rig.dir(), file)).unwrap();
    for at in (last.from + 1..last.until).step_by(31) {
        // The next write, cut short: a copy of the last entry with the next id.
        let mut torn = past[..last.until].to_vec();
        let from = torn.len();
        torn.extend_from_slice(&past[last.from..at]);
        let id = (last.id + 1).to_le_bytes();
        let framed = torn.len().min(from + 9);
        torn[from + 1..framed].copy_from_slice(&id[..framed - from - 1]);
        let dir = rig.home.path().join(format!("torn-{at}"));
        copy(rig.dir(), &dir);
        std::fs::write(segment_path(&dir, file), torn).unwrap();
        let store = Store::default();
        let config = crate::wal::WalConfig { dir, ..rig.config.clone() };
        let (wal, report) = open(&config, &rig.clock, store.clone());
        assert_eq!((report.torn, report.quarantined, report.missing), (1, 0, 0), "{report}");
        wait_for("the drain", || wal.shared().ledger.segments() == 0);
        assert_eq!(store.seqs().len() as u64, acked);
        wal.close();
    }
    rig.drain();
}

impl Rig {
    /// Events in the files of a closed log.
    fn wal_events(&self) -> u64 {
        entries(self.dir()).iter().map(|(_, entry)| u64::from(entry.header.count)).sum()
    }
}

#[test]
fn no_flipped_bit_goes_unnoticed() {
    let rig = three_segments();
    let all = entries(rig.dir());
    let files: Vec<(u64, usize)> =
        scans(rig.dir()).iter().map(|(id, scan)| (*id, scan.written)).collect();
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let mut flips: Vec<(u64, usize, u8)> = (0..300)
        .map(|_| {
            let (file, written) = files[random.random_range(0..files.len())];
            (file, random.random_range(0..written), 1 << random.random_range(0..8))
        })
        .collect();
    // Every bit of the framing of an entry in the middle, and of the file's head.
    let (file, middle) = all[1];
    let records_at = middle.from + HEADER_AT + HEADER_BYTES + 4 + 5;
    let framing = (0..FILE_HEAD.len())
        .chain(middle.from..middle.from + HEADER_AT)
        .chain(records_at - 9..records_at)
        .chain(middle.until - 5..middle.until);
    flips.extend(framing.flat_map(|at| (0..8).map(move |bit| (file, at, 1u8 << bit))));
    for_each(&flips, |&(file, at, mask)| {
        let (dir, report) = harmed(&rig, file, |bytes| bytes[at] ^= mask);
        let hit = |(id, e): &&(u64, Entry)| *id == file && (e.from..e.until).contains(&at);
        let left = batches(dir.path());
        for (id, entry) in all.iter().filter(|entry| !hit(entry)) {
            assert!(left.contains(&entry.header.batch), "wal-{file} {at}: entry of wal-{id} lost");
        }
        let lost = all.iter().filter(|(_, entry)| !left.contains(&entry.header.batch)).count();
        assert!(lost == 0 || reported(&report), "wal-{file} {at} {mask:#x}: {report}");
    });
}

#[test]
fn a_repair_cut_short_is_done_again() {
    let rig = segments(2);
    let all = entries(rig.dir());
    let (file, hit) = all[1];
    let harm = |bytes: &mut Vec<u8>| bytes[hit.from + 100] ^= 1;
    let (home, report) = harmed(&rig, file, harm);
    let dir = home.path();
    assert_eq!((report.quarantined, report.missing), (1, 1));
    // The crash came before the old file was cut: its later entries stand in two files.
    let whole = std::fs::read(segment_path(rig.dir(), file)).unwrap();
    let mut bytes = whole.clone();
    harm(&mut bytes);
    std::fs::write(segment_path(dir, file), bytes).unwrap();
    std::fs::write(dir.join("new-wal-3"), &whole[..100]).unwrap();
    let past = Past { judge: judge(dir), boot: 1, mark: Mark::read(dir).unwrap() };
    let found = repair(dir, &past, &mut BootReport::default()).unwrap();
    assert_eq!(found.iter().map(|segment| segment.entries).sum::<u64>(), all.len() as u64 - 1);
    let left: Vec<u64> = entries(dir).iter().map(|(_, entry)| entry.id).collect();
    let expected = all.iter().map(|(_, entry)| entry.id).filter(|id| *id != hit.id);
    assert_eq!(left, expected.collect::<Vec<_>>());
    assert!(!dir.join("new-wal-3").exists());
}

#[test]
fn entries_behind_damage_are_delivered_with_their_identity() {
    let mut rig = three_segments();
    let all = entries(rig.dir());
    let expected = rig.wal_events();
    let (file, hit) = all[1];
    let path = segment_path(rig.dir(), file);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[hit.from + 120] ^= 0x10;
    std::fs::write(&path, &bytes).unwrap();
    rig.drain();
    assert_eq!((rig.report.quarantined, rig.report.missing), (1, 1), "{}", rig.report);
    let aside = rig.dir().join("quarantine").join(format!("wal-{file}-at-{}", hit.from));
    assert_eq!(std::fs::read(aside).unwrap(), &bytes[hit.from..hit.until]);
    let seqs = rig.store.seqs();
    assert!(seqs.is_sorted_by(|a, b| a < b), "each once, in order");
    assert_eq!(seqs.len() as u64, expected - u64::from(hit.header.count));
    rig.append(1, "/after");
}

#[test]
fn files_without_a_head_or_an_entry_are_removed() {
    let mut rig = three_segments();
    let next = entries(rig.dir()).last().unwrap().1.id + 1;
    for half in [vec![], vec![0; 5000], b"ok".to_vec(), b"okw\0".to_vec(), b"okw\0\0".to_vec()] {
        std::fs::write(segment_path(rig.dir(), next), half).unwrap();
        rig.reopen();
        assert!(!reported(&rig.report), "{}", rig.report);
        assert!(rig.report.removed >= 1);
        rig.close();
    }
    rig.drain();
    assert_eq!(rig.store.segments().len(), 3);
}

#[test]
fn names_that_okaywal_would_misread_are_set_aside() {
    let mut rig = three_segments();
    for name in ["wal-0", "wal-007", "wal-3-old", "wal-x"] {
        std::fs::write(rig.dir().join(name), "what is this").unwrap();
    }
    rig.drain();
    assert_eq!((rig.report.quarantined, rig.store.segments().len()), (4, 3));
}

#[test]
fn a_new_name_lost_in_a_power_cut_is_given_back() {
    let mut rig = three_segments();
    let expected = rig.wal_events();
    let newest = entries(rig.dir()).last().unwrap().0;
    std::fs::rename(segment_path(rig.dir(), newest), rig.dir().join("wal-2-cp")).unwrap();
    // An ordinary recycled file holds what was drained.
    std::fs::copy(segment_path(rig.dir(), 1), rig.dir().join("wal-1-cp")).unwrap();
    rig.drain();
    assert_eq!(rig.report.rescued, 1);
    assert_eq!(rig.store.seqs().len() as u64, expected);
}

/// F16: a record that holds the bytes of an entry, right in everything but the secret.
#[test]
fn forged_entries_in_a_record_are_never_read() {
    let secret = [9; 32];
    let entry = |id: u64, records: &[u8], nonce: [u8; 16]| {
        let header = Header {
            hour: crate::hours::Hour(491_000),
            nonce,
            batch: 1 << 40 | id,
            count: 1,
            length: records.len() as u32,
            first: crate::event::Stamp { ts_ms: 0, node: 1, seq: id },
            last_seq: id,
            max_ts_ms: 0,
            body_crc: crc32c::crc32c(records),
        }
        .encode();
        let mut out = vec![NEW_ENTRY];
        out.extend_from_slice(&id.to_le_bytes());
        for chunk in [&header[..], records] {
            out.push(CHUNK);
            out.extend_from_slice(&(chunk.len() as u32).to_le_bytes());
            out.extend_from_slice(chunk);
            out.extend_from_slice(&crc32c::crc32c(chunk).to_le_bytes());
        }
        out.push(END_OF_ENTRY);
        out
    };
    let ours = nonce(&secret, 1);
    let forged = entry(6, b"evil", [0x41; 16]);
    let mut file = FILE_HEAD.to_vec();
    file.extend(entry(5, &forged.repeat(4), ours));
    let harmed_at = file.len();
    file.extend(entry(6, &forged.repeat(4), ours));
    file.extend(entry(7, b"good", ours));
    let judge = Judge::Secret(secret);
    let ids = |file: &[u8]| -> Vec<u64> {
        scan(file, 5, &judge).runs.iter().flatten().map(|entry| entry.id).collect()
    };
    assert_eq!(ids(&file), [5, 6, 7]);
    // The writer dies inside entry 6, or the disk bends it: the forged ones come to the surface.
    file[harmed_at] = 0;
    assert_eq!(ids(&file), [5, 7]);
    // A recycled file's old entries end where a new one is cut: never read again.
    let mut recycled = FILE_HEAD.to_vec();
    recycled.extend(entry(5, b"new", ours));
    recycled.extend(entry(3, b"old", ours));
    recycled.extend(entry(4, b"old", ours));
    assert_eq!(ids(&recycled), [5]);
    assert_eq!(scan(&recycled, 5, &judge).tail, Tail::Stale);
}
