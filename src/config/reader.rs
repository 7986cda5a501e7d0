//! From texts to values, and what no single value shows.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::source::Sources;
use super::{ClickHouse, Config, Engine, Ingest, Log, LogFormat, Server, Wal, parse};
use crate::limits;

/// Understands the texts. A wrong one is noted and replaced by its default, so that all are seen.
pub(super) struct Reader {
    pub(super) sources: Sources,
    pub(super) problems: Vec<String>,
}

impl Reader {
    pub(super) fn config(&mut self) -> Config {
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
                url: self.maybe("clickhouse-url", parse::http_url),
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
