//! One hour a segment, stragglers, and the low watermark under races.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::rig::{Rig, START_MS, block_on, open, rows, stamps, wait_for};
use crate::clock::Clock;
use crate::hours::{HOUR_MS, Hour};
use crate::wal::{Segment, Wal};

#[test]
fn a_straggler_gets_a_segment_of_its_own_hour() {
    let mut rig = Rig::new();
    let hour = Hour::of_ms(START_MS);
    let early = rig.append(1, "/early");
    let straggler = rig.wal().admit(1).unwrap();
    let straggler_seq = straggler.stamp(0).seq;
    rig.clock.set(START_MS + HOUR_MS);
    let late = rig.append(1, "/late");
    wait_for("the first hour", || rig.store.seqs() == early);
    assert_eq!(rig.wal().low_watermark(), hour, "an admission of the first hour is under way");
    rig.append_admitted(straggler, 1, "/straggler").unwrap();
    rig.drain();
    let segments = rig.store.segments();
    for segment in &segments {
        assert!(stamps(segment).iter().all(|stamp| Hour::of_ms(stamp.ts_ms) == segment.hour));
    }
    let hours: BTreeSet<(u64, Hour)> =
        segments.iter().flat_map(|s| stamps(s).into_iter().map(|at| (at.seq, s.hour))).collect();
    let expected = [(early[0], hour), (straggler_seq, hour), (late[0], hour.next())];
    assert_eq!(hours, BTreeSet::from(expected));
    let now = Hour::of_ms(rig.clock.now_ms());
    wait_for("the watermark", || rig.wal().low_watermark() == now);
}

#[test]
fn the_watermark_waits_for_the_queue_the_growing_segment_and_the_drain() {
    let mut rig = Rig::new();
    let hour = Hour::of_ms(START_MS);
    rig.store.hold();
    let dropped = rig.wal().admit(1).unwrap();
    rig.append(1, "/");
    rig.clock.set(START_MS + 2 * HOUR_MS);
    wait_for("the seal", || rig.wal().shared().ledger.segments() == 1);
    assert_eq!(rig.wal().low_watermark(), hour);
    drop(dropped);
    assert_eq!(rig.wal().low_watermark(), hour, "the segment is not drained");
    rig.reopen();
    assert_eq!(rig.wal().low_watermark(), hour, "nor after a restart");
    rig.store.let_go();
    wait_for("the drain", || rig.wal().low_watermark() == hour.next().next());
}

/// Requests, a drain and a clock that jumps, all at once: no event may turn up behind a watermark
/// that was given out.
#[test]
fn no_event_appears_behind_the_watermark() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let home = tempfile::tempdir().unwrap();
    let config = Rig::config(&home.path().join("wal"));
    let clock = Clock::manual(START_MS);
    let given = Arc::new(AtomicU32::new(0));
    let stored = Arc::new(AtomicU64::new(0));
    let sink = {
        let (given, stored) = (given.clone(), stored.clone());
        move |segment: &Segment| {
            assert!(given.load(SeqCst) <= segment.hour.0, "seed {seed}: drained too late");
            stored.fetch_add(u64::from(segment.count), SeqCst);
            ControlFlow::Continue(())
        }
    };
    let (wal, _) = open(&config, &clock, sink);
    let done = AtomicBool::new(false);
    let appended = AtomicU64::new(0);
    std::thread::scope(|threads| {
        let requests: Vec<_> = (0..3)
            .map(|n| {
                let (wal, given, appended) = (&wal, &given, &appended);
                threads.spawn(move || requests(wal, seed + n, given, appended))
            })
            .collect();
        threads.spawn(|| {
            let mut random = StdRng::seed_from_u64(seed ^ 77);
            while !done.load(SeqCst) {
                let step = random.random_range(-HOUR_MS..HOUR_MS / 3 * 4);
                clock.set(clock.now_ms() + step);
                std::thread::park_timeout(std::time::Duration::from_micros(500));
            }
        });
        threads.spawn(|| {
            while !done.load(SeqCst) {
                given.fetch_max(wal.low_watermark().0, SeqCst);
            }
        });
        requests.into_iter().for_each(|thread| thread.join().unwrap());
        done.store(true, SeqCst);
    });
    clock.set(clock.now_ms() + HOUR_MS);
    let now = Hour::of_ms(clock.now_ms());
    wait_for("the watermark to come up", || wal.low_watermark() == now);
    assert_eq!(stored.load(SeqCst), appended.load(SeqCst));
    wal.close();
}

fn requests(wal: &Wal, seed: u64, given: &AtomicU32, appended: &AtomicU64) {
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..300 {
        let before = given.load(SeqCst);
        let admission = wal.admit(2).unwrap();
        let hour = Hour::of_ms(admission.stamp(0).ts_ms).0;
        assert!(hour >= before, "seed {seed}: admitted behind the watermark");
        if random.random_bool(0.2) {
            continue;
        }
        let rows = rows(&admission, 2, "/");
        block_on(wal.append(admission, rows)).unwrap();
        appended.fetch_add(2, SeqCst);
    }
}
