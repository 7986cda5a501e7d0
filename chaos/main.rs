//! Crash drills against the real binary. Not run by a plain `cargo test`, which has the short form
//! (`tests/serve.rs`).
//!
//! ```text
//! cargo test --release --test chaos -- list | kill9 [ROUNDS] [--seed N] [--write FILE]
//! ```
#![allow(unreachable_pub, dead_code)] // the parts shared with soak are used in part

#[path = "../soak/client.rs"]
mod client;
#[path = "../soak/daemon.rs"]
mod daemon;
mod kill9;
#[path = "../soak/report.rs"]
mod report;
#[path = "../soak/traffic.rs"]
mod traffic;

use std::path::PathBuf;

use report::Report;

const SCENARIOS: &str = "kill9   kill -9 of the daemon (its engine goes with it) at random moments under load; holds I1, I2, I3";

/// What the command line asked for.
pub struct Options {
    pub rounds: u32,
    pub seed: u64,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let after = |name: &str| args.iter().position(|a| a == name).and_then(|at| args.get(at + 1));
    let seed = after("--seed").and_then(|text| text.parse().ok()).unwrap_or_else(rand::random);
    match args.first().map(String::as_str) {
        Some("list") => println!("{SCENARIOS}"),
        Some("kill9") => {
            let rounds = args.get(1).and_then(|text| text.parse().ok()).unwrap_or(100);
            let document = after("--write").map(PathBuf::from);
            if let Err(error) = kill9(&Options { rounds, seed }, document) {
                eprintln!("chaos: {error}");
                std::process::exit(1);
            }
        }
        _ => {
            eprintln!("usage: chaos list | kill9 [ROUNDS] [--seed N] [--write FILE]\n{SCENARIOS}");
            std::process::exit(2);
        }
    }
}

fn kill9(options: &Options, document: Option<PathBuf>) -> std::io::Result<()> {
    println!("chaos: kill9, {} rounds, seed {}", options.rounds, options.seed);
    let mut report = Report::new("kill9");
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(kill9::run(options, &mut report))?;
    document.map_or(Ok(()), |path| report.write(&path))
}
