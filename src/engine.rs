//! The embedded ClickHouse: a child process of the same binary, supervised.
//!
//! ```text
//! start → (spawn → ready → watch)* → stop
//! ```
//! The child's standard input is a pseudo terminal whose other end we hold: closing it, or dying, ends
//! the child cleanly, so there is never an orphan. It listens on loopback only, with a password made at
//! the first start. It restarts with a capped back-off and never gives up silently. One daemon per
//! directory: the lock is taken here, before anything is written.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::sync::watch;

pub use crate::store::Endpoint;

pub mod child;
mod ffi;
mod files;
mod supervisor;

/// What the engine needs to run.
#[derive(Clone, Debug)]
pub struct EngineConfig {
    /// The daemon's data directory; the engine keeps everything under `engine/` in it.
    pub data_dir: PathBuf,
    /// `libchdb.so`; see [`find_library`].
    pub library: PathBuf,
    /// Memory ClickHouse may use; see [`default_memory_bytes`].
    pub memory_bytes: u64,
    /// The executable to start: this binary, or in tests the one Cargo built.
    pub program: PathBuf,
    /// Port on loopback; 0 lets the system choose.
    pub http_port: u16,
}

/// Why the engine cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    #[error(
        "the ClickHouse library is not in any of: {looked}; fetch it with `make engine` (ci/fetch engine), \
         name it with --engine-library, or use a ClickHouse of your own with --clickhouse-url"
    )]
    NoLibrary { looked: String },
    #[error("another process runs the engine in {}; stop it or use another --data-dir", dir.display())]
    Locked { dir: PathBuf },
    #[error("cannot {what} {}: {source}", path.display())]
    Io { what: &'static str, path: PathBuf, source: std::io::Error },
}

/// A running engine. Dropping it stops it too, without waiting.
pub struct Engine {
    endpoint: watch::Receiver<Option<Endpoint>>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    pid: Arc<AtomicU32>,
}

impl Engine {
    /// Prepares the directory and starts the supervisor; does not wait until ClickHouse answers.
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// The library is missing, the directory cannot be written, or another process runs there.
    pub fn start(config: EngineConfig) -> Result<Engine, EngineError> {
        if !config.library.is_file() {
            return Err(EngineError::NoLibrary { looked: config.library.display().to_string() });
        }
        let files = files::Files::prepare(&config)?;
        let (sender, endpoint) = watch::channel(None);
        let (stop, stopped) = watch::channel(false);
        let pid = Arc::new(AtomicU32::new(0));
        let supervisor = supervisor::Supervisor::new(config, files, sender, Arc::clone(&pid));
        let task = tokio::spawn(supervisor.run(stopped));
        Ok(Engine { endpoint, stop, task, pid })
    }

    /// Where ClickHouse answers, or nothing while it does not. The port may change over restarts.
    pub fn endpoint(&self) -> watch::Receiver<Option<Endpoint>> {
        self.endpoint.clone()
    }

    /// The child's process id, or nothing while there is no child.
    pub fn pid(&self) -> Option<u32> {
        Some(self.pid.load(Ordering::SeqCst)).filter(|pid| *pid != 0)
    }

    /// Ends ClickHouse: requests under way may finish within some seconds, then it is killed.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the engine's supervisor did not end well");
        }
    }
}

/// Finds a running engine of this data directory, for commands beside the daemon.
pub async fn attach(data_dir: &Path) -> Option<Endpoint> {
    let endpoint = files::endpoint(&files::directory(data_dir))?;
    supervisor::answers(&endpoint).await.then_some(endpoint)
}

/// Finds `libchdb.so`: the setting, the data directory, beside the executable, `.cache`.
///
/// # Errors
/// It is nowhere; the message says where was looked and what to do.
pub fn find_library(setting: Option<&Path>, data_dir: &Path) -> Result<PathBuf, EngineError> {
    const NAME: &str = "libchdb.so";
    let places: Vec<PathBuf> = match setting {
        Some(path) => vec![path.to_path_buf()],
        None => {
            let beside = std::env::current_exe().ok().and_then(|p| Some(p.parent()?.join(NAME)));
            let data = files::directory(data_dir).join(NAME);
            let cache = Path::new(".cache").join("engine").join(NAME);
            [Some(data), beside, Some(cache)].into_iter().flatten().collect()
        }
    };
    match places.iter().find(|place| place.is_file()) {
        Some(found) => found.canonicalize().map_err(|source| EngineError::Io {
            what: "resolve",
            path: found.clone(),
            source,
        }),
        None => {
            let looked: Vec<_> = places.iter().map(|p| p.display().to_string()).collect();
            Err(EngineError::NoLibrary { looked: looked.join(", ") })
        }
    }
}

/// Half of the machine's memory, at most 4 GiB.
pub fn default_memory_bytes() -> u64 {
    let info = rustix::system::sysinfo();
    let total = info.totalram as u64 * u64::from(info.mem_unit);
    (total / 2).min(4 << 30)
}

#[cfg(test)]
mod tests {
    use super::{EngineError, find_library};

    #[test]
    fn a_missing_library_says_where_was_looked_and_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let error = find_library(Some(&dir.path().join("none.so")), dir.path()).unwrap_err();
        assert!(matches!(error, EngineError::NoLibrary { .. }));
        let text = error.to_string();
        assert!(text.contains("none.so") && text.contains("make engine"), "{text}");
        assert!(text.contains("--clickhouse-url"), "{text}");
    }
}
