//! What stays the same over restarts.

use super::rig::{Rig, START_MS, stamps, wait_for};
use crate::hours::{HOUR_MS, Hour};
use crate::wal::{inspect, verify};

#[test]
fn a_segment_held_over_restarts_keeps_its_identity_and_comes_once() {
    let mut rig = Rig::new();
    rig.store.hold();
    let mut acked = rig.append(3, "/one");
    for _ in 0..3 {
        rig.reopen();
        assert_eq!((rig.report.torn, rig.report.quarantined, rig.report.missing), (0, 0, 0));
        acked.extend(rig.append(2, "/more"));
    }
    rig.drain();
    assert_eq!(rig.store.seqs(), acked);
    let segments = rig.store.segments();
    assert_eq!(segments.len(), 4, "a recovered segment never grows");
    assert!(segments.iter().all(|segment| stamps(segment)[0] == segment.first));
    let mut ids: Vec<_> = segments.iter().map(|segment| segment.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4);
}

#[test]
fn what_was_drained_does_not_come_back_from_recycled_files() {
    let mut rig = Rig::new();
    let mut acked = Vec::new();
    for i in 0..60 {
        acked.extend(rig.append(5, &format!("/recycled/{i}/{}", "y".repeat(i * 7))));
    }
    wait_for("files to be recycled", || {
        let names = crate::wal::repair::list(rig.dir()).unwrap();
        names.recycled.len() + names.live.len() < 20 && rig.wal().shared().ledger.segments() == 0
    });
    rig.store.hold();
    for i in 0..10 {
        acked.extend(rig.append(4, &format!("/short/{i}")));
    }
    rig.reopen();
    assert_eq!((rig.report.torn, rig.report.quarantined, rig.report.missing), (0, 0, 0));
    rig.drain();
    assert_eq!((rig.report.torn, rig.report.quarantined, rig.report.missing), (0, 0, 0));
    assert_eq!(rig.store.seqs(), acked);
}

/// F16 through the whole stack: text that okaywal alone would read as entries.
#[test]
fn hostile_text_is_only_text() {
    let mut rig = Rig::new();
    let evil = (0u32..)
        .map(|n| format!("evil{n}"))
        .find(|text| crc32c::crc32c(text.as_bytes()).to_le_bytes().is_ascii())
        .unwrap();
    let mut forged = vec![1, 0x7F, 0x7F, 0, 0, 0, 0, 0, 0, 2, evil.len() as u8, 0, 0, 0];
    forged.extend_from_slice(evil.as_bytes());
    forged.extend_from_slice(&crc32c::crc32c(evil.as_bytes()).to_le_bytes());
    forged.push(3);
    let mut acked = Vec::new();
    for shift in 0..40 {
        let text = "z".repeat(shift) + &String::from_utf8(forged.clone()).unwrap().repeat(30);
        acked.extend(rig.append(2, &text));
    }
    rig.store.hold();
    acked.extend(rig.append(1, "/"));
    rig.reopen();
    rig.drain();
    assert_eq!((rig.report.quarantined, rig.report.missing), (0, 0));
    assert_eq!(rig.store.seqs(), acked);
}

#[test]
fn seqs_rise_and_time_never_goes_back() {
    let mut rig = Rig::new();
    let mut seqs = rig.append(2, "/");
    rig.clock.set(START_MS + 3 * HOUR_MS);
    seqs.extend(rig.append(1, "/later"));
    rig.drain();
    rig.close();
    // All is drained and the machine's clock has lost three hours.
    rig.clock = crate::clock::Clock::manual(START_MS);
    rig.reopen();
    let admission = rig.wal().admit(1).unwrap();
    assert_eq!(admission.stamp(0).ts_ms, START_MS + 3 * HOUR_MS);
    drop(admission);
    seqs.extend(rig.append(1, "/"));
    assert!(seqs.is_sorted_by(|a, b| a < b));
    assert_eq!(rig.report.boot, 3);
}

#[test]
fn an_idle_log_seals_nothing_and_moves_with_the_clock() {
    let rig = Rig::with(|config| config.segment_age = std::time::Duration::ZERO);
    for hour in 1..4 {
        rig.clock.set(START_MS + hour * HOUR_MS);
        let now = Hour::of_ms(rig.clock.now_ms());
        wait_for("the watermark", || rig.wal().low_watermark() == now);
    }
    assert!(rig.store.segments().is_empty());
    let acked = rig.append(1, "/");
    wait_for("the drain", || rig.store.seqs() == acked);
    assert_eq!(rig.wal().low_watermark(), Hour::of_ms(rig.clock.now_ms()));
}

/// A segment that holds nothing yet is its head and zeros, and the head itself ends in zeros.
#[test]
fn a_log_without_an_event_is_sound() {
    let mut rig = Rig::new();
    assert!(inspect(rig.dir()).unwrap().is_sound());
    rig.close();
    assert!(verify(rig.dir()).unwrap().is_sound());
}

#[test]
fn inspection_counts_what_is_there_and_disturbs_nothing() {
    let mut rig = Rig::new();
    rig.store.hold();
    let acked = rig.append(7, "/");
    let report = inspect(rig.dir()).unwrap();
    let summary = &report.summary;
    assert_eq!((summary.records, summary.entries, summary.damage), (7, 1, 0));
    assert!(report.to_string().contains("sound"), "{report}");
    rig.close();
    assert_eq!(verify(rig.dir()).unwrap().summary.damage, 0);
    let path = rig.dir().join(&report.segments[0].file);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[200] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    assert!(verify(rig.dir()).unwrap().summary.damage > 0);
    drop(acked);
}
