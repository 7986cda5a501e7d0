//! When the log says no: never stored, and open again as soon as there is room.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use super::rig::{Rig, Store, block_on, rows, wait_for};
use crate::limits::QUEUE_BYTES_MAX;
use crate::wal::{AppendError, Unavailable, Wal, WalConfig, WalError};

#[test]
fn a_second_owner_is_refused() {
    let rig = Rig::new();
    let second = Wal::open(rig.config.clone(), rig.clock.clone(), Store::default());
    assert!(matches!(second, Err(WalError::Locked(dir)) if dir == rig.config.dir));
    rig.append(1, "/");
    let mode = std::fs::metadata(rig.dir()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn at_the_size_limit_nothing_is_admitted_until_the_drain_makes_room() {
    let rig = Rig::with(|config| config.bytes_max = 20_000);
    rig.store.hold();
    let mut acked = Vec::new();
    while rig.refusal().is_none() {
        acked.extend(rig.append(10, "/some/page"));
    }
    assert_eq!(rig.refusal(), Some(Unavailable::Backlog));
    assert!(matches!(rig.wal().admit(1), Err(Unavailable::Backlog)));
    rig.store.let_go();
    wait_for("room", || rig.refusal().is_none());
    acked.extend(rig.append(1, "/again"));
    let mut rig = rig;
    rig.drain();
    assert_eq!(rig.store.seqs(), acked);
}

#[test]
fn a_nearly_full_disk_refuses() {
    let rig = Rig::with(|config| config.disk_free_bytes_min = u64::MAX);
    assert_eq!(rig.refusal(), Some(Unavailable::Disk));
}

#[test]
fn a_full_queue_refuses_and_what_it_refuses_is_never_stored() {
    let mut rig = Rig::with(|config| config.sync_interval = Duration::from_secs(3600));
    let mut stored = rig.append(1, "/first is taken at once");
    let text = "x".repeat(1024 * 1024);
    let wal = rig.wal().clone();
    let mut refused = 0;
    block_on(async {
        let mut waiting = tokio::task::JoinSet::new();
        while refused < 2 {
            // The check comes before the body; two requests may pass it and only one fit.
            let Ok(admission) = wal.admit(1) else {
                assert_eq!(wal.accepting(), Err(Unavailable::Queue));
                break;
            };
            let seq = admission.stamp(0).seq;
            let rows = rows(&admission, 1, &text);
            let wal = wal.clone();
            waiting.spawn(async move { (seq, wal.append(admission, rows).await) });
            tokio::task::yield_now().await;
            while let Some(done) = waiting.try_join_next() {
                let (_, answer) = done.unwrap();
                let full = AppendError::Unavailable(Unavailable::Queue);
                assert_eq!(answer.unwrap_err(), full);
                refused += 1;
            }
        }
        let closer = std::thread::spawn(move || wal.close());
        while let Some(done) = waiting.join_next().await {
            let (seq, answer) = done.unwrap();
            match answer {
                Ok(_) => stored.push(seq),
                Err(e) => assert_eq!(e, AppendError::Unavailable(Unavailable::Queue)),
            }
        }
        closer.join().unwrap();
    });
    rig.drain();
    assert!(stored.len() > QUEUE_BYTES_MAX / text.len() / 2);
    assert_eq!(rig.store.seqs(), stored);
}

#[test]
fn closing_commits_what_is_queued_and_refuses_the_rest() {
    let mut rig = Rig::with(|config| config.sync_interval = Duration::from_secs(3600));
    let mut stored = rig.append(1, "/first");
    let queued = rig.wal().admit(2).unwrap();
    let late = rig.wal().admit(1).unwrap();
    stored.extend([queued.stamp(0).seq, queued.stamp(1).seq]);
    let queued_rows = rows(&queued, 2, "/queued");
    // Polled once and dropped: a client that goes away takes nothing back.
    block_on(async {
        let append = rig.wal().append(queued, queued_rows);
        tokio::select! {
            biased;
            _ = append => panic!("nothing is committed before the tick"),
            () = std::future::ready(()) => {}
        }
    });
    rig.wal().clone().close();
    let late_rows = rows(&late, 1, "/late");
    let refused = block_on(rig.wal().append(late, late_rows)).unwrap_err();
    assert_eq!(refused, AppendError::Unavailable(Unavailable::Closing));
    assert_eq!(rig.refusal(), Some(Unavailable::Closing));
    rig.drain();
    assert_eq!(rig.store.seqs(), stored);
}

#[test]
fn a_damaged_node_file_needs_an_operator_and_a_lost_one_makes_a_new_node() {
    let mut rig = Rig::new();
    rig.store.hold();
    let acked = rig.append(3, "/");
    rig.close();
    let path = rig.dir().join("node");
    let before = (rig.report.node, rig.report.boot);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[20] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    let config: WalConfig = rig.config.clone();
    let opened = Wal::open(config, rig.clock.clone(), Store::default());
    assert!(matches!(opened, Err(WalError::Identity(_))));
    std::fs::remove_file(&path).unwrap();
    rig.drain();
    assert_eq!(rig.store.seqs(), acked);
    assert_eq!(rig.report.boot, 1);
    assert_ne!(rig.report.node, before.0);
}
