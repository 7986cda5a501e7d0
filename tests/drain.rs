//! The drain on the real engine: each row exactly once, whatever happens.

use std::ops::ControlFlow;
use std::path::PathBuf;

use rand::{RngExt, SeedableRng};
use tallyhouse::clock::Clock;
use tallyhouse::drain::{Drain, DrainConfig};
use tallyhouse::event::row;
use tallyhouse::store::{Block, Class, Store};
use tokio::sync::watch;

use crate::rig;
use crate::rig::engine::RunningEngine;
use crate::rig::events::{Segment, hour, segment};

struct Bench {
    running: RunningEngine,
    store: Store,
    stop: watch::Sender<bool>,
    drain: Option<Drain>,
}

impl Bench {
    async fn new() -> Bench {
        let running = rig::engine().await;
        let store = running.migrated().await;
        let (stop, _) = watch::channel(false);
        let mut bench = Bench { running, store, stop, drain: None };
        bench.restart();
        bench
    }

    fn quarantine(&self) -> PathBuf {
        self.running.dir.path().join("quarantine")
    }

    /// A drain that knows nothing of what was before.
    fn restart(&mut self) {
        let config = DrainConfig {
            quarantine: self.quarantine(),
            clock: Clock::system(0),
            stop: self.stop.subscribe(),
            runtime: tokio::runtime::Handle::current(),
        };
        self.drain = Some(Drain::new(self.store.clone(), config));
    }

    /// Drains on a thread of its own, as the log does.
    async fn drain(&mut self, segment: Segment) -> ControlFlow<()> {
        let mut drain = self.drain.take().expect("one segment at a time");
        let work = move || {
            let flow = drain.store(segment.batch());
            (drain, flow)
        };
        let (sender, done) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || sender.send(work()).is_ok());
        let (drain, flow) = done.await.expect("the drain ends");
        self.drain = Some(drain);
        flow
    }

    /// Rows, distinct sequence numbers, and their sum; waits while a killed engine comes back.
    async fn counts(&self) -> (u64, u64, u64) {
        let sql = "SELECT count(), uniqExact(node, seq), sum(seq) FROM events WHERE site_id != 0";
        let counts = std::sync::OnceLock::new();
        rig::until("the engine answers", async || {
            match self.store.rows::<(u64, u64, u64)>(sql, &[]).await {
                Ok(rows) => counts.set(rows[0]).is_ok(),
                Err(error) => {
                    assert_eq!(error.class, Class::Retry, "{error}");
                    false
                }
            }
        })
        .await;
        *counts.get().expect("the engine answered")
    }

    async fn markers(&self) -> u64 {
        let sql = "SELECT count() FROM events WHERE site_id = 0";
        self.store.rows::<u64>(sql, &[]).await.unwrap()[0]
    }
}

fn plain(first_seq: u64, count: u64) -> Segment {
    segment(first_seq, count, |seq| format!("/page/{}", seq % 17))
}

const DONE: ControlFlow<()> = ControlFlow::Continue(());

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_segment_is_stored_once_however_often_it_comes() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.drain(plain(0, 1_000)).await, DONE);
    bench.restart();
    assert_eq!(bench.drain(plain(0, 1_000)).await, DONE);
    assert_eq!(bench.drain(plain(1_000, 1)).await, DONE);
    assert_eq!(bench.counts().await, (1_001, 1_001, 1_000 * 1_001 / 2));
    assert_eq!(bench.markers().await, 2, "one insert is one block");
    bench.running.engine.stop().await;
}

#[derive(clickhouse::Row, serde::Deserialize, Debug, PartialEq)]
struct Read {
    site_id: u32,
    ts: i64,
    hour: u32,
    day: u16,
    node: u32,
    seq: u64,
    visitor: [u8; 16],
    pathname: String,
    utm_term: String,
    channel: i8,
    device: i8,
    revenue_milli: i64,
    props: Vec<(String, String)>,
    expires: u16,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_read_back_as_they_were_written() {
    let mut bench = Bench::new().await;
    assert_eq!(bench.drain(segment(40, 3, |seq| format!("/ü?{seq}\t\\'"))).await, DONE);
    let sql = "SELECT site_id, ts, hour, day, node, seq, visitor, pathname, utm_term, channel, device, \
               revenue_milli, props, expires FROM events WHERE seq = 41 AND site_id != 0";
    let rows: Vec<Read> = bench.store.rows(sql, &[]).await.unwrap();
    let zone = tallyhouse::hours::Zone::named("Asia/Kolkata").unwrap();
    let ts = hour().start_ms() + 41;
    let mut visitor = [0; 16];
    visitor[0] = 13;
    let expected = Read {
        site_id: 1 + 41 % 3,
        ts,
        hour: zone.local(ts).hour_s,
        day: zone.local(ts).day.0,
        node: 7,
        seq: 41,
        visitor,
        pathname: "/ü?41\t\\'".to_owned(),
        utm_term: "ä41".to_owned(),
        channel: 1,
        device: 1,
        revenue_milli: -12_345,
        props: vec![("plan".into(), "pro".into()), ("size".into(), "ä41".into())],
        expires: u16::MAX,
    };
    assert_eq!(rows, [expected]);
    bench.running.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refused_rows_are_set_aside_and_the_rest_is_stored() {
    let mut bench = Bench::new().await;
    let poison = "ALTER TABLE events ADD CONSTRAINT poison CHECK pathname != '/poison'";
    bench.store.run(poison, &[]).await.unwrap();
    let path = |seq| if seq == 3 || seq == 700 { "/poison".into() } else { "/fine".into() };
    assert_eq!(bench.drain(segment(0, 1_000, path)).await, DONE);
    let all = 999 * 1_000 / 2;
    assert_eq!(bench.counts().await, (998, 998, all - 703));

    let mut kept: Vec<_> =
        std::fs::read_dir(bench.quarantine()).unwrap().map(|entry| entry.unwrap().path()).collect();
    kept.sort();
    assert_eq!(kept.len(), 4, "two rows, each with its reason: {kept:?}");
    let reason =
        std::fs::read_to_string(kept.iter().find(|p| p.extension().unwrap() == "txt").unwrap());
    assert!(reason.unwrap().contains("poison"));

    // After a crash the same segment comes again; by then ClickHouse would even take it whole.
    bench.store.run("ALTER TABLE events DROP CONSTRAINT poison", &[]).await.unwrap();
    bench.restart();
    assert_eq!(bench.drain(segment(0, 1_000, path)).await, DONE);
    assert_eq!(bench.counts().await, (1_000, 1_000, all));
    bench.running.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_of_broken_bytes_does_not_harm_its_neighbours() {
    let mut bench = Bench::new().await;
    let mut broken = plain(0, 50);
    // The last record loses its last byte, and says so in its head.
    let last = plain(49, 1).records.len();
    let at = broken.records.len() - last;
    broken.records.pop();
    let length = (last - row::RECORD_HEAD_BYTES - 1) as u32;
    broken.records[at + 2..at + 6].copy_from_slice(&length.to_le_bytes());
    assert_eq!(bench.drain(broken).await, DONE);
    assert_eq!(bench.counts().await, (49, 49, 48 * 49 / 2));
    bench.running.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_not_as_expected_is_waited_for_not_bisected() {
    let mut bench = Bench::new().await;
    bench.store.run("ALTER TABLE events RENAME COLUMN city TO town", &[]).await.unwrap();
    let columns = row::VERSION;
    assert_eq!(bench.store.probe(columns).await.unwrap_err().class, Class::Refused);
    let store = bench.store.clone();
    let retries = tallyhouse::metrics::METRICS.drain_retries.get();
    let mend = tokio::spawn(async move {
        rig::until("the drain tries again", async || {
            tallyhouse::metrics::METRICS.drain_retries.get() > retries
        })
        .await;
        store.run("ALTER TABLE events RENAME COLUMN town TO city", &[]).await.unwrap();
    });
    assert_eq!(bench.drain(plain(0, 100)).await, DONE);
    mend.await.unwrap();
    assert_eq!(bench.counts().await.0, 100);
    assert!(!bench.quarantine().exists());
    bench.running.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_breaks_the_wait_for_clickhouse() {
    let mut bench = Bench::new().await;
    bench.store.run("RENAME TABLE events TO gone", &[]).await.unwrap();
    let stop = bench.stop.clone();
    let retries = tallyhouse::metrics::METRICS.drain_retries.get();
    tokio::spawn(async move {
        rig::until("the drain tries again", async || {
            tallyhouse::metrics::METRICS.drain_retries.get() > retries
        })
        .await;
        stop.send(true).unwrap();
    });
    assert_eq!(bench.drain(plain(0, 10)).await, ControlFlow::Break(()));
    bench.running.engine.stop().await;
}

/// kill -9 of the engine at random moments of the inserts: I3.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_row_is_stored_once_through_twenty_kills() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = rand::rngs::SmallRng::seed_from_u64(seed);
    let mut bench = Bench::new().await;
    let (mut total, mut kills) = (0, 0);
    while kills < 20 {
        let count = random.random_range(1..20_000);
        let delay = std::time::Duration::from_millis(random.random_range(0..80));
        let pid = bench.running.engine.pid();
        let killer = tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            let pid = pid.and_then(|pid| rustix::process::Pid::from_raw(pid as i32));
            let kill = rustix::process::Signal::KILL;
            pid.is_some_and(|pid| rustix::process::kill_process(pid, kill).is_ok())
        });
        assert_eq!(bench.drain(plain(total, count)).await, DONE);
        kills += u32::from(killer.await.unwrap());
        total += count;
        if random.random_bool(0.3) {
            bench.restart();
        }
        rig::engine::ready(&bench.running.engine).await;
        assert_eq!(bench.counts().await, (total, total, total * (total - 1) / 2));
    }
    println!("{} tries were repeated", tallyhouse::metrics::METRICS.drain_retries.get());
    bench.running.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_insert_given_up_leaves_nothing_behind() {
    let bench = Bench::new().await;
    for round in 0..20_u64 {
        let segment = plain(round * 1_000, 1_000);
        let block = block(&segment);
        let insert = bench.store.insert_block(&block);
        // Given up at various points of its way.
        let _ = tokio::time::timeout(std::time::Duration::from_micros(round * 700), insert).await;
        bench.store.kill_query(&block.query_id()).await.unwrap();
        let found = bench.store.has_block(block.id, hour(), 7).await.unwrap();
        let sql = format!(
            "SELECT count() FROM events WHERE site_id != 0 AND intDiv(seq, 1000) = {round}"
        );
        let rows = bench.store.rows::<u64>(&sql, &[]).await.unwrap()[0];
        assert_eq!(rows, if found { 1_000 } else { 0 }, "round {round}");
        if !found {
            bench.store.insert_block(&block).await.unwrap();
            assert!(bench.store.has_block(block.id, hour(), 7).await.unwrap());
        }
    }
    assert_eq!(bench.counts().await.0, 20_000);
    bench.running.engine.stop().await;
}

fn block(segment: &Segment) -> Block {
    let mut rows = Vec::new();
    let mut at = 0;
    while at < segment.records.len() {
        let length: [u8; 4] = segment.records[at + 2..at + 6].try_into().unwrap();
        let end = at + row::RECORD_HEAD_BYTES + u32::from_le_bytes(length) as usize;
        rows.extend_from_slice(&segment.records[at + row::RECORD_HEAD_BYTES..end]);
        at = end;
    }
    Block {
        id: segment.id,
        first: segment.first,
        version: row::VERSION,
        rows: rows.into(),
        expires: tallyhouse::hours::Day(u16::MAX),
    }
}
