//! Imports of generated logs on the real engine, against a count made while generating.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tallyhouse::accounts::{Accounts, Actor, Site, SiteChange};
use tallyhouse::clock::Clock;
use tallyhouse::closer::Closer;
use tallyhouse::demo::{self, Demo, Filled};
use tallyhouse::hours::{Day, Hour};
use tallyhouse::import::progress::Progress;
use tallyhouse::import::{ImportError, Importer, Skip, Summary};
use tallyhouse::ingest::Geo;
use tallyhouse::ingest::past::Enricher;
use tallyhouse::store::{Param, Store};

use crate::rig;

const NOW: &str = "2026-03-10T09:30:00Z";
const START: &str = "2026-03-05T18:00:00Z";

fn ms(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// What a log must come to: views by day and page, and the pairs of address and agent of each day.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
struct Count {
    pages: BTreeMap<(String, String), u64>,
    visitors: BTreeMap<String, BTreeSet<(String, String)>>,
}

impl Count {
    fn visitors(&self) -> BTreeMap<String, u64> {
        self.visitors.iter().map(|(day, who)| (day.clone(), who.len() as u64)).collect()
    }
}

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0.0.0 Safari/537.36",
    r#"Mozilla/5.0 (Said \"hello\"; X11) Gecko/20100101 Firefox/139.0"#,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
];
const BOT: &str = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

/// Appends lines of every kind, in order of time but for a few seconds, and counts the views.
fn generate(
    rng: &mut StdRng,
    site: &Site,
    lines: usize,
    at_ms: &mut i64,
    count: &mut Count,
) -> Vec<u8> {
    let mut log = Vec::new();
    for _ in 0..lines {
        *at_ms += rng.random_range(0..120_000);
        let ts_ms = (*at_ms - rng.random_range(0..3_000)) / 1000 * 1000;
        let address = match rng.random_range(0..10) {
            0 => format!("2001:db8::{:x}", rng.random_range(1..30)),
            1 => format!("host{}.isp.example", rng.random_range(1..30)),
            _ => format!("203.0.113.{}", rng.random_range(1..60)),
        };
        let zone_h = rng.random_range(-3..=3_i64);
        let shown = jiff::Timestamp::from_millisecond(ts_ms + zone_h * 3_600_000).unwrap();
        let time = format!("{}{:03}00", shown.strftime("%d/%b/%Y:%H:%M:%S "), Signed(zone_h));
        let page = format!("/page/{}", rng.random_range(0..12));
        let agent = AGENTS[rng.random_range(0..AGENTS.len())];
        let (request, status, agent, counted) = match rng.random_range(0..14) {
            0 => (format!("GET {page}.png HTTP/1.1"), 200, agent, false),
            1 => (format!("POST {page} HTTP/1.1"), 200, agent, false),
            2 => (format!("GET {page} HTTP/1.1"), 404, agent, false),
            3 => (format!("GET {page} HTTP/1.1"), 200, BOT, false),
            4 => (format!("GET {page} HTTP/1.1"), 200, "curl", false),
            5 => (format!("GET {page} HTTP/2.0"), 304, agent, true),
            6 => (format!("GET {page}?v=1.png&utm_source=mail HTTP/1.1"), 200, agent, true),
            _ => (format!("GET {page} HTTP/1.1"), 200, agent, true),
        };
        let referrer =
            ["-", "https://www.google.com/", "https://news.example/a?b=c"][rng.random_range(0..3)];
        writeln!(log, r#"{address} - - [{time}] "{request}" {status} 512 "{referrer}" "{agent}""#)
            .unwrap();
        if counted {
            let day = site.zone.local(ts_ms).day.to_string();
            *count.pages.entry((day.clone(), page)).or_default() += 1;
            count.visitors.entry(day).or_default().insert((address, agent.to_owned()));
        }
    }
    log
}

/// An offset's hours with a sign.
struct Signed(i64);

impl std::fmt::Display for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{:02}", if self.0 < 0 { '-' } else { '+' }, self.0.abs())
    }
}

struct Bench {
    engine: rig::engine::RunningEngine,
    store: Store,
    clock: Clock,
    importer: Importer,
    site: Site,
}

impl Bench {
    async fn new() -> Bench {
        let engine = rig::engine().await;
        let store = engine.migrated().await;
        let clock = Clock::manual(ms(NOW));
        let dir = engine.dir.path();
        let accounts = Accounts::open(&dir.join("accounts.db"), clock.clone()).unwrap();
        let change =
            SiteChange { timezone: Some("Asia/Kolkata".to_owned()), ..SiteChange::default() };
        let site = accounts.add_site(Actor::CommandLine, "log.example", &change).unwrap();
        let closer = || Closer::new(store.clone(), clock.clone(), dir.join("closer.lock"));
        closer().step(Hour::of_ms(ms(NOW))).await.unwrap();
        let importer = Importer {
            store: store.clone(),
            accounts,
            clock: clock.clone(),
            closer: closer(),
            enricher: Enricher::new(Geo::default()),
            chunk_lines: 150,
            lock: dir.join("import.lock"),
        };
        Bench { store, clock, importer, site, engine }
    }

    fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.engine.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    async fn import(&self, path: &Path) -> Summary {
        self.importer.access_log(path, &self.site).await.unwrap()
    }

    /// What is in the raw events.
    async fn stored(&self) -> (BTreeMap<(String, String), u64>, BTreeMap<String, u64>) {
        let site = [("site", Param::from(self.site.id.0))];
        let pages = "SELECT toString(day), pathname, count() FROM events \
                     WHERE site_id = {site:UInt32} GROUP BY day, pathname";
        let pages: Vec<(String, String, u64)> = self.store.rows(pages, &site).await.unwrap();
        let visitors = "SELECT toString(day), uniqExact(visitor) FROM events \
                        WHERE site_id = {site:UInt32} GROUP BY day";
        let visitors: Vec<(String, u64)> = self.store.rows(visitors, &site).await.unwrap();
        let pages = pages.into_iter().map(|(day, page, n)| ((day, page), n)).collect();
        (pages, visitors.into_iter().collect())
    }

    async fn expect(&self, count: &Count, what: &str) {
        let (pages, visitors) = self.stored().await;
        assert_eq!(pages, count.pages, "{what}");
        assert_eq!(visitors, count.visitors(), "{what}");
        // the reports of the days that are sealed say the same
        let sql = "SELECT toString(day), pathname, sum(views) FROM daily_pages \
                   WHERE site_id = {site:UInt32} GROUP BY day, pathname HAVING sum(views) > 0";
        let site = [("site", Param::from(self.site.id.0))];
        let reported: Vec<(String, String, u64)> = self.store.rows(sql, &site).await.unwrap();
        let reported: BTreeMap<_, _> = reported.into_iter().map(|(d, p, n)| ((d, p), n)).collect();
        let horizon = self.importer.closer.horizon().await.unwrap();
        let sealed = horizon.sealed_through.to_string();
        let pages: BTreeMap<_, _> =
            pages.into_iter().filter(|((day, _), _)| *day <= sealed).collect();
        assert!(!pages.is_empty(), "{what}: some days are sealed");
        assert_eq!(reported, pages, "{what}: reports");
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_imported_once_however_it_comes() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let (mut rng, bench) = (StdRng::seed_from_u64(seed), Bench::new().await);
    let (mut count, mut at_ms) = (Count::default(), ms(START));
    let mut log = generate(&mut rng, &bench.site, 1_000, &mut at_ms, &mut count);
    let noise: &[u8] = b"not a log line\n\n203.0.113.250 - - [05/Mar/2026:24:99:00 +0000] \"GET / HTTP/1.1\" 200 1\n";
    log.extend_from_slice(noise);
    // a last line that is still being written
    let half = b"203.0.113.9 - - [09/Mar/2026:10:0";
    let path = bench.file("access.log", &[&log[..], half].concat());
    let summary = bench.import(&path).await;
    assert_eq!(summary.lines, 1_003);
    assert_eq!(summary.malformed, [1_001, 1_003]);
    assert!(summary.left.is_some_and(|left| left.contains("not whole")));
    bench.expect(&count, "the first run").await;

    for (name, content) in [("access.log", log.clone()), ("other-name.gz", gzip(&log))] {
        let again = bench.import(&bench.file(name, &content)).await;
        assert_eq!((again.lines, again.lines_before), (0, 1_003), "{name}");
    }
    bench.expect(&count, "the same log again").await;

    let grown = generate(&mut rng, &bench.site, 700, &mut at_ms, &mut count);
    log.extend_from_slice(&grown);
    log.pop(); // the log's end has no line end
    let again = bench.import(&bench.file("grown.gz", &gzip(&log))).await;
    assert_eq!((again.lines, again.lines_before, again.left), (700, 1_003, None));
    let (pages, _) = bench.stored().await;
    assert_eq!(pages, count.pages, "the grown log");

    // then the line end comes, and nothing else
    log.push(b'\n');
    assert_eq!(bench.import(&bench.file("access.log", &log)).await.views(), 0);

    let imports = bench.importer.accounts.imports(bench.site.id).unwrap();
    assert_eq!(imports.len(), 1, "it was always the same log");
    assert_eq!(imports[0].secret, None, "nobody can compute its visitors again");
    let dry = Importer::dry_run(&path, &bench.site, &bench.importer.enricher, ms(NOW)).unwrap();
    assert_eq!(dry.lines, 1_701);
    assert_eq!(dry.views(), count.pages.values().sum::<u64>());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_cut_off_again_and_again_counts_once() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let (mut rng, bench) = (StdRng::seed_from_u64(seed), Bench::new().await);
    let (mut count, mut at_ms) = (Count::default(), ms(START));
    let mut log = generate(&mut rng, &bench.site, 1_200, &mut at_ms, &mut count);
    let mut cuts = 0;
    loop {
        let path = bench.file("access.log", &log);
        let life = Duration::from_millis(rng.random_range(5..400 + 20 * cuts));
        let run = bench.importer.access_log(&path, &bench.site);
        if let Ok(done) = tokio::time::timeout(life, run).await {
            done.unwrap();
            break;
        }
        cuts += 1;
        if cuts == 3 {
            // it grows meanwhile, in the middle of a chunk
            log.extend(generate(&mut rng, &bench.site, 333, &mut at_ms, &mut count));
        }
        assert!(cuts < 300, "it never gets done");
    }
    println!("cut off {cuts} times");
    if cuts < 3 {
        log.extend(generate(&mut rng, &bench.site, 333, &mut at_ms, &mut count));
    }
    bench.import(&bench.file("access.log", &log)).await;
    let (pages, _) = bench.stored().await;
    assert_eq!(pages, count.pages);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_running_hour_waits_and_stays_the_same_visitor() {
    let bench = Bench::new().await;
    let line = |time: &str| {
        format!(
            "203.0.113.7 - - [{time} +0000] \"GET /now HTTP/1.1\" 200 5 \"-\" \"{}\"\n",
            AGENTS[0]
        )
    };
    let lines: Vec<String> =
        ["10/Mar/2026:08:59:59", "10/Mar/2026:09:00:00", "01/Jan/2031:00:00:00"].map(line).to_vec();
    let path = bench.file("access.log", lines.concat().as_bytes());
    let first = bench.import(&path).await;
    assert_eq!((first.lines, first.views()), (1, 1));
    assert!(first.left.is_some_and(|left| left.contains("running hour")));
    bench.clock.set(ms("2026-03-10T10:00:01Z"));
    let second = bench.import(&path).await;
    let future = Skip::ALL.iter().position(|s| *s == Skip::Future).unwrap();
    assert_eq!((second.lines, second.views(), second.skipped[future]), (2, 1, 1));
    let (pages, visitors) = bench.stored().await;
    assert_eq!(pages.values().sum::<u64>(), 2);
    assert_eq!(visitors, BTreeMap::from([("2026-03-10".to_owned(), 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn imports_go_one_at_a_time() {
    let bench = Bench::new().await;
    let lock = std::fs::File::create(&bench.importer.lock).unwrap();
    lock.lock().unwrap();
    let path = bench.file("access.log", b"");
    let refused = bench.importer.access_log(&path, &bench.site).await;
    assert!(matches!(refused, Err(ImportError::Busy)), "{refused:?}");
    drop(lock);
    assert_eq!(bench.import(&path).await.lines, 0);
    assert!(bench.importer.accounts.imports(bench.site.id).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_filled_once_and_refreshed() {
    let bench = Bench::new().await;
    let demo = Demo {
        store: bench.store.clone(),
        accounts: bench.importer.accounts.clone(),
        clock: bench.clock.clone(),
        closer: Closer::new(
            bench.store.clone(),
            bench.clock.clone(),
            bench.engine.dir.path().join("closer.lock"),
        ),
    };
    let began = std::time::Instant::now();
    let Filled::Now { days, events } = demo.fill(false, Progress::silent()).await.unwrap() else {
        panic!("the demo was there already");
    };
    println!("demo: {events} events in {:.1} s", began.elapsed().as_secs_f64());
    assert_eq!(days, demo::DAYS);
    assert_eq!(demo.fill(false, Progress::silent()).await.unwrap(), Filled::Before);
    assert_eq!(demo.fill(true, Progress::silent()).await.unwrap(), Filled::Before);
    bench.clock.set(ms(NOW) + 2 * 3_600_000);
    assert_eq!(demo.fill(false, Progress::silent()).await.unwrap(), Filled::Before);
    let Filled::Now { days: 1, events: more } = demo.fill(true, Progress::silent()).await.unwrap()
    else {
        panic!("two hours were missing");
    };
    let site = demo.accounts.site(demo::DOMAIN).unwrap();
    assert!(site.demo);
    let params = [("site", Param::from(site.id.0)), ("day", Param::Date(Day::of_ms(ms(NOW))))];
    let sql = "SELECT count(), uniqExact(node, seq) FROM events WHERE site_id = {site:UInt32}";
    let counts: Vec<(u64, u64)> = bench.store.rows(sql, &params[..1]).await.unwrap();
    assert_eq!(counts, [(events + more, events + more)]);
    let sql = "SELECT count(), min(visits) FROM (SELECT day, sum(visits) AS visits FROM daily_totals \
               WHERE site_id = {site:UInt32} AND day < {day:Date} - 1 GROUP BY day)";
    let sealed: Vec<(u64, u64)> = bench.store.rows(sql, &params).await.unwrap();
    assert_eq!(sealed[0].0, 88, "every sealed day has its figures");
    assert!(sealed[0].1 > 900, "and enough visits: {}", sealed[0].1);
}
