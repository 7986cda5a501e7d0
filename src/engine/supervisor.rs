//! Keeps one child running: spawn, wait until it answers, watch, back off, again.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use rustix::fd::OwnedFd;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

use super::files::{self, Files};
use super::{Endpoint, EngineConfig, EngineError};
use crate::metrics::METRICS;

/// A start that takes longer has failed: a port in use leaves ClickHouse alive without a listener.
const READY_LIMIT: Duration = Duration::from_secs(120);
const READY_POLL: Duration = Duration::from_millis(25);
const BACKOFF_MIN: Duration = Duration::from_millis(250);
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// The longest pause after an engine that did answer: it may well do so again.
const BACKOFF_MAX_ONCE_READY: Duration = Duration::from_secs(1);
/// After this long without a crash the back-off starts over.
const STABLE_AFTER: Duration = Duration::from_secs(60);
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_LIMIT: Duration = Duration::from_secs(5);
/// An engine silent for this long is killed and started again.
const SILENCE_LIMIT: Duration = Duration::from_secs(300);
/// ClickHouse waits up to 5 s for requests under way.
const STOP_LIMIT: Duration = Duration::from_secs(8);

pub(super) struct Supervisor {
    config: EngineConfig,
    files: Files,
    endpoint: watch::Sender<Option<Endpoint>>,
    pid: Arc<AtomicU32>,
}

/// A child and our end of its terminal: closing that end stops it.
struct Running {
    child: Child,
    terminal: OwnedFd,
}

enum Ended {
    Stopped,
    Exited(std::io::Result<ExitStatus>),
    NotReady,
    Silent,
}

impl Supervisor {
    pub(super) fn new(
        config: EngineConfig,
        files: Files,
        endpoint: watch::Sender<Option<Endpoint>>,
        pid: Arc<AtomicU32>,
    ) -> Supervisor {
        Supervisor { config, files, endpoint, pid }
    }

    /// Runs until `stopped` says so or its sender is gone.
    pub(super) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut backoff = BACKOFF_MIN;
        loop {
            let started = Instant::now();
            match self.once(&mut stopped).await {
                Ok((Ended::Stopped, _)) => return,
                Ok((ended, was_ready)) => {
                    self.report(&ended);
                    if was_ready {
                        backoff = backoff.min(BACKOFF_MAX_ONCE_READY);
                    }
                }
                Err(error) => tracing::error!(%error, "the engine could not be started"),
            }
            METRICS.engine_restarts.inc();
            backoff = if started.elapsed() > STABLE_AFTER { BACKOFF_MIN } else { backoff };
            tokio::select! {
                () = sleep(backoff) => {}
                () = stop_wanted(&mut stopped) => return,
            }
            backoff = (backoff * 2).min(BACKOFF_MAX);
        }
    }

    /// One life of a child: how it ended, and whether it had answered.
    async fn once(
        &self,
        stopped: &mut watch::Receiver<bool>,
    ) -> Result<(Ended, bool), EngineError> {
        let mut running = self.spawn()?;
        self.pid.store(running.child.id().unwrap_or(0), Ordering::SeqCst);
        let ended = tokio::select! {
            ended = self.serve() => ended,
            status = running.child.wait() => Ended::Exited(status),
            () = stop_wanted(stopped) => Ended::Stopped,
        };
        let was_ready = self.endpoint.send_replace(None).is_some();
        METRICS.engine_up.set(0);
        if !matches!(ended, Ended::Exited(_)) {
            end(running, matches!(ended, Ended::Stopped)).await;
        }
        self.pid.store(0, Ordering::SeqCst);
        Ok((ended, was_ready))
    }

    fn spawn(&self) -> Result<Running, EngineError> {
        self.files.forget_port()?;
        let dir = &self.files.dir;
        let (terminal, input) =
            open_terminal().map_err(|e| files::io("open a terminal for", dir, e.into()))?;
        let log_path = dir.join("child.log");
        let log =
            std::fs::File::create(&log_path).map_err(|e| files::io("create", &log_path, e))?;
        let child = Command::new(&self.config.program)
            .arg("engine")
            .arg("--dir")
            .arg(dir)
            .arg("--library")
            .arg(&self.config.library)
            // Neither our secrets nor a client's settings belong in its environment.
            .env_clear()
            .env("HOME", dir)
            .env("TZ", "UTC")
            .current_dir(dir)
            .stdin(Stdio::from(input))
            .stdout(Stdio::null())
            .stderr(Stdio::from(log))
            .spawn()
            .map_err(|e| files::io("start", &self.config.program, e))?;
        Ok(Running { child, terminal })
    }

    /// Publishes the endpoint once it answers, then watches it; ends only when it no longer does.
    async fn serve(&self) -> Ended {
        let started = Instant::now();
        let endpoint = loop {
            match files::endpoint(&self.files.dir) {
                Some(endpoint) if answers(&endpoint).await => break endpoint,
                _ if started.elapsed() > READY_LIMIT => return Ended::NotReady,
                _ => sleep(READY_POLL).await,
            }
        };
        let took = started.elapsed().as_millis() as u64;
        tracing::info!(
            url = endpoint.url,
            pid = self.pid.load(Ordering::SeqCst),
            ms = took,
            "the engine is ready"
        );
        METRICS.engine_up.set(1);
        self.endpoint.send_replace(Some(endpoint.clone()));
        let mut heard = Instant::now();
        while heard.elapsed() < SILENCE_LIMIT {
            sleep(PING_EVERY).await;
            let up = answers(&endpoint).await;
            METRICS.engine_up.set(i64::from(up));
            if up {
                heard = Instant::now();
            }
        }
        Ended::Silent
    }

    fn report(&self, ended: &Ended) {
        let why = match ended {
            Ended::Stopped => return,
            Ended::Exited(Ok(status)) => format!("it ended by itself ({status})"),
            Ended::Exited(Err(error)) => format!("its end could not be awaited ({error})"),
            Ended::NotReady => format!("it did not answer within {} s", READY_LIMIT.as_secs()),
            Ended::Silent => format!("it did not answer for {} s", SILENCE_LIMIT.as_secs()),
        };
        let dir = self.files.dir.display();
        tracing::error!(
            "engine: {why}; starting it again; see {dir}/clickhouse.err.log and child.log"
        );
    }
}

/// Returns when a stop is wanted, or when nobody is left to want one.
async fn stop_wanted(stopped: &mut watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn end(running: Running, gently: bool) {
    let Running { mut child, terminal } = running;
    drop(terminal);
    if gently && timeout(STOP_LIMIT, child.wait()).await.is_ok() {
        return;
    }
    if gently {
        tracing::warn!("engine: did not stop within {} s and is killed", STOP_LIMIT.as_secs());
    }
    if let Err(error) = child.kill().await {
        tracing::error!(%error, "engine: cannot be killed");
    }
}

/// Our end, and the child's.
fn open_terminal() -> rustix::io::Result<(OwnedFd, OwnedFd)> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let ours = openpt(flags)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let theirs = ioctl_tiocgptpeer(&ours, flags)?;
    Ok((ours, theirs))
}

/// Whether ClickHouse says it is well.
pub(super) async fn answers(endpoint: &Endpoint) -> bool {
    matches!(timeout(PING_LIMIT, ping(&endpoint.url)).await, Ok(Ok(true)))
}

async fn ping(url: &str) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await?;
    stream.write_all(b"GET /ping HTTP/1.0\r\n\r\n").await?;
    let mut answer = Vec::with_capacity(256);
    stream.take(4096).read_to_end(&mut answer).await?;
    Ok(answer.starts_with(b"HTTP/1.0 200") || answer.starts_with(b"HTTP/1.1 200"))
}
