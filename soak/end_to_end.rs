//! Constant load while ClickHouse takes the log in and an hour ends and is closed. What matters is
//! that nothing piles up: the backlog's slope is about zero and an hour closes soon after its end.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::Options;
use crate::daemon::{Daemon, cpu_seconds, rss_mib, scrape, value};
use crate::load::{self, Load, Outcome};
use crate::report::{Report, machine, thousands};
use crate::traffic;

/// Time for the daemon and ClickHouse to come to rest before idle memory is read.
const SETTLE: Duration = Duration::from_secs(10);
/// Events of one post.
const PER_POST: usize = 10;
/// An hour must be closed this long after its end, at the latest.
const CLOSE_WITHIN: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Seen {
    /// (seconds since the start, events in the log and not in ClickHouse)
    backlog: Vec<(f64, f64)>,
    daemon_rss_mib: f64,
    engine_rss_mib: f64,
    closed_after: Option<Duration>,
}

struct Engine {
    pid: u32,
    idle_mib: [f64; 2],
    cpu_seconds: f64,
}

pub async fn run(options: &Options, report: &mut Report) -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    Daemon::prepare(dir.path())?;
    // the hour ends in the middle of the load
    let until_boundary = SETTLE.as_secs() + 5 + options.seconds / 2;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let offset_s = 3600 - (now_s % 3600) as i64 - until_boundary as i64;
    let boundary_s = now_s as i64 + offset_s + until_boundary as i64;
    let boundary = Instant::now() + Duration::from_secs(until_boundary);
    let mut daemon = Daemon::start(dir.path(), offset_s)?;
    daemon.ready().await?;
    daemon.drained().await?;
    tokio::time::sleep(SETTLE).await;
    let pid =
        daemon.engine_pid().ok_or_else(|| io::Error::other("no ClickHouse below the daemon"))?;
    let idle_mib = [rss_mib(daemon.pid()), rss_mib(pid)];
    let engine = Engine { pid, idle_mib, cpu_seconds: cpu_seconds(pid) };
    let daemon_cpu = cpu_seconds(daemon.pid());
    let load = tokio::spawn(load::run(Load {
        target: daemon.listen,
        connections: options.connections.min(2048),
        duration: Duration::from_secs(options.seconds),
        rate: Some(options.rate / PER_POST as f64),
        requests: Arc::new(traffic::requests(options.seed, 32_768, PER_POST)),
    }));
    let mut seen = watch(&mut daemon, &engine, boundary, boundary_s, || load.is_finished()).await?;
    let outcome = load.await.expect("the load does not panic");
    daemon.drained().await?;
    if seen.closed_after.is_none() {
        let metrics = daemon.metrics;
        daemon
            .wait("close the hour", CLOSE_WITHIN, async || closed(metrics, boundary_s).await)
            .await?;
        seen.closed_after = Some(boundary.elapsed());
    }
    let daemon_cpu = cpu_seconds(daemon.pid()) - daemon_cpu;
    let engine_cpu = cpu_seconds(engine.pid) - engine.cpu_seconds;
    let stored: u64 = daemon
        .sql("SELECT count() FROM events WHERE site_id > 0")?
        .trim()
        .parse()
        .map_err(io::Error::other)?;
    write(options, report, &outcome, &seen);
    costs(report, &engine, &seen, [daemon_cpu, engine_cpu], stored);
    let accepted = outcome.accepted * PER_POST as u64;
    if stored != accepted {
        return Err(io::Error::other(format!("{accepted} accepted, {stored} in ClickHouse")));
    }
    Ok(())
}

async fn watch(
    daemon: &mut Daemon,
    engine: &Engine,
    boundary: Instant,
    boundary_s: i64,
    over: impl Fn() -> bool,
) -> io::Result<Seen> {
    let start = Instant::now();
    let mut seen = Seen::default();
    while !over() {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let now = scrape(daemon.metrics).await?;
        seen.backlog.push((start.elapsed().as_secs_f64(), value(&now, "pending")));
        seen.daemon_rss_mib = seen.daemon_rss_mib.max(rss_mib(daemon.pid()));
        seen.engine_rss_mib = seen.engine_rss_mib.max(rss_mib(engine.pid));
        let closed = value(&now, "closed_through_seconds") >= boundary_s as f64;
        if closed && seen.closed_after.is_none() {
            seen.closed_after = Some(boundary.elapsed());
        }
    }
    Ok(seen)
}

async fn closed(metrics: std::net::SocketAddr, boundary_s: i64) -> bool {
    let now = scrape(metrics).await.unwrap_or_default();
    value(&now, "closed_through_seconds") >= boundary_s as f64
}

/// Least squares over the last two thirds: events a second by which the backlog grows.
fn slope(points: &[(f64, f64)]) -> f64 {
    let points = &points[points.len() / 3..];
    let n = points.len().max(1) as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let rise: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let run: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    if run == 0.0 { 0.0 } else { rise / run }
}

fn write(options: &Options, report: &mut Report, outcome: &Outcome, seen: &Seen) {
    report.line("### End to end: tracker to closed hour\n");
    report.line(&format!(
        "{} events/s wanted, in posts of ten, for {} s in an open loop, seed {}; an hour ends and is closed meanwhile. {}.\n",
        thousands(options.rate),
        options.seconds,
        options.seed,
        machine()
    ));
    let most = seen.backlog.iter().map(|p| p.1).fold(0.0, f64::max);
    let after =
        seen.closed_after.map_or("not closed".into(), |d| format!("{:.1} s", d.as_secs_f64()));
    let latency = |q: f64| format!("{:.1} ms", outcome.latency.quantile_ms(q));
    let rows: Vec<Vec<String>> = [
        ("events accepted", thousands((outcome.accepted * PER_POST as u64) as f64)),
        ("events/s accepted", thousands(outcome.rate() * PER_POST as f64)),
        ("503 / other / unknown", {
            format!("{} / {} / {}", outcome.unavailable, outcome.other, outcome.unknown)
        }),
        ("ack p50", latency(0.5)),
        ("ack p99", latency(0.99)),
        ("ack p99.9", latency(0.999)),
        ("largest backlog, events", thousands(most)),
        ("backlog slope, events/s", thousands(slope(&seen.backlog))),
        ("hour closed after its end", after),
    ]
    .into_iter()
    .map(|(name, value)| vec![name.to_string(), value])
    .collect();
    report.table(&["measure", "value"], &rows);
}

fn costs(report: &mut Report, engine: &Engine, seen: &Seen, cpu: [f64; 2], stored: u64) {
    let million = stored as f64 / 1e6;
    let row = |name: &str, i: usize, most: f64| {
        vec![
            name.to_string(),
            format!("{:.0}", engine.idle_mib[i]),
            format!("{most:.0}"),
            format!("{:.1}", cpu[i]),
            format!("{:.1}", cpu[i] / million),
        ]
    };
    let rows = [row("daemon", 0, seen.daemon_rss_mib), row("ClickHouse", 1, seen.engine_rss_mib)];
    let head = ["process", "idle MiB", "most MiB", "CPU s", "CPU s per million events"];
    report.table(&head, &rows);
}
