//! Whatever dies, and whenever: doing it again gives the same.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tallyhouse::closer::Closer;
use tallyhouse::hours::{Day, Hour};
use tallyhouse::limits::CLOSE_GRACE_MS;
use tallyhouse::store::{DATABASE, Endpoint, Server, Store, StoreConfig, Topology};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::{Bench, Kinds, hour};
use crate::rig;
use crate::stream::{self, ZONES};

/// How often the engine dies before it is left in peace.
const KILLS: usize = 20;

/// A way to ClickHouse that breaks after so many statements: before one reaches it, or after it ran
/// and before its answer is back.
struct Cut {
    address: SocketAddr,
    left: Arc<AtomicU32>,
}

impl Cut {
    /// Statements pass without limit.
    const NEVER: u32 = u32::MAX;

    async fn new(upstream: SocketAddr) -> Cut {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let left = Arc::new(AtomicU32::new(Cut::NEVER));
        let shared = Arc::clone(&left);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(upstream).await.unwrap();
                tokio::spawn(pass(client, server, Arc::clone(&shared)));
            }
        });
        Cut { address, left }
    }

    fn after(&self, statements: u32) {
        self.left.store(statements, Ordering::SeqCst);
    }
}

/// Passes bytes until the budget is spent. An even budget ends with a statement that ran unheard.
async fn pass(mut client: TcpStream, mut server: TcpStream, left: Arc<AtomicU32>) {
    let (mut request, mut answer) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    loop {
        tokio::select! {
            n = client.read(&mut request) => {
                let Ok(n @ 1..) = n else { return };
                if request.starts_with(b"POST ") && left.load(Ordering::SeqCst) != Cut::NEVER {
                    let before = left.load(Ordering::SeqCst);
                    if before == 0 {
                        return;
                    }
                    left.store(before - 1, Ordering::SeqCst);
                }
                if server.write_all(&request[..n]).await.is_err() {
                    return;
                }
            }
            n = server.read(&mut answer) => {
                let Ok(n @ 1..) = n else { return };
                if left.load(Ordering::SeqCst) == 0 {
                    return;
                }
                if client.write_all(&answer[..n]).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A closer behind a way that can be cut.
async fn behind(bench: &Bench) -> (Closer, Cut) {
    let endpoint = bench.running.engine.endpoint().borrow().clone().unwrap();
    let cut = Cut::new(endpoint.url.strip_prefix("http://").unwrap().parse().unwrap()).await;
    let url = format!("http://{}", cut.address);
    let store = Store::new(StoreConfig {
        server: Server::At(Endpoint { url, ..endpoint }),
        database: DATABASE.to_owned(),
        data_dir: Some(bench.running.dir.path().to_path_buf()),
        topology: Topology::Single,
    });
    let lock = bench.running.dir.path().join("closer.lock");
    (Closer::new(store, bench.clock.clone(), lock), cut)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_may_break_between_any_two_statements() {
    let seed = stream::seed();
    let mut rng = SmallRng::seed_from_u64(seed);
    let bench = Bench::new(stream::hits(seed, hour("2026-06-01T03:00:00Z"), 5, 60)).await;
    let (closer, cut) = behind(&bench).await;
    for hour in bench.hours() {
        bench.insert(hour).await;
        bench.clock.set(hour.next().start_ms() + CLOSE_GRACE_MS);
        let mut statements = 0;
        let horizon = loop {
            cut.after(statements);
            match closer.step(hour.next()).await {
                Ok(horizon) => break horizon,
                Err(_) => statements += 1,
            }
        };
        cut.after(Cut::NEVER);
        assert!(statements > 5, "a close is more than {statements} statements");
        assert_eq!(horizon, bench.closer.horizon().await.unwrap());
        let site = rng.random_range(1..=ZONES.len() as u32);
        bench.compare(horizon, site, bench.days(), Kinds::One(rng.random_range(0..100))).await;
    }

    // Now the seals, and a rebuild of it all.
    let (first, end) = bench.days();
    let last = Day(end.0 - 1);
    bench.clock.set(last.over_everywhere_ms() + CLOSE_GRACE_MS);
    let until = Hour::of_ms(last.over_everywhere_ms());
    let mut statements = 0;
    loop {
        cut.after(statements);
        match closer.step(until).await {
            Ok(_) => break,
            Err(_) => statements += 1,
        }
    }
    cut.after(Cut::NEVER);
    let horizon = bench.closer.horizon().await.unwrap();
    assert_eq!(horizon.sealed_through, last);
    bench.compare_all(horizon).await;
    for statements in [3, 8, 13, 14, 17, 20, 25, 33, 41] {
        cut.after(statements);
        let broken = closer.rebuild(None, first, end, |_| ()).await;
        cut.after(Cut::NEVER);
        if broken.is_err() {
            let horizon = closer.step(until).await.unwrap();
            let site = rng.random_range(1..=ZONES.len() as u32);
            bench.compare(horizon, site, (first, end), Kinds::One(statements as usize)).await;
        }
    }
    bench.compare_all(bench.closer.horizon().await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_engine_may_be_killed_in_any_close_and_seal() {
    let seed = stream::seed();
    let mut rng = SmallRng::seed_from_u64(seed);
    let bench = Bench::new(stream::hits(seed, hour("2026-06-01T09:00:00Z"), 20, 40)).await;
    bench.insert_all().await;
    bench.store.sync().await.unwrap();
    let (_, end) = bench.days();
    let over = Day(end.0 - 1).over_everywhere_ms();
    bench.clock.set(over + CLOSE_GRACE_MS);
    let until = Hour::of_ms(over);
    let mut kills = 0;
    loop {
        let pid = bench.running.engine.pid();
        let wait = Duration::from_millis(rng.random_range(20..1_500));
        let killer = tokio::spawn(async move {
            tokio::time::sleep(wait).await; // a random moment is what is tested
            let pid = pid.and_then(|pid| rustix::process::Pid::from_raw(pid as i32));
            pid.is_some_and(|p| {
                rustix::process::kill_process(p, rustix::process::Signal::KILL).is_ok()
            })
        });
        if kills == KILLS {
            killer.abort();
        }
        let stepped = bench.closer.step(until).await;
        killer.abort();
        if let Ok(true) = killer.await {
            kills += 1;
        }
        rig::until("the engine to be back", async || bench.store.ping().await.is_ok()).await;
        let horizon = bench.closer.horizon().await.unwrap();
        let site = rng.random_range(1..=ZONES.len() as u32);
        bench.compare(horizon, site, bench.days(), Kinds::One(kills)).await;
        if stepped.is_ok() && horizon.closed_until == until {
            break;
        }
    }
    println!("{kills} kills");
    assert!(kills > 0, "the engine died at least once");
    let horizon = bench.closer.horizon().await.unwrap();
    bench.compare_all(horizon).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_left_behind_is_ended() {
    let bench = Bench::new(stream::hits(stream::seed(), hour("2026-06-01T10:00:00Z"), 2, 10)).await;
    bench.insert_all().await;
    let store = bench.store.clone();
    let orphan = tokio::spawn(async move {
        let sql = "INSERT INTO open_hours (site_id, bucket, views) \
                   SELECT 1, toDateTime('2026-06-01 10:00:00', 'UTC'), 1 + sleepEachRow(1) \
                   FROM numbers(60) SETTINGS max_block_size = 1";
        store.run(sql, &[]).await
    });
    let listed =
        "SELECT count() FROM system.processes WHERE startsWith(query, 'INSERT INTO open_hours')";
    rig::until("the orphan to run", async || {
        bench.store.rows::<u64>(listed, &[]).await.unwrap()[0] == 1
    })
    .await;
    let horizon = bench.close(*bench.hours().last().unwrap()).await;
    assert!(orphan.await.unwrap().is_err(), "it was ended");
    bench.compare_all(horizon).await;
}
