//! A real daemon in a folder of its own, and what the system says about its processes.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::client::Client;
use crate::traffic;

const BINARY: &str = env!("CARGO_BIN_EXE_tallyhouse");
/// Linux counts CPU time in hundredths of a second for every program.
const TICKS_PER_SECOND: f64 = 100.0;

pub struct Daemon {
    child: Child,
    dir: PathBuf,
    pub listen: SocketAddr,
    pub metrics: SocketAddr,
}

/// A free port of the loopback. Another process could take it before it is used; then the start fails.
pub fn free_address() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

impl Daemon {
    /// Adds the load's sites to a new data folder. Call it once, before the first start.
    pub fn prepare(dir: &Path) -> io::Result<()> {
        for site in 0..traffic::SITES {
            let domain = traffic::domain(site);
            command(dir, &["site", "add", &domain, "--timezone", "UTC"])?;
        }
        Ok(())
    }

    /// Starts a daemon whose clock runs `offset_s` ahead. Returns at once.
    pub fn start(dir: &Path, offset_s: i64) -> io::Result<Daemon> {
        let (listen, metrics) = (free_address()?, free_address()?);
        let log = fs::OpenOptions::new().create(true).append(true).open(dir.join("soak.log"))?;
        let child = Command::new(BINARY)
            .arg("serve")
            .arg("--data-dir")
            .arg(dir)
            .args(["--listen", &listen.to_string(), "--metrics-listen", &metrics.to_string()])
            .args(["--trusted-proxy", "127.0.0.1", "--site-rate", "1000000"])
            .arg(format!("--clock-offset={offset_s}s"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Daemon { child, dir: dir.to_path_buf(), listen, metrics })
    }

    /// Waits until events are accepted.
    pub async fn ready(&mut self) -> io::Result<()> {
        let listen = self.listen;
        self.wait("accept events", Duration::from_secs(60), async || {
            matches!(Client::get(listen, "/readyz").await, Ok((200, _)))
        })
        .await
    }

    /// Waits until ClickHouse answers and holds everything that was accepted.
    pub async fn drained(&mut self) -> io::Result<()> {
        let metrics = self.metrics;
        self.wait("drain", Duration::from_secs(300), async || {
            let Ok(now) = scrape(metrics).await else { return false };
            value(&now, "engine_up") == 1.0 && value(&now, "pending") == 0.0
        })
        .await
    }

    /// Waits until `done` holds; fails when the daemon ends or the time is up.
    pub async fn wait(
        &mut self,
        what: &str,
        within: Duration,
        mut done: impl AsyncFnMut() -> bool,
    ) -> io::Result<()> {
        let deadline = Instant::now() + within;
        while !done().await {
            if let Some(status) = self.child.try_wait()? {
                let log = self.dir.join("soak.log");
                let text = fs::read_to_string(&log).unwrap_or_default();
                let tail: Vec<_> = text.lines().rev().take(5).collect();
                let tail = tail.into_iter().rev().collect::<Vec<_>>().join("\n");
                return Err(io::Error::other(format!("the daemon ended ({status}):\n{tail}")));
            }
            if Instant::now() > deadline {
                return Err(io::Error::other(format!("the daemon did not {what} in {within:?}")));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Ends it as a crash would: nothing is flushed, nobody is told.
    pub fn kill9(mut self) -> io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    /// Answers SQL through the running daemon's ClickHouse, as tab-separated text.
    pub fn sql(&self, sql: &str) -> io::Result<String> {
        command(&self.dir, &["sql", "--format", "TabSeparated", sql])
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The embedded ClickHouse: the daemon's child process.
    pub fn engine_pid(&self) -> Option<u32> {
        let processes = fs::read_dir("/proc").ok()?;
        let pids = processes.flatten().filter_map(|p| p.file_name().to_str()?.parse().ok());
        pids.into_iter().find(|&pid| stat(pid).is_some_and(|s| s.parent == self.pid()))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the binary on a data folder to its end and gives its output.
fn command(dir: &Path, args: &[&str]) -> io::Result<String> {
    let out = Command::new(BINARY).args(args).arg("--data-dir").arg(dir).output()?;
    if !out.status.success() {
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        return Err(io::Error::other(format!("tallyhouse {}: {said}", args.join(" "))));
    }
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

struct Stat {
    parent: u32,
    cpu_seconds: f64,
}

fn stat(pid: u32) -> Option<Stat> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // the name stands in parentheses and may hold blanks
    let fields: Vec<&str> = text.rsplit_once(") ")?.1.split(' ').collect();
    let ticks = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(Stat { parent: fields.get(1)?.parse().ok()?, cpu_seconds: ticks / TICKS_PER_SECOND })
}

/// CPU time a process has used, in seconds.
pub fn cpu_seconds(pid: u32) -> f64 {
    stat(pid).map_or(f64::NAN, |s| s.cpu_seconds)
}

/// Resident memory of a process, in MiB.
pub fn rss_mib(pid: u32) -> f64 {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:"));
    let kib = line.and_then(|l| l.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.map_or(f64::NAN, |k| k / 1024.0)
}

/// The metrics by name, labels included.
pub async fn scrape(address: SocketAddr) -> io::Result<HashMap<String, f64>> {
    let (_, text) = Client::get(address, "/metrics").await?;
    let samples = text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| {
        let (name, value) = l.rsplit_once(' ')?;
        Some((name.strip_prefix("tallyhouse_")?.to_string(), value.parse().ok()?))
    });
    Ok(samples.collect())
}

/// A metric without labels; 0 if it is not there.
pub fn value(metrics: &HashMap<String, f64>, name: &str) -> f64 {
    metrics.get(name).copied().unwrap_or(0.0)
}
