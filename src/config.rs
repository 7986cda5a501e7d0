//! Flags, environment and file become one [`Config`]: read once, checked in one place, never changed.
//! All problems are reported at once, each with what to do. Nobody else reads the environment.
//!
//! Precedence: flag, then environment (`TALLYHOUSE_…`), then file, then default.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

use crate::limits;

mod nearest;
mod parse;
mod secret;
mod setting;
mod source;

#[cfg(test)]
mod tests;

pub use nearest::{hint, nearest};
pub use secret::Secret;
pub use setting::{Group, SECRET_KEYS, SETTINGS, Setting};
pub use source::Given;

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

/// Understands the texts. A wrong one is noted and replaced by its default, so that all are seen.
struct Reader {
    sources: Sources,
    problems: Vec<String>,
}

impl Reader {
    fn config(&mut self) -> Config {
        let data_dir = PathBuf::from(self.text("data-dir"));
        let server = self.server();
        let ingest = self.ingest(&data_dir);
        let config = Config {
            server,
            ingest,
            wal: Wal {
                sync_interval: self.one(
                    "wal-sync-interval",
                    limits::WAL_SYNC_INTERVAL,
                    parse::duration,
                ),
                bytes_max: self.one("wal-max-bytes", limits::WAL_BYTES_MAX, parse::size),
            },
            engine: Engine {
                library: self.maybe("engine-library", |text| existing(text, Path::is_file, "file")),
                memory_bytes: self.maybe("engine-memory", parse::size),
            },
            clickhouse: ClickHouse {
                url: self.maybe("clickhouse-url", parse::url),
                user: self.text("clickhouse-user"),
                password: self.sources.secret("clickhouse-password"),
                database: self.one("clickhouse-database", String::new(), parse::identifier),
            },
            log: Log {
                filter: self.one("log", String::new(), parse::log_filter),
                format: self.one("log-format", LogFormat::Text, |text| match text {
                    "text" => Ok(LogFormat::Text),
                    "json" => Ok(LogFormat::Json),
                    _ => Err("use text or json".to_owned()),
                }),
            },
            clock_offset_ms: self.one("clock-offset", 0, parse::offset_ms),
            data_dir,
        };
        self.check(&config);
        config
    }

    fn server(&mut self) -> Server {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 0));
        Server {
            listen: self.one("listen", nowhere, parse::address),
            metrics_listen: self.one("metrics-listen", nowhere, parse::address),
            public_url: self.maybe("public-url", parse::origin),
            trusted_proxies: self.many("trusted-proxy", parse::network),
            event_paths: self.many("event-path", parse::path),
            script_paths: self.many("script-path", parse::path),
        }
    }

    fn ingest(&mut self, data_dir: &Path) -> Ingest {
        let geo_dir = self.maybe("geo-dir", |text| existing(text, Path::is_dir, "directory"));
        Ingest {
            geo_dir: geo_dir.unwrap_or_else(|| data_dir.join("geo")),
            address_rate: self.one("address-rate", limits::ADDRESS_RATE, parse::rate),
            carrier_rate: self.one("carrier-rate", limits::CARRIER_RATE, parse::rate),
            site_rate: self.one("site-rate", limits::SITE_RATE, parse::rate),
            secret: self.sources.secret("secret"),
        }
    }

    /// What no setting shows by itself.
    fn check(&mut self, config: &Config) {
        let interval = config.wal.sync_interval;
        if interval < limits::WAL_SYNC_INTERVAL_MIN || interval > limits::WAL_SYNC_INTERVAL_MAX {
            let (min, max) = (limits::WAL_SYNC_INTERVAL_MIN, limits::WAL_SYNC_INTERVAL_MAX);
            self.problem("wal-sync-interval", &format!("use {min:?} to {max:?}"));
        }
        if config.wal.bytes_max < limits::WAL_BYTES_MIN {
            let min = limits::WAL_BYTES_MIN >> 20;
            self.problem("wal-max-bytes", &format!("use {min}MiB or more"));
        }
        if config.engine.memory_bytes.is_some_and(|bytes| bytes < limits::ENGINE_BYTES_MIN) {
            let min = limits::ENGINE_BYTES_MIN >> 20;
            self.problem("engine-memory", &format!("use {min}MiB or more"));
        }
        let server = &config.server;
        if server.listen == server.metrics_listen && server.listen.port() != 0 {
            self.problem("metrics-listen", "this is the address of --listen; use another port");
        }
        let secret = config.ingest.secret.as_ref().map_or(usize::MAX, |s| s.reveal().len());
        if secret < limits::SECRET_BYTES_MIN {
            let min = limits::SECRET_BYTES_MIN;
            self.problems.push(format!(
                "TALLYHOUSE_SECRET: it is too short to be safe; use at least {min} random characters"
            ));
        }
        if config.clickhouse.url.is_none() && config.clickhouse.password.is_some() {
            let problem = "TALLYHOUSE_CLICKHOUSE_PASSWORD: the embedded ClickHouse makes its own; \
                           set --clickhouse-url too, or take it away";
            self.problems.push(problem.to_owned());
        }
    }

    fn text(&self, key: &str) -> String {
        let texts = self.sources.get(key).map(|found| &found.texts);
        texts.and_then(|texts| texts.last()).cloned().unwrap_or_default()
    }

    fn one<T>(&mut self, key: &str, fallback: T, parse: impl Fn(&str) -> Result<T, String>) -> T {
        self.maybe(key, parse).unwrap_or(fallback)
    }

    fn maybe<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = self.sources.get(key)?.texts.last()?.clone();
        parse(&text).map_err(|advice| self.problem(key, &advice)).ok()
    }

    fn many<T>(&mut self, key: &str, parse: impl Fn(&str) -> Result<T, String>) -> Vec<T> {
        let texts = self.sources.get(key).map(|found| found.texts.clone()).unwrap_or_default();
        let mut values = Vec::with_capacity(texts.len());
        for text in &texts {
            match parse(text) {
                Ok(value) => values.push(value),
                Err(advice) => self.note(key, text, &advice),
            }
        }
        values
    }

    fn problem(&mut self, key: &str, advice: &str) {
        self.note(key, &self.text(key), advice);
    }

    fn note(&mut self, key: &str, text: &str, advice: &str) {
        let origin = self.sources.get(key).map_or(key, |found| &found.origin);
        self.problems.push(format!("{origin}: `{text}` will not do; {advice}"));
    }
}

fn existing(text: &str, is: fn(&Path) -> bool, what: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match is(&path) {
        true => Ok(path),
        false => Err(format!("there is no such {what}")),
    }
}
