//! The table of all settings: what flags, environment and file may say, and what `--help` tells.

/// Which commands take a setting as a flag. All commands read all of them from environment and file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Group {
    /// Every command.
    Data = 1,
    /// Commands that speak to ClickHouse.
    Store = 2,
    /// Commands that log.
    Log = 4,
    /// `serve` only.
    Server = 8,
    /// `serve` only.
    Collect = 16,
    /// `serve` only.
    Wal = 32,
}

impl Group {
    /// The heading in the help text.
    pub fn heading(self) -> &'static str {
        match self {
            Group::Data => "Where things are",
            Group::Store => "ClickHouse",
            Group::Log => "Messages",
            Group::Server => "Server",
            Group::Collect => "Collection",
            Group::Wal => "Durability",
        }
    }
}

/// One setting.
#[derive(Debug)]
pub struct Setting {
    /// The flag without its dashes, and the key in the file.
    pub key: &'static str,
    /// What stands for the value in the help text.
    pub value: &'static str,
    pub default: Option<&'static str>,
    pub group: Group,
    /// May be given more than once; commas separate too.
    pub many: bool,
    pub hidden: bool,
    pub help: &'static str,
}

impl Setting {
    /// Its environment variable: `TALLYHOUSE_DATA_DIR` for `data-dir`.
    pub fn env(&self) -> String {
        format!("TALLYHOUSE_{}", self.key.to_ascii_uppercase().replace('-', "_"))
    }
}

const fn one(
    key: &'static str,
    value: &'static str,
    default: Option<&'static str>,
    group: Group,
    help: &'static str,
) -> Setting {
    Setting { key, value, default, group, many: false, hidden: false, help }
}

const fn many(key: &'static str, value: &'static str, group: Group, help: &'static str) -> Setting {
    Setting { key, value, default: None, group, many: true, hidden: false, help }
}

/// Every setting, in the order of the help text.
pub const SETTINGS: &[Setting] = &[
    one("config", "FILE", None, Group::Data, "Read settings from this TOML file"),
    one(
        "data-dir",
        "DIR",
        Some("./data"),
        Group::Data,
        "Keep everything here: log, accounts, engine",
    ),
    one(
        "listen",
        "ADDRESS",
        Some("127.0.0.1:8080"),
        Group::Server,
        "Serve tracker, events and dashboard on this address and port",
    ),
    one(
        "metrics-listen",
        "ADDRESS",
        Some("127.0.0.1:8081"),
        Group::Server,
        "Serve /metrics on this address and port; keep it private",
    ),
    one(
        "public-url",
        "URL",
        None,
        Group::Server,
        "How browsers reach this server, for links and snippets; https:// makes cookies Secure",
    ),
    many(
        "trusted-proxy",
        "CIDR",
        Group::Server,
        "Believe X-Forwarded-For and Forwarded of these addresses; nobody is believed unless named",
    ),
    many(
        "event-path",
        "PATH",
        Group::Server,
        "Take events on this path too, beside /api/event; block lists match on names",
    ),
    many(
        "script-path",
        "PATH",
        Group::Server,
        "Serve the tracker on this path too, beside /tracker.js",
    ),
    one(
        "geo-dir",
        "DIR",
        None,
        Group::Collect,
        "Find *.mmdb files here, for countries and networks [default: DATA_DIR/geo]",
    ),
    one(
        "address-rate",
        "N",
        Some("100"),
        Group::Collect,
        "Requests per second of one address (IPv6: of one /64)",
    ),
    one(
        "carrier-rate",
        "N",
        Some("1000"),
        Group::Collect,
        "Events per second of one mobile carrier's address and site: thousands share it",
    ),
    one("site-rate", "N", Some("25000"), Group::Collect, "Events per second of one site"),
    one(
        "wal-sync-interval",
        "DURATION",
        Some("100ms"),
        Group::Wal,
        "Write and fsync what came in this often; an event is answered after that",
    ),
    one(
        "wal-max-bytes",
        "SIZE",
        Some("20GiB"),
        Group::Wal,
        "Answer 503 when this much waits for ClickHouse",
    ),
    one(
        "clickhouse-url",
        "URL",
        None,
        Group::Store,
        "Use this ClickHouse (its HTTP port) instead of the embedded one",
    ),
    one("clickhouse-user", "NAME", Some("default"), Group::Store, "Its user"),
    one("clickhouse-database", "NAME", Some("tallyhouse"), Group::Store, "Its database"),
    one(
        "engine-library",
        "FILE",
        None,
        Group::Store,
        "The embedded ClickHouse, libchdb.so [default: found in DATA_DIR/engine or beside the program]",
    ),
    one(
        "engine-memory",
        "SIZE",
        None,
        Group::Store,
        "Memory the embedded ClickHouse may use [default: half of the machine's, at most 4GiB]",
    ),
    one(
        "log",
        "FILTER",
        Some("info"),
        Group::Log,
        "What to log: error, warn, info, debug, or a filter such as tallyhouse::drain=debug",
    ),
    one("log-format", "FORMAT", Some("text"), Group::Log, "How to log: text or json"),
    Setting {
        key: "clock-offset",
        value: "SECONDS",
        default: Some("0"),
        group: Group::Server,
        many: false,
        hidden: true,
        help: "Shift the clock, for drills",
    },
];

/// Secrets: from the environment, or from a file that it names with `_FILE`; never a flag, which every
/// user of the machine can see.
pub const SECRET_KEYS: &[&str] = &["secret", "clickhouse-password"];
