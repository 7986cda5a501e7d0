//! Load on the real binary, beside a handler that does nothing. Not run by a plain `cargo test`.
//!
//! ```text
//! cargo test --release --test soak -- generator | ingest-single | ingest-ten | end-to-end | bench
//!     [--connections N] [--seconds S] [--rate EVENTS_PER_SECOND] [--seed N] [--write FILE]
//! ```
//! `generator` loads the bare handler alone: what the generator itself can do.
#![allow(unreachable_pub, dead_code)] // nothing here is reachable from anywhere

mod bare;
mod client;
mod daemon;
mod end_to_end;
mod histogram;
mod ingest;
mod load;
mod report;
mod traffic;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use report::Report;

/// What the command line asked for.
pub struct Options {
    pub connections: usize,
    /// Of one load.
    pub seconds: u64,
    /// Events a second of `end-to-end`.
    pub rate: f64,
    pub seed: u64,
}

enum Scenario {
    Bare(SocketAddr),
    Generator,
    Ingest(usize),
    EndToEnd,
    Bench,
}

const USAGE: &str =
    "usage: soak generator | ingest-single | ingest-ten | end-to-end [SECONDS] | bench
       [--connections N] [--seconds S] [--rate EVENTS_PER_SECOND] [--seed N] [--write FILE]";

fn main() {
    histogram::self_check();
    let outcome = parse(std::env::args().skip(1)).and_then(|(scenario, options, document)| {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(run(scenario, &options, document))
    });
    if let Err(e) = outcome {
        eprintln!("soak: {e}");
        std::process::exit(1);
    }
}

async fn run(scenario: Scenario, options: &Options, document: Option<PathBuf>) -> io::Result<()> {
    let (section, parts) = match scenario {
        Scenario::Bare(address) => return bare::serve(address).await,
        Scenario::Generator => ("generator", vec![Scenario::Generator]),
        Scenario::Ingest(1) => ("ingest-single", vec![Scenario::Ingest(1)]),
        Scenario::Ingest(n) => ("ingest-ten", vec![Scenario::Ingest(n)]),
        Scenario::EndToEnd => ("end-to-end", vec![Scenario::EndToEnd]),
        Scenario::Bench => {
            ("bench", vec![Scenario::Ingest(1), Scenario::Ingest(10), Scenario::EndToEnd])
        }
    };
    eprintln!("soak: {section}, seed {}", options.seed);
    let mut report = Report::new(section);
    for part in parts {
        match part {
            Scenario::Generator => ingest::generator(options, &mut report).await?,
            Scenario::Ingest(per_post) => ingest::run(options, per_post, &mut report).await?,
            Scenario::EndToEnd => end_to_end::run(options, &mut report).await?,
            _ => unreachable!("the others ended above"),
        }
    }
    document.map_or(Ok(()), |path| report.write(&path))
}

fn parse(
    mut args: impl Iterator<Item = String>,
) -> io::Result<(Scenario, Options, Option<PathBuf>)> {
    let usage = || io::Error::other(USAGE);
    let mut options = Options { connections: 4096, seconds: 15, rate: 50_000.0, seed: 1 };
    let (mut words, mut document) = (Vec::new(), None);
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(usage);
        let number = |text: String| text.parse::<u64>().map_err(|_| usage());
        match arg.as_str() {
            "--connections" => options.connections = number(value()?)?.max(1) as usize,
            "--seconds" => options.seconds = number(value()?)?.max(3),
            "--rate" => options.rate = number(value()?)?.max(1) as f64,
            "--seed" => options.seed = number(value()?)?,
            "--write" => document = Some(PathBuf::from(value()?)),
            word if !word.starts_with('-') => words.push(word.to_string()),
            _ => return Err(usage()),
        }
    }
    let count = words.get(1).and_then(|n| n.parse::<u64>().ok());
    let scenario = match words.first().map(String::as_str) {
        Some("bare") => {
            let address = words.get(1).and_then(|a| a.parse().ok());
            Scenario::Bare(address.ok_or_else(usage)?)
        }
        Some("generator") => Scenario::Generator,
        Some("ingest-single") => Scenario::Ingest(1),
        Some("ingest-ten") => Scenario::Ingest(10),
        Some("end-to-end") => {
            options.seconds = count.unwrap_or(options.seconds.max(60));
            Scenario::EndToEnd
        }
        Some("bench") => Scenario::Bench,
        _ => return Err(usage()),
    };
    Ok((scenario, options, document))
}
