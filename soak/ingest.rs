//! How fast events are taken, beside a server that does nothing, under the same load in the same run.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::Options;
use crate::bare::Bare;
use crate::client::Client;
use crate::daemon::{Daemon, free_address};
use crate::load::{self, Load, Outcome};
use crate::report::{Report, machine, thousands};
use crate::traffic;

/// Rounds; the two servers take turns, so that a slow minute of the machine hits both.
const ROUNDS: u32 = 3;

pub async fn run(options: &Options, per_post: usize, report: &mut Report) -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    Daemon::prepare(dir.path())?;
    let mut daemon = Daemon::start(dir.path(), 0)?;
    daemon.ready().await?;
    daemon.drained().await?;
    let bare_address = free_address()?;
    let _bare = Bare::start(bare_address)?;
    wait_for(bare_address).await?;
    let requests = Arc::new(traffic::requests(options.seed, 32_768, per_post));
    let load = |target| Load {
        target,
        connections: options.connections,
        duration: Duration::from_secs(options.seconds) / ROUNDS,
        rate: None,
        requests: requests.clone(),
    };
    let (mut ours, mut bare) = (Outcome::new(), Outcome::new());
    for _ in 0..ROUNDS {
        for (sum, target) in [(&mut ours, daemon.listen), (&mut bare, bare_address)] {
            let one = load::run(load(target)).await;
            sum.add(&one);
            sum.seconds += one.seconds;
        }
    }
    // half of what was reached, at fixed times: latency without a queue of our own making
    let rate = ours.rate() / 2.0;
    let steady = load::run(Load { rate: Some(rate), ..load(daemon.listen) }).await;
    daemon.drained().await?;
    write(options, per_post, report, [&ours, &bare, &steady]);
    Ok(())
}

/// The bare server alone, closed loop and at half the rate: shows what the generator costs.
pub async fn generator(options: &Options, report: &mut Report) -> io::Result<()> {
    let address = free_address()?;
    let _bare = Bare::start(address)?;
    wait_for(address).await?;
    let closed = Load {
        target: address,
        connections: options.connections,
        duration: Duration::from_secs(options.seconds),
        rate: None,
        requests: Arc::new(traffic::requests(options.seed, 32_768, 1)),
    };
    let fast = load::run(closed.clone()).await;
    let steady = load::run(Load { rate: Some(fast.rate() / 2.0), ..closed }).await;
    report.line("### The generator against a bare handler\n");
    report.line(&format!("{} connections. {}.\n", options.connections, machine()));
    let rows =
        [row("as fast as it answers", 1, &fast), row("half that rate, open loop", 1, &steady)];
    report.table(&HEAD, &rows);
    Ok(())
}

async fn wait_for(address: SocketAddr) -> io::Result<()> {
    for _ in 0..200 {
        if Client::connect(address).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    Err(io::Error::other("the bare server did not start in 5 s"))
}

fn write(
    options: &Options,
    per_post: usize,
    report: &mut Report,
    [ours, bare, steady]: [&Outcome; 3],
) {
    let title = if per_post == 1 { "one event a post" } else { "ten events a post" };
    report.line(&format!("### Ingest: {title}\n"));
    report.line(&format!(
        "{} connections, {} s each, seed {}. {}.\n",
        options.connections,
        options.seconds,
        options.seed,
        machine()
    ));
    let rows = [
        row("Tallyhouse, as fast as it answers", per_post, ours),
        row("bare handler", per_post, bare),
        row("Tallyhouse, half that rate, open loop", per_post, steady),
    ];
    report.table(&HEAD, &rows);
    let ratio = ours.rate() / bare.rate();
    report.line(&format!("Share of the bare handler's rate: **{:.0} %**.\n", ratio * 100.0));
}

const HEAD: [&str; 11] = [
    "server",
    "requests/s",
    "events/s",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "max ms",
    "202",
    "503",
    "other",
    "unknown",
];

fn row(name: &str, per_post: usize, o: &Outcome) -> Vec<String> {
    let events = o.rate() * per_post as f64;
    let mut row = vec![name.to_string(), thousands(o.rate()), thousands(events)];
    row.extend([0.5, 0.99, 0.999].map(|q| format!("{:.1}", o.latency.quantile_ms(q))));
    row.push(format!("{:.1}", o.latency.max_ms()));
    row.extend([o.accepted, o.unavailable, o.other, o.unknown].map(|n| thousands(n as f64)));
    row
}
