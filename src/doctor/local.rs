//! What can be seen without ClickHouse: clock, limits, proxies, place files, log, accounts.

use std::fs;
use std::time::Duration;

use super::{Finding, Setup};
use crate::accounts::{Accounts, Site};
use crate::hours::{DAY_MS, Day, HOUR_MS};
use crate::limits::CONNECTIONS_MAX;
use crate::wal;

/// This program did not exist before.
const BORN: &str = "2026-01-01";
const YEARS_AHEAD: i64 = 20;
/// Place files are republished every month.
const GEO_AGE_MAX: Duration = Duration::from_secs(100 * 86_400);
/// Files that ClickHouse, the log and the databases hold open besides connections.
const FILES_BESIDES: u64 = 1024;

pub(super) fn clock(setup: &Setup) -> Finding {
    const CHECK: &str = "clock";
    let now_ms = setup.clock.now_ms();
    let today = Day::of_ms(now_ms);
    let born: Day = BORN.parse().expect("a date");
    let sane = born.start_ms()..born.start_ms() + YEARS_AHEAD * 365 * DAY_MS;
    if !sane.contains(&now_ms) {
        let advice = "set the clock and keep it with NTP: an event's time decides its hour";
        return Finding::fail(CHECK, format!("the machine thinks it is {today}"), advice);
    }
    let hours = wal::inspect(&setup.wal_dir).map(|report| {
        report.segments.iter().filter_map(|segment| segment.hour_s).max().unwrap_or(0)
    });
    let newest_ms = i64::from(hours.unwrap_or(0)) * 1000;
    if newest_ms > now_ms {
        let behind = (newest_ms - now_ms) / HOUR_MS + 1;
        let found = format!("behind the newest event in the log by up to {behind} h");
        let advice = "set the clock: until it has caught up, all events get the time of the newest";
        return Finding::warn(CHECK, found, advice);
    }
    Finding::ok(CHECK, format!("{today}, not behind the log"))
}

pub(super) fn open_files() -> Finding {
    const CHECK: &str = "open files";
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let wanted = CONNECTIONS_MAX as u64 + FILES_BESIDES;
    // the daemon raises the soft limit itself, as far as the hard one
    match limit.maximum {
        Some(hard) if hard < wanted => Finding::warn(
            CHECK,
            format!("at most {hard}"),
            "raise it to 65536 (LimitNOFILE= in the systemd unit, `ulimit -Hn`): each connection needs one",
        ),
        Some(hard) => Finding::ok(CHECK, format!("up to {hard}")),
        None => Finding::ok(CHECK, "no limit"),
    }
}

pub(super) fn proxies(setup: &Setup) -> Finding {
    const CHECK: &str = "trusted proxies";
    match (setup.trusted_proxies, setup.listen_is_loopback) {
        (0, true) => Finding::warn(
            CHECK,
            "none, and only this machine can connect",
            "behind a reverse proxy set --trusted-proxy to its address (here 127.0.0.1), or all visitors \
             count as one",
        ),
        (0, false) => Finding::warn(
            CHECK,
            "none, and others can connect",
            "right without a reverse proxy; behind one set --trusted-proxy to its address, or all visitors \
             count as one",
        ),
        (n, _) => Finding::ok(CHECK, format!("{n} networks")),
    }
}

pub(super) fn geo(setup: &Setup) -> Vec<Finding> {
    const CHECK: &str = "place files";
    let entries = fs::read_dir(&setup.geo_dir).map(|d| d.flatten().collect::<Vec<_>>());
    let mut files: Vec<_> = entries.unwrap_or_default();
    files.retain(|entry| entry.path().extension().is_some_and(|e| e == "mmdb"));
    files.sort_by_key(fs::DirEntry::file_name);
    if files.is_empty() {
        let found = format!("no .mmdb in {}", setup.geo_dir.display());
        let advice = "run `ci/fetch geo`, or put MaxMind-format files there; without them there are no countries";
        return vec![Finding::warn(CHECK, found, advice)];
    }
    let now_ms = setup.clock.now_ms();
    files.into_iter().map(|entry| one_geo(&entry, now_ms)).collect()
}

fn one_geo(entry: &fs::DirEntry, now_ms: i64) -> Finding {
    const CHECK: &str = "place files";
    let name = entry.file_name().display().to_string();
    let reader = match maxminddb::Reader::open_readfile(entry.path()) {
        Ok(reader) => reader,
        Err(e) => {
            let advice = "fetch it again: `ci/fetch geo`";
            return Finding::fail(CHECK, format!("{name} cannot be read: {e}"), advice);
        }
    };
    let built_ms = i64::try_from(reader.metadata().build_epoch).unwrap_or(0).saturating_mul(1000);
    let kind = reader.metadata().database_type.clone();
    let credit = if kind.to_ascii_lowercase().contains("dbip") {
        "; its licence asks for a link to db-ip.com where places are shown"
    } else {
        ""
    };
    let found = format!("{name} ({kind}) of {}{credit}", Day::of_ms(built_ms));
    if now_ms - built_ms > GEO_AGE_MAX.as_millis() as i64 {
        return Finding::warn(CHECK, found, "it is over three months old: `ci/fetch geo`");
    }
    Finding::ok(CHECK, found)
}

pub(super) fn wal(setup: &Setup) -> Finding {
    const CHECK: &str = "log";
    if !setup.wal_dir.exists() {
        return Finding::ok(CHECK, "empty: no event was accepted yet");
    }
    let summary = match wal::inspect(&setup.wal_dir) {
        Ok(report) => report.summary,
        Err(e) => {
            let advice = "look at the disk; `tallyhouse wal inspect` tells more";
            return Finding::fail(CHECK, e.to_string(), advice);
        }
    };
    let found = format!(
        "{} events in {} segments wait for ClickHouse, {:.0} MiB",
        summary.records,
        summary.segments,
        summary.bytes as f64 / f64::from(1 << 20)
    );
    if summary.damage > 0 {
        let found = format!("{found}; {} places are damaged", summary.damage);
        let advice = "start the daemon: it keeps what is whole and moves the rest to quarantine; \
                      then look at the disk";
        return Finding::fail(CHECK, found, advice);
    }
    if summary.quarantined > 0 {
        let found = format!("{found}; {} files in quarantine", summary.quarantined);
        return Finding::warn(CHECK, found, "`tallyhouse wal inspect` tells what was set aside");
    }
    Finding::ok(CHECK, found)
}

/// The accounts file, and the sites in it.
pub(super) fn accounts(setup: &Setup) -> (Finding, Vec<Site>) {
    const CHECK: &str = "accounts";
    let shown = setup.accounts_file.display();
    if !setup.accounts_file.exists() {
        let advice =
            "the first `tallyhouse serve` makes it and prints a link to set up the first user";
        return (Finding::warn(CHECK, format!("{shown} does not exist yet"), advice), Vec::new());
    }
    let opened = Accounts::open(&setup.accounts_file, setup.clock.clone());
    let checked = opened.and_then(|a| Ok((a.integrity()?, a.sites()?)));
    match checked {
        Ok((problems, sites)) if problems.is_empty() => {
            let count = sites.iter().filter(|s| !s.demo).count();
            (Finding::ok(CHECK, format!("{shown} is whole, {count} sites")), sites)
        }
        Ok((problems, sites)) => {
            let found = format!("{shown} is damaged: {}", problems.join("; "));
            (Finding::fail(CHECK, found, "restore it from a backup"), sites)
        }
        Err(e) => (Finding::fail(CHECK, e.to_string(), "restore it from a backup"), Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::{accounts, clock, geo, proxies, wal};
    use crate::clock::Clock;
    use crate::doctor::{Setup, Verdict};

    fn setup(dir: &std::path::Path, now: &str) -> Setup {
        let now: jiff::Timestamp = now.parse().unwrap();
        Setup {
            data_dir: dir.to_owned(),
            wal_dir: dir.join("wal"),
            geo_dir: dir.join("geo"),
            accounts_file: dir.join("accounts.db"),
            clock: Clock::manual(now.as_millisecond()),
            listen_is_loopback: false,
            trusted_proxies: 0,
            engine_library: None,
            program: std::path::PathBuf::new(),
            external: None,
            database: String::new(),
        }
    }

    #[test]
    fn an_empty_directory_is_no_failure() {
        let dir = tempfile::tempdir().unwrap();
        let setup = setup(dir.path(), "2026-11-22T10:00:00Z");
        assert_eq!(clock(&setup).verdict, Verdict::Ok);
        assert_eq!(wal(&setup).verdict, Verdict::Ok);
        assert_eq!(accounts(&setup).0.verdict, Verdict::Warn);
        assert!(!setup.accounts_file.exists(), "looking makes nothing");
        assert_eq!(geo(&setup)[0].verdict, Verdict::Warn);
        assert_eq!(proxies(&setup).verdict, Verdict::Warn);
        assert_eq!(proxies(&Setup { trusted_proxies: 1, ..setup }).verdict, Verdict::Ok);
    }

    #[test]
    fn damage_is_a_failure() {
        let dir = tempfile::tempdir().unwrap();
        let setup = setup(dir.path(), "2009-01-01T00:00:00Z");
        assert_eq!(clock(&setup).verdict, Verdict::Fail);
        std::fs::write(&setup.accounts_file, b"this is no database, and never was one").unwrap();
        assert_eq!(accounts(&setup).0.verdict, Verdict::Fail);
        std::fs::create_dir(&setup.geo_dir).unwrap();
        std::fs::write(setup.geo_dir.join("city.mmdb"), b"junk").unwrap();
        assert_eq!(geo(&setup)[0].verdict, Verdict::Fail);
    }
}
