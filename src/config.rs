//! Flags, environment and file become one [`Config`]: read once, checked in one place, never changed.
//! All problems are reported at once, each with what to do. Nobody else reads the environment.
//!
//! Precedence: flag, then environment (`TALLYHOUSE_…`), then file, then default.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

mod nearest;
mod parse;
mod reader;
mod secret;
mod setting;
mod source;

#[cfg(test)]
mod tests;

pub use nearest::{hint, nearest};
pub use secret::Secret;
pub use setting::{Group, SECRET_KEYS, SETTINGS, Setting};
pub use source::Given;

use reader::Reader;
use source::{Env, Sources};

/// The settings of one process.
#[derive(Clone, Debug)]
pub struct Config {
    pub data_dir: PathBuf,
    pub server: Server,
    pub ingest: Ingest,
    pub wal: Wal,
    pub engine: Engine,
    pub clickhouse: ClickHouse,
    pub log: Log,
    /// Added to the machine's clock; 0 outside drills.
    pub clock_offset_ms: i64,
}

/// What the server listens on and answers to.
#[derive(Clone, Debug)]
pub struct Server {
    pub listen: SocketAddr,
    pub metrics_listen: SocketAddr,
    /// How browsers reach it; no path.
    pub public_url: Option<Url>,
    /// Whose forwarding headers are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Beside `/api/event`.
    pub event_paths: Vec<String>,
    /// Beside `/tracker.js`.
    pub script_paths: Vec<String>,
}

/// How hits are taken in.
#[derive(Clone, Debug)]
pub struct Ingest {
    /// May be missing: then there are no countries.
    pub geo_dir: PathBuf,
    /// Requests per second.
    pub address_rate: u32,
    /// Events per second.
    pub carrier_rate: u32,
    /// Events per second.
    pub site_rate: u32,
    /// From which the visitors' daily salts derive; `None`: one is made and kept in the data directory.
    pub secret: Option<Secret>,
}

/// The write-ahead log.
#[derive(Clone, Debug)]
pub struct Wal {
    pub sync_interval: Duration,
    pub bytes_max: u64,
}

/// The embedded ClickHouse.
#[derive(Clone, Debug)]
pub struct Engine {
    /// `None`: found at its usual places.
    pub library: Option<PathBuf>,
    /// `None`: by the machine's size.
    pub memory_bytes: Option<u64>,
}

/// A ClickHouse of one's own.
#[derive(Clone, Debug)]
pub struct ClickHouse {
    /// `None`: the embedded engine.
    pub url: Option<Url>,
    pub user: String,
    pub password: Option<Secret>,
    pub database: String,
}

/// What is logged, and how.
#[derive(Clone, Debug)]
pub struct Log {
    /// In `tracing`'s syntax.
    pub filter: String,
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

/// Everything that is wrong with the settings.
#[derive(Debug, thiserror::Error)]
pub struct ConfigError {
    pub problems: Vec<String>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.as_slice() {
            [one] => f.write_str(one),
            several => {
                write!(f, "the settings have {} problems:", several.len())?;
                several.iter().try_for_each(|problem| write!(f, "\n  - {problem}"))
            }
        }
    }
}

impl Config {
    /// The settings from these flags, the process's environment and the file that either names.
    ///
    /// # Errors
    /// All problems together.
    pub fn load(given: &Given) -> Result<Config, ConfigError> {
        Config::from_sources(given, &|name| std::env::var(name).ok())
    }

    fn from_sources(given: &Given, env: Env<'_>) -> Result<Config, ConfigError> {
        let mut problems = Vec::new();
        let sources = Sources::read(given, env, &mut problems)?;
        let mut reader = Reader { sources, problems };
        let config = reader.config();
        match reader.problems {
            problems if problems.is_empty() => Ok(config),
            problems => Err(ConfigError { problems }),
        }
    }

    /// The accounts' file.
    pub fn accounts_file(&self) -> PathBuf {
        self.data_dir.join("accounts.db")
    }

    /// Makes the data directory, readable for its user only, unless it is there.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn make_data_dir(&self) -> Result<(), ConfigError> {
        use std::os::unix::fs::DirBuilderExt;
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.data_dir);
        made.map_err(|error| {
            let dir = self.data_dir.display();
            let problem =
                format!("cannot make the data directory {dir}: {error}; use another --data-dir");
            ConfigError { problems: vec![problem] }
        })
    }

    /// Where browsers find this server, without a slash at the end.
    pub fn base_url(&self) -> String {
        match &self.server.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.server.listen),
        }
    }

    /// Whether cookies are for https only.
    pub fn is_https(&self) -> bool {
        self.server.public_url.as_ref().is_some_and(|url| url.scheme() == "https")
    }
}
