//! kill -9 under load, again and again, then count. Every event carries a number of its own, and each
//! post ends in the ledger as accepted (202), refused (certainly not stored) or unknown. After the last
//! restart every accepted event must be in ClickHouse once, a refused one never, an unknown one at most
//! once. kill -9 keeps the page cache: it says nothing about fsync.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::timeout;

use crate::Options;
use crate::client::Client;
use crate::daemon::Daemon;
use crate::report::{Report, thousands};
use crate::traffic;

const CONNECTIONS: usize = 64;
/// A post that takes longer counts as unknown.
const POST_TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Accepted,
    Refused,
    Unknown,
}

type Ledger = HashMap<u64, Fate>;

pub async fn run(options: &Options, report: &mut Report) -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    Daemon::prepare(dir.path())?;
    let mut rng = StdRng::seed_from_u64(options.seed);
    let agents = Arc::new(traffic::agents(&mut rng));
    let ids = Arc::new(AtomicU64::new(0));
    let mut ledger = Ledger::new();
    for round in 1..=options.rounds {
        let mut daemon = Daemon::start(dir.path(), 0)?;
        daemon.ready().await?;
        let posters = post(daemon.listen, &mut rng, &agents, &ids);
        // some kills hit the first commits, some a drain or a seal
        let life = Duration::from_millis(rng.random_range(20..4_000));
        tokio::time::sleep(life).await;
        daemon.kill9()?;
        for fates in posters.finish().await {
            ledger.extend(fates);
        }
        eprintln!("soak: round {round} of {}, {} posts", options.rounds, ledger.len());
    }
    let mut daemon = Daemon::start(dir.path(), 0)?;
    daemon.ready().await?;
    daemon.drained().await?;
    let stored = stored(&daemon)?;
    verdict(options, report, &ledger, &stored)
}

struct Posters {
    stop: Arc<AtomicBool>,
    tasks: Vec<tokio::task::JoinHandle<Vec<(u64, Fate)>>>,
}

impl Posters {
    async fn finish(self) -> Vec<Vec<(u64, Fate)>> {
        self.stop.store(true, Ordering::Relaxed);
        let mut fates = Vec::new();
        for task in self.tasks {
            fates.push(task.await.expect("a poster does not panic"));
        }
        fates
    }
}

fn post(
    target: SocketAddr,
    rng: &mut StdRng,
    agents: &Arc<Vec<String>>,
    ids: &Arc<AtomicU64>,
) -> Posters {
    let stop = Arc::new(AtomicBool::new(false));
    let tasks = (0..CONNECTIONS)
        .map(|_| {
            let (stop, agents, ids) = (stop.clone(), agents.clone(), ids.clone());
            let rng = StdRng::seed_from_u64(rng.random());
            tokio::spawn(poster(target, rng, stop, agents, ids))
        })
        .collect();
    Posters { stop, tasks }
}

/// Posts until it is told to stop or the connection breaks; the break is the kill.
async fn poster(
    target: SocketAddr,
    mut rng: StdRng,
    stop: Arc<AtomicBool>,
    agents: Arc<Vec<String>>,
    ids: Arc<AtomicU64>,
) -> Vec<(u64, Fate)> {
    let mut fates = Vec::new();
    let Ok(mut client) = Client::connect(target).await else { return fates };
    while !stop.load(Ordering::Relaxed) {
        let id = ids.fetch_add(1, Ordering::Relaxed);
        let agent = &agents[rng.random_range(0..agents.len())];
        let request = traffic::marked(&mut rng, agent, id);
        let answer = timeout(POST_TIMEOUT, client.send(&request)).await;
        let fate = match answer {
            Ok(Ok(202)) => Fate::Accepted,
            Ok(Ok(status)) if status != 500 => Fate::Refused,
            _ => Fate::Unknown,
        };
        fates.push((id, fate));
        if !matches!(answer, Ok(Ok(_))) {
            break;
        }
    }
    fates
}

/// How often each number is in ClickHouse.
fn stored(daemon: &Daemon) -> io::Result<HashMap<u64, u64>> {
    let text = daemon
        .sql("SELECT props['id'] AS id, count() FROM events WHERE name = 'Soak' GROUP BY id")?;
    let rows = text.lines().map(|line| {
        let (id, count) = line.split_once('\t')?;
        Some((id.parse().ok()?, count.parse().ok()?))
    });
    rows.collect::<Option<_>>().ok_or_else(|| io::Error::other("ClickHouse's answer is no table"))
}

fn verdict(
    options: &Options,
    report: &mut Report,
    ledger: &Ledger,
    stored: &HashMap<u64, u64>,
) -> io::Result<()> {
    let mut rows = Vec::new();
    let mut wrong = 0;
    let times = |id: &u64| stored.get(id).copied().unwrap_or(0);
    for (fate, name) in
        [(Fate::Accepted, "accepted"), (Fate::Refused, "refused"), (Fate::Unknown, "unknown")]
    {
        let of: Vec<u64> =
            ledger.iter().filter(|(_, f)| **f == fate).map(|(id, _)| times(id)).collect();
        let count = |wanted: fn(&u64) -> bool| of.iter().filter(|n| wanted(n)).count();
        let (never, once, more) = (count(|n| *n == 0), count(|n| *n == 1), count(|n| *n > 1));
        wrong += more
            + match fate {
                Fate::Accepted => never,
                Fate::Refused => once,
                Fate::Unknown => 0,
            };
        let counts = [of.len(), once, never, more].map(|n| thousands(n as f64));
        rows.push([vec![name.to_string()], counts.to_vec()].concat());
    }
    let strangers = stored.keys().filter(|id| !ledger.contains_key(id)).count();
    report.line(&format!("### kill -9, {} rounds\n", options.rounds));
    report.line(&format!("{CONNECTIONS} connections, seed {}.\n", options.seed));
    report.table(&["answer", "posts", "stored once", "never", "more than once"], &rows);
    if wrong + strangers > 0 {
        let problem = format!("{wrong} events with a wrong count, {strangers} that nobody sent");
        return Err(io::Error::other(problem));
    }
    Ok(())
}
