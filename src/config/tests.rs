//! Whence settings come, and what is said about wrong ones.

use std::collections::BTreeMap;
use std::path::Path;

use super::*;
use crate::limits;

#[derive(Default)]
struct Case {
    given: Given,
    env: BTreeMap<String, String>,
    dir: Option<tempfile::TempDir>,
}

impl Case {
    fn flag(mut self, key: &'static str, text: &str) -> Case {
        self.given.entry(key).or_default().push(text.to_owned());
        self
    }

    fn env(mut self, name: &str, text: &str) -> Case {
        self.env.insert(name.to_owned(), text.to_owned());
        self
    }

    fn file(mut self, text: &str) -> Case {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tallyhouse.toml");
        std::fs::write(&path, text).unwrap();
        self.dir = Some(dir);
        self.env("TALLYHOUSE_CONFIG", path.to_str().unwrap())
    }

    fn load(&self) -> Result<Config, ConfigError> {
        Config::from_sources(&self.given, &|name| self.env.get(name).cloned())
    }

    fn problems(&self) -> String {
        self.load().unwrap_err().to_string()
    }
}

#[test]
fn defaults_are_valid_and_those_of_the_limits() {
    let config = Case::default().load().unwrap();
    assert_eq!(config.wal.sync_interval, limits::WAL_SYNC_INTERVAL);
    assert_eq!(config.wal.bytes_max, limits::WAL_BYTES_MAX);
    let rates = (config.ingest.address_rate, config.ingest.carrier_rate, config.ingest.site_rate);
    assert_eq!(rates, (limits::ADDRESS_RATE, limits::CARRIER_RATE, limits::SITE_RATE));
    assert_eq!(config.accounts_file(), Path::new("./data/accounts.db"));
    assert_eq!(config.ingest.geo_dir, Path::new("./data/geo"));
    assert_eq!(config.base_url(), "http://127.0.0.1:8080");
    assert!(!config.is_https());
}

#[test]
fn flag_beats_environment_beats_file_beats_default() {
    let listen = |case: &Case| case.load().unwrap().server.listen.port();
    let mut case = Case::default();
    assert_eq!(listen(&case), 8080);
    case = case.file("listen = '127.0.0.1:1'\n");
    assert_eq!(listen(&case), 1);
    case = case.env("TALLYHOUSE_LISTEN", "127.0.0.1:2");
    assert_eq!(listen(&case), 2);
    case = case.flag("listen", "127.0.0.1:3");
    assert_eq!(listen(&case), 3);
    case = Case::default().env("TALLYHOUSE_LISTEN", "");
    assert_eq!(listen(&case), 8080, "an empty variable is none");
}

#[test]
fn lists_come_repeated_with_commas_or_as_arrays() {
    let proxies = |case: Case| {
        let nets = case.load().unwrap().server.trusted_proxies;
        nets.iter().map(IpNet::to_string).collect::<Vec<_>>().join(" ")
    };
    let wanted = "10.0.0.0/8 192.0.2.7/32";
    let flags = Case::default().flag("trusted-proxy", "10.0.0.0/8");
    assert_eq!(proxies(flags.flag("trusted-proxy", "192.0.2.7")), wanted);
    assert_eq!(
        proxies(Case::default().env("TALLYHOUSE_TRUSTED_PROXY", "10.0.0.0/8, 192.0.2.7")),
        wanted
    );
    assert_eq!(
        proxies(Case::default().file("trusted-proxy = ['10.0.0.0/8', '192.0.2.7']")),
        wanted
    );
}

#[test]
fn numbers_in_the_file_may_be_numbers() {
    let config = Case::default().file("site-rate = 7\nwal-max-bytes = 1000000000").load().unwrap();
    assert_eq!((config.ingest.site_rate, config.wal.bytes_max), (7, 1_000_000_000));
}

#[test]
fn all_problems_are_told_at_once() {
    let case = Case::default()
        .file("lisen = 'x'\nsecret = 'x'\nlog-format = 'xml'\nlog = true\n")
        .env("TALLYHOUSE_PUBLIC_URL", "stats.example.org")
        .flag("wal-sync-interval", "20")
        .flag("trusted-proxy", "10.0.0.0/8,proxy")
        .flag("metrics-listen", "127.0.0.1:8080")
        .env("TALLYHOUSE_SECRET", "short")
        .env("TALLYHOUSE_CLICKHOUSE_PASSWORD", "hunter2hunter2");
    let problems = case.problems();
    for part in [
        "the settings have 10 problems:",
        "unknown setting `lisen`; did you mean listen?",
        "`secret` is a secret; set TALLYHOUSE_SECRET or TALLYHOUSE_SECRET_FILE instead",
        "log-format: `xml` will not do; use text or json",
        "`log` must be a text",
        "TALLYHOUSE_PUBLIC_URL: `stats.example.org` will not do; use a URL",
        "--wal-sync-interval: `20` will not do; use a duration",
        "--trusted-proxy: `proxy` will not do; use an address",
        "--metrics-listen: `127.0.0.1:8080` will not do; this is the address of --listen",
        "TALLYHOUSE_SECRET: it is too short",
        "TALLYHOUSE_CLICKHOUSE_PASSWORD: the embedded ClickHouse makes its own",
    ] {
        assert!(problems.contains(part), "{part}\nis missing in\n{problems}");
    }
    assert!(!problems.contains("hunter2"));
}

#[test]
fn ranges_are_checked() {
    let case = Case::default()
        .flag("wal-sync-interval", "2s")
        .flag("wal-max-bytes", "1MiB")
        .flag("engine-memory", "1MiB")
        .flag("engine-library", "/nowhere/libchdb.so")
        .flag("geo-dir", "/nowhere");
    let problems = case.problems();
    for part in [
        "use 1ms to 1s",
        "use 64MiB or more",
        "use 512MiB or more",
        "no such file",
        "no such directory",
    ] {
        assert!(problems.contains(part), "{part}\nis missing in\n{problems}");
    }
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("secret");
    let secret = "0123456789abcdef0123456789abcdef";
    std::fs::write(&path, format!("{secret}\n")).unwrap();
    let case = Case::default().env("TALLYHOUSE_SECRET_FILE", path.to_str().unwrap());
    let config = case.load().unwrap();
    assert_eq!(config.ingest.secret.as_ref().map(Secret::reveal), Some(secret));
    assert!(!format!("{config:?}").contains(secret));
    let both = case.env("TALLYHOUSE_SECRET", secret);
    assert!(both.problems().contains("are both set"));
    let missing = Case::default().env("TALLYHOUSE_SECRET_FILE", "/nowhere/secret");
    assert!(missing.problems().contains("cannot read /nowhere/secret"));
}

#[test]
fn an_unreadable_file_is_an_error() {
    let missing = Case::default().flag("config", "/nowhere/tallyhouse.toml");
    assert!(missing.problems().contains("cannot read the settings file /nowhere/tallyhouse.toml"));
    assert!(Case::default().file("listen = ").problems().contains("is not valid TOML"));
}

#[test]
fn the_public_url_makes_links_and_cookies() {
    let case = Case::default().flag("public-url", "https://stats.example.org/");
    let config = case.load().unwrap();
    assert_eq!(config.base_url(), "https://stats.example.org");
    assert!(config.is_https());
}
