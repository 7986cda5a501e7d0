//! Looks at an installation and says what is well, what is not, and what to do. Changes nothing, but
//! for a scratch file in the data directory and an engine it starts and stops when none runs.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use crate::clock::Clock;
use crate::store::Endpoint;

mod clickhouse;
mod disk;
mod local;

/// What to look at: parts of the configuration.
#[derive(Clone, Debug)]
pub struct Setup {
    pub data_dir: PathBuf,
    pub wal_dir: PathBuf,
    pub geo_dir: PathBuf,
    pub accounts_file: PathBuf,
    pub clock: Clock,
    /// Whether only this machine can reach the server.
    pub listen_is_loopback: bool,
    /// How many networks may name the client.
    pub trusted_proxies: usize,
    /// The setting; nothing: the usual places.
    pub engine_library: Option<PathBuf>,
    /// This binary.
    pub program: PathBuf,
    /// An external ClickHouse; nothing: the embedded one.
    pub external: Option<Endpoint>,
    pub database: String,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub check: &'static str,
    pub verdict: Verdict,
    /// What was found.
    pub found: String,
    /// What to do; empty if all is well.
    pub advice: String,
}

impl Finding {
    fn ok(check: &'static str, found: impl Into<String>) -> Finding {
        Finding { check, verdict: Verdict::Ok, found: found.into(), advice: String::new() }
    }

    fn warn(check: &'static str, found: impl Into<String>, advice: &str) -> Finding {
        Finding { check, verdict: Verdict::Warn, found: found.into(), advice: advice.to_owned() }
    }

    fn fail(check: &'static str, found: impl Into<String>, advice: &str) -> Finding {
        Finding { check, verdict: Verdict::Fail, found: found.into(), advice: advice.to_owned() }
    }
}

/// All checks, in the order they were made.
#[derive(Clone, Debug, Serialize)]
pub struct Diagnosis {
    pub findings: Vec<Finding>,
}

/// Makes every check. Takes some seconds when it must start the engine.
pub async fn examine(setup: &Setup) -> Diagnosis {
    let mut findings = vec![
        disk::writable(&setup.data_dir),
        disk::free_space(&setup.data_dir),
        disk::sync_latency(&setup.data_dir),
        local::clock(setup),
        local::open_files(),
        local::proxies(setup),
    ];
    findings.extend(local::geo(setup));
    findings.push(local::wal(setup));
    let (accounts, sites) = local::accounts(setup);
    findings.push(accounts);
    findings.extend(clickhouse::examine(setup, &sites).await);
    Diagnosis { findings }
}

impl Diagnosis {
    /// The worst verdict.
    pub fn verdict(&self) -> Verdict {
        self.findings.iter().map(|f| f.verdict).max().unwrap_or(Verdict::Ok)
    }

    /// The program's exit code: 1 if a check failed.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.verdict() == Verdict::Fail)
    }

    /// For programs.
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(&self.findings).expect("findings are plain data")
    }
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let mark = match finding.verdict {
                Verdict::Ok => "ok  ",
                Verdict::Warn => "warn",
                Verdict::Fail => "FAIL",
            };
            writeln!(f, "{mark}  {}: {}", finding.check, finding.found)?;
            if !finding.advice.is_empty() {
                writeln!(f, "      → {}", finding.advice)?;
            }
        }
        let count = |v: Verdict| self.findings.iter().filter(|f| f.verdict == v).count();
        let (warn, fail) = (count(Verdict::Warn), count(Verdict::Fail));
        write!(f, "{} checks: {fail} failed, {warn} to look at", self.findings.len())
    }
}
