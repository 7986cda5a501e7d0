//! Whole posts: real headers and bodies, the real log in a temporary directory.

use std::ops::ControlFlow;
use std::sync::mpsc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::*;
use crate::accounts::directory::Site;
use crate::hours::{DAY_MS, HOUR_MS, Zone};
use crate::tenant::SiteId;
use crate::wal::{Segment, WalConfig};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";
const GOOGLEBOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
const ADDRESS: &str = "203.0.113.77";
/// 2026-11-22, noon UTC.
const NOON_MS: i64 = 20_779 * DAY_MS + 12 * HOUR_MS;

struct Rig {
    ingest: Ingest,
    clock: Clock,
    segments: mpsc::Receiver<Segment>,
    sites: watch::Sender<Arc<SiteDirectory>>,
    dir: tempfile::TempDir,
}

struct Answer {
    status: u16,
    dropped: String,
    body: Value,
}

fn sites() -> Vec<Site> {
    let site = |id, domain| Site::new(SiteId(id), domain);
    let mut berlin = site(2, "berlin.example");
    berlin.zone = Zone::named("Europe/Berlin").unwrap();
    berlin.retention_days = 30;
    let mut strict = site(3, "strict.example");
    strict.respect_dnt = true;
    strict.respect_gpc = true;
    strict.excluded_pages = vec!["/admin*".to_owned()];
    strict.excluded_addresses = vec!["198.51.100.0/24".parse().unwrap()];
    let mut rollup = site(4, "rollup");
    rollup.hostnames = vec!["*".to_owned()];
    vec![site(1, "example.org"), berlin, strict, rollup]
}

impl Rig {
    fn start(limits: LimitConfig) -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(NOON_MS);
        let (to, segments) = mpsc::channel();
        let sink = move |segment: &Segment| {
            let _ = to.send(segment.clone());
            ControlFlow::Continue(())
        };
        let mut wal_config = WalConfig::new(dir.path().join("wal"));
        wal_config.sync_interval = Duration::from_millis(5);
        wal_config.segment_age = Duration::from_millis(20);
        wal_config.disk_free_bytes_min = 0;
        let (wal, _) = Wal::open(wal_config, clock.clone(), sink).unwrap();
        let networks = dir.path().join("asn.csv");
        std::fs::write(&networks, "100.64.0.0,100.64.255.255,21928,T-Mobile\n").unwrap();
        let config = IngestConfig {
            trusted_proxies: vec!["10.0.0.0/8".parse().unwrap()],
            limits,
            network_files: vec![networks],
            identity_file: dir.path().join("day-key"),
            secret: Some([7; 32]),
            ..IngestConfig::default()
        };
        let (sites, directory) = watch::channel(Arc::new(SiteDirectory::new(sites())));
        let ingest = Ingest::new(&config, wal, clock.clone(), directory).unwrap();
        Rig { ingest, clock, segments, sites, dir }
    }

    async fn post(&self, headers: &[(&str, &str)], body: &Value) -> Answer {
        self.send(headers, body.to_string().into_bytes()).await
    }

    async fn send(&self, extra: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert("user-agent", HeaderValue::from_static(FIREFOX));
        headers.insert("accept-language", HeaderValue::from_static("de-DE,de;q=0.9"));
        headers.insert("x-forwarded-for", HeaderValue::from_static(ADDRESS));
        for (name, value) in extra {
            headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        let hit = Hit { peer: [10, 0, 0, 1].into(), headers: &headers, body: body.into() };
        let response = self.ingest.collect(hit).await.into_response();
        let dropped = response.headers().get("x-tallyhouse-dropped");
        let plausible = response.headers().get("x-plausible-dropped");
        assert_eq!(dropped.is_some(), plausible.is_some());
        Answer {
            status: response.status().as_u16(),
            dropped: dropped.map_or("", |value| value.to_str().unwrap()).to_owned(),
            body: serde_json::from_slice(response.body()).unwrap_or(Value::Null),
        }
    }

    /// The next rows that reach the drain.
    fn stored(&self) -> Vec<Row> {
        let segment = self.segments.recv_timeout(Duration::from_secs(20)).expect("a segment");
        let rows = rows_of(&segment.records);
        assert_eq!(rows.len(), segment.count as usize);
        rows
    }
}

fn view(domain: &str) -> Value {
    json!({ "n": "pageview", "u": format!("https://{}/a?x=1#y", domain), "d": domain })
}

/// A row, decoded by the column list, all as text.
type Row = std::collections::HashMap<&'static str, String>;

fn rows_of(mut records: &[u8]) -> Vec<Row> {
    let mut rows = Vec::new();
    while !records.is_empty() {
        let length = u32::from_le_bytes(records[2..6].try_into().unwrap()) as usize;
        let mut row = &records[6..6 + length];
        let columns = crate::event::row::V1.iter();
        rows.push(columns.map(|column| (column.name, value(&mut row, column.kind))).collect());
        assert!(row.is_empty());
        records = &records[6 + length..];
    }
    rows
}

fn value(row: &mut &[u8], kind: &str) -> String {
    fn take<'a>(row: &mut &'a [u8], count: usize) -> &'a [u8] {
        let (taken, rest) = row.split_at(count);
        *row = rest;
        taken
    }
    let number = |bytes: &[u8]| {
        let mut wide = [0; 8];
        wide[..bytes.len()].copy_from_slice(bytes);
        i64::from_le_bytes(wide).to_string()
    };
    let varint = |row: &mut &[u8]| {
        let (mut value, mut shift) = (0usize, 0);
        loop {
            let byte = take(row, 1)[0];
            value |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    let text = |row: &mut &[u8]| {
        let length = varint(row);
        String::from_utf8(take(row, length).to_vec()).unwrap()
    };
    match kind {
        "String" => text(row),
        "UInt8" | "Int8" => number(take(row, 1)),
        "Date" => number(take(row, 2)),
        "UInt32" | "DateTime('UTC')" => number(take(row, 4)),
        "UInt64" | "Int64" | "DateTime64(3, 'UTC')" => number(take(row, 8)),
        "FixedString(16)" => take(row, 16).iter().map(|byte| format!("{byte:02x}")).collect(),
        "Map(String, String)" => {
            let count = varint(row);
            let pair = |row: &mut &[u8]| format!("{}={}", text(row), text(row));
            (0..count).map(|_| pair(row)).collect::<Vec<_>>().join(" ")
        }
        other => panic!("no decoder for {other}"),
    }
}

#[tokio::test]
async fn a_page_view_becomes_the_row_it_should() {
    let rig = Rig::start(LimitConfig::default());
    let body = json!({
        "n": "Purchase", "u": "https://www.Berlin.example:443/shop/?utm_source=ig&secret=1#x",
        "d": "berlin.example", "r": "https://l.instagram.com/?u=1", "p": { "plan": "pro", "n": 2 },
        "$": { "currency": "eur", "amount": "19.99" }, "i": false, "w": 1200, "e": 900, "sd": 55,
    });
    let answer = rig.post(&[], &body).await;
    assert_eq!((answer.status, answer.dropped.as_str()), (202, ""));
    assert_eq!(answer.body, json!({ "status": "accepted" }));
    let rows = rig.stored();
    assert_eq!(rows.len(), 1);
    let hour_s = NOON_MS / 1000;
    for (column, expected) in [
        ("site_id", "2"),
        ("ts", &NOON_MS.to_string()),
        ("hour", &hour_s.to_string()),
        ("day", "20779"),
        ("name", "Purchase"),
        ("interactive", "0"),
        ("hostname", "www.berlin.example"),
        ("pathname", "/shop/"),
        ("source", "Instagram"),
        ("referrer", "l.instagram.com"),
        ("channel", &(crate::event::Channel::OrganicSocial as i8).to_string()),
        ("utm_source", "ig"),
        ("utm_medium", ""),
        ("country", ""),
        ("browser", "Firefox"),
        ("browser_version", "150"),
        ("os", "Linux"),
        ("device", "1"),
        ("screen", "3"),
        ("language", "de"),
        ("engaged_ms", "900"),
        ("scroll", "55"),
        ("currency", "EUR"),
        ("revenue_milli", "19990"),
        ("props", "n=2 plan=pro"),
        ("bot", "0"),
        ("expires", "20809"),
    ] {
        assert_eq!(rows[0][column], expected, "{column}");
    }
}

#[tokio::test]
async fn the_address_and_user_agent_reach_no_disk() {
    let rig = Rig::start(LimitConfig::default());
    assert_eq!(rig.post(&[], &view("example.org")).await.status, 202);
    let mut log = Vec::new();
    let mut dirs = vec![rig.dir.path().to_owned()];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(dir).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true => dirs.push(entry.path()),
                // A segment's file is filled with zeros ahead of what is written.
                false => {
                    let bytes = std::fs::read(entry.path()).unwrap_or_default();
                    let written = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
                    log.extend_from_slice(&bytes[..written]);
                }
            }
        }
    }
    let has = |what: &[u8]| log.windows(what.len()).any(|window| window == what);
    assert!(has(b"pageview"), "the log was looked at");
    assert!(!has(ADDRESS.as_bytes()) && !has(&[203, 0, 113, 77]));
    assert!(!has(b"Gecko") && !has(b"X11"));
}

#[tokio::test]
async fn each_reason_has_its_answer() {
    let rig = Rig::start(LimitConfig::default());
    let strict = view("strict.example");
    let admin = json!({ "n": "x", "u": "https://strict.example/admin/1", "d": "strict.example" });
    let elsewhere = json!({ "n": "x", "u": "https://evil.example/", "d": "example.org" });
    let spam = json!({ "n": "x", "u": "https://example.org/", "d": "example.org",
        "r": "https://site1.semalt.com/x" });
    let plain = view("example.org");
    let excluded = ("x-forwarded-for", "198.51.100.9");
    for (headers, body, status, dropped) in [
        (&[][..], &plain, 202, ""),
        (&[("user-agent", "curl/8")], &plain, 204, "junk_user_agent"),
        (&[("sec-purpose", "prefetch")], &plain, 204, "prefetch"),
        (&[("user-agent", GOOGLEBOT)], &plain, 202, "bot"),
        (&[], &spam, 202, "spam_referrer"),
        (&[], &elsewhere, 204, "hostname"),
        (&[], &admin, 204, "excluded_page"),
        (&[("dnt", "1")], &strict, 204, "dnt"),
        (&[("sec-gpc", "1")], &strict, 204, "gpc"),
        (&[excluded], &strict, 204, "excluded_address"),
        (&[("dnt", "1")], &plain, 202, ""),
        (&[], &view("nobody.example"), 404, ""),
        (&[], &json!({ "n": "x", "u": "nonsense", "d": "example.org" }), 400, ""),
    ] {
        let answer = rig.post(headers, body).await;
        assert_eq!((answer.status, answer.dropped.as_str()), (status, dropped), "{body}");
    }
    let answer = rig.send(&[], b"{nonsense".to_vec()).await;
    assert_eq!((answer.status, answer.body["field"].as_str()), (400, Some("body")));
}

#[tokio::test]
async fn a_list_tells_each_events_fate() {
    let rig = Rig::start(LimitConfig::default());
    let body = json!([
        view("example.org"),
        { "n": "", "u": "https://example.org/", "d": "example.org" },
        view("nobody.example"),
        { "n": "x", "u": "https://strict.example/admin", "d": "strict.example" },
        { "n": "x", "u": "https://example.org/b", "d": "example.org,rollup" },
    ]);
    let answer = rig.post(&[], &body).await;
    assert_eq!((answer.status, answer.dropped.as_str()), (202, "excluded_page"));
    let words = |key: &str| -> Vec<String> {
        let events = answer.body["events"].as_array().unwrap();
        events.iter().map(|e| e[key].as_str().unwrap_or("").to_owned()).collect()
    };
    let statuses = ["accepted", "refused", "refused", "dropped", "accepted", "accepted"];
    assert_eq!(words("status"), statuses);
    assert_eq!(words("error"), ["", "malformed", "unknown_site", "", "", ""]);
    assert_eq!(words("field")[1], "name");
    let rows = rig.stored();
    let sites: Vec<_> = rows.iter().map(|row| row["site_id"].as_str()).collect();
    assert_eq!(sites, ["1", "1", "4"]);
    let seqs: Vec<i64> = rows.iter().map(|row| row["seq"].parse().unwrap()).collect();
    assert!(seqs.windows(2).all(|pair| pair[1] == pair[0] + 1));
    // The visitor of one site says nothing about the visitor of another.
    assert_eq!(rows[0]["visitor"], rows[1]["visitor"]);
    assert_ne!(rows[0]["visitor"], rows[2]["visitor"]);

    let refused = rig.post(&[], &json!([view("nobody.example"), view("nobody.example")])).await;
    assert_eq!((refused.status, refused.body["events"].as_array().unwrap().len()), (404, 2));
    let many = ["example.org"; 11].join(",");
    let answer = rig.post(&[], &json!({ "n": "x", "u": "https://example.org/", "d": many })).await;
    assert_eq!((answer.status, answer.body["field"].as_str()), (400, Some("domain")));
}

#[tokio::test]
async fn a_retry_counts_once() {
    let rig = Rig::start(LimitConfig::default());
    let mut body = view("example.org");
    body["k"] = "0123456789abcdef".into();
    assert_eq!(rig.post(&[], &body).await.status, 202);
    let again = rig.post(&[], &body).await;
    assert_eq!((again.status, again.dropped.as_str()), (204, "duplicate"));
    rig.clock.set(NOON_MS + 10 * 60_000);
    assert_eq!(rig.post(&[], &body).await.status, 202);
}

#[tokio::test]
async fn a_refused_event_may_come_again() {
    let rig = Rig::start(LimitConfig::default());
    let mut body = view("example.org");
    body["k"] = "retry".into();
    rig.ingest.wal.clone().close();
    for _ in 0..2 {
        assert_eq!(rig.post(&[], &body).await.status, 503, "and not a duplicate");
    }
}

#[tokio::test]
async fn limits_are_by_address_or_by_carrier_and_site() {
    let limits = LimitConfig {
        address_rate: 3,
        carrier_rate: 5,
        carrier_burst: 5,
        ..LimitConfig::default()
    };
    let rig = Rig::start(limits);
    let statuses = async |address: &str, domain: &str, count: usize| {
        let mut statuses = Vec::new();
        for _ in 0..count {
            let headers = [("x-forwarded-for", address), ("x-debug-request", "true")];
            let answer = rig.post(&headers, &view(domain)).await;
            let outcome = answer.body["outcomes"][0].as_str().unwrap_or("").to_owned();
            statuses.push((answer.status, outcome));
        }
        statuses
    };
    let seen = statuses("203.0.113.9", "example.org", 20).await;
    assert_eq!(seen[..3], vec![(200, "accepted".to_owned()); 3]);
    assert!(seen.iter().any(|(status, _)| *status == 429), "{seen:?}");
    let seen = statuses("100.64.3.4", "example.org", 20).await;
    assert_eq!(seen[..5], vec![(200, "accepted".to_owned()); 5]);
    assert!(seen.contains(&(200, "limited".to_owned())), "{seen:?}");
    assert_eq!(statuses("100.64.3.4", "berlin.example", 1).await[0].1, "accepted");
}

#[tokio::test]
async fn a_debug_request_stores_nothing() {
    let rig = Rig::start(LimitConfig::default());
    let mut body = view("example.org");
    body["k"] = "debug".into();
    let answer = rig.post(&[("x-debug-request", "true")], &body).await;
    assert_eq!(answer.status, 200);
    let expected =
        json!({ "ip": ADDRESS, "country": "", "outcomes": ["accepted"], "stored": false });
    assert_eq!(answer.body, expected);
    assert_eq!(rig.post(&[], &body).await.status, 202);
    assert_eq!(rig.stored().len(), 1);
}

#[tokio::test]
async fn a_new_site_is_known_at_once_and_a_new_day_makes_new_visitors() {
    let rig = Rig::start(LimitConfig::default());
    assert_eq!(rig.post(&[], &view("new.example")).await.status, 404);
    let mut all = sites();
    all.push(Site::new(SiteId(9), "new.example"));
    rig.sites.send_replace(Arc::new(SiteDirectory::new(all)));
    assert_eq!(rig.post(&[], &view("new.example")).await.status, 202);
    let first = rig.stored();
    rig.clock.set(NOON_MS + DAY_MS);
    rig.ingest.housekeep().unwrap();
    assert_eq!(rig.post(&[], &view("new.example")).await.status, 202);
    let second = rig.stored();
    assert_eq!((first[0]["site_id"].as_str(), second[0]["site_id"].as_str()), ("9", "9"));
    assert_ne!(first[0]["visitor"], second[0]["visitor"]);
}
