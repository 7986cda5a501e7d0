//! Hours are closed once and right; days are sealed into the same figures; nothing depends on when the
//! power went. Every report is compared with the plain implementation in `reference`.

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tallyhouse::clock::Clock;
use tallyhouse::closer::{Closer, CloserError, Horizon};
use tallyhouse::event::row::{self, Rows};
use tallyhouse::hours::{Day, HOUR_MS, Hour};
use tallyhouse::limits::CLOSE_GRACE_MS;
use tallyhouse::store::query::kinds::{DeviceDimension, PlaceKind, SourceKind};
use tallyhouse::store::query::page::{Listing, Page};
use tallyhouse::store::query::{devices, events, extent, pages, places, sources, timeseries, totals};
use tallyhouse::store::{Block, Store, Window};
use tallyhouse::tenant::{SiteId, Tenant};

use crate::reference::{Figures, Hit, Look, Reference};
use crate::rig;
use crate::stream::{self, ZONES};

/// A page that holds every row of these small reports.
const ALL: Page<'static> = Page { limit: 1_000, offset: 0, search: "" };

/// An engine, a closer, and events that reach raw hour by hour.
struct Bench {
    running: rig::engine::RunningEngine,
    store: Store,
    clock: Clock,
    closer: Closer,
    hits: Vec<Hit>,
}

impl Bench {
    async fn new(hits: Vec<Hit>) -> Bench {
        let running = rig::engine().await;
        let store = running.migrated().await;
        let clock = Clock::manual(hits[0].stamp.ts_ms);
        let closer = Closer::new(store.clone(), clock.clone(), running.dir.path().join("closer.lock"));
        Bench { running, store, clock, closer, hits }
    }

    /// What the drain does with the events of an hour.
    async fn insert(&self, hour: Hour) {
        let hits: Vec<_> =
            self.hits.iter().filter(|h| Hour::of_ms(h.stamp.ts_ms) == hour).collect();
        let half = hits.len() / 2;
        for part in [&hits[..half], &hits[half..]] {
            if !part.is_empty() {
                insert(&self.store, part).await;
            }
        }
    }

    /// Lets the hour end, and steps.
    async fn close(&self, hour: Hour) -> Horizon {
        self.clock.set(hour.next().start_ms() + CLOSE_GRACE_MS);
        self.closer.step(hour.next()).await.unwrap()
    }

    async fn insert_all(&self) {
        for hour in self.hours() {
            self.insert(hour).await;
        }
    }

    fn hours(&self) -> Vec<Hour> {
        let first = Hour::of_ms(self.hits[0].stamp.ts_ms);
        let last = Hour::of_ms(self.hits[self.hits.len() - 1].stamp.ts_ms);
        (first.0..=last.0).map(Hour).collect()
    }

    /// All days that have events, and a bit.
    fn days(&self) -> (Day, Day) {
        let days = self.hits.iter().map(|h| h.local.day);
        (days.clone().min().unwrap(), days.max().unwrap().next())
    }

    async fn compare(&self, horizon: Horizon, site: u32, days: (Day, Day)) {
        Comparison { store: &self.store, horizon, site, days }.run(&self.hits).await;
    }

    async fn compare_all(&self, horizon: Horizon) {
        for site in 1..=ZONES.len() as u32 {
            self.compare(horizon, site, self.days()).await;
        }
    }

    async fn seal_all(&self) -> Horizon {
        let day = Day(self.days().1.0 - 1);
        let over = Hour::of_ms(day.over_everywhere_ms());
        let horizon = self.close(over).await;
        assert_eq!(horizon.sealed_through, day);
        horizon
    }
}

async fn insert(store: &Store, hits: &[&Hit]) {
    let mut rows = Rows::default();
    hits.iter().for_each(|hit| hit.encode(&mut rows));
    let mut bytes = Vec::new();
    let mut rest = rows.bytes();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[2..6].try_into().unwrap()) as usize;
        let end = row::RECORD_HEAD_BYTES + length;
        bytes.extend_from_slice(&rest[row::RECORD_HEAD_BYTES..end]);
        rest = &rest[end..];
    }
    let mut id = [0; 16];
    id[..8].copy_from_slice(&rand::random::<u64>().to_be_bytes());
    let (version, expires) = (row::VERSION, Day(u16::MAX));
    let block = Block { id, first: hits[0].stamp, version, rows: bytes.into(), expires };
    store.insert_block(&block).await.unwrap();
}

/// Every report of one site and window beside the reference.
struct Comparison<'a> {
    store: &'a Store,
    horizon: Horizon,
    site: u32,
    days: (Day, Day),
}

impl Comparison<'_> {
    async fn run(&self, hits: &[Hit]) {
        let reference = Reference::new(hits, self.site, self.days, self.horizon.closed_until);
        self.sums(&reference).await;
        self.pages(&reference).await;
        self.visits(&reference).await;
        self.events(&reference).await;
    }

    fn window(&self) -> Window {
        let Horizon { sealed_through, closed_until, .. } = self.horizon;
        Window { from: self.days.0, until: self.days.1, sealed: sealed_through, horizon: closed_until }
    }

    fn tenant(&self) -> Tenant {
        Tenant::of_test(SiteId(self.site))
    }

    /// Where a difference is, for the message of a failure.
    fn place(&self, report: &str) -> String {
        format!("{report} of site {} for {:?} at {:?}", self.site, self.days, self.horizon)
    }

    async fn sums(&self, reference: &Reference<'_>) {
        let (store, tenant, window) = (self.store, self.tenant(), self.window());
        let got = totals::totals(store, tenant, &window).await.unwrap();
        assert_eq!(from_totals(got), reference.totals(), "{}", self.place("totals"));
        let hours = reference.hours();
        if let Some((cut_s, _)) = hours.get(hours.len() / 2) {
            let got = totals::totals_before(store, tenant, &window, *cut_s).await.unwrap();
            let want = reference.totals_before(*cut_s);
            assert_eq!(from_totals(got), want, "{}", self.place("totals_before"));
        }
        let got = timeseries::hours(store, tenant, &window).await.unwrap();
        let got = got.into_iter().map(|p| {
            let timeseries::HourPoint { visitors, visits, views, events, bounces, duration_ms, .. } = p;
            (p.hour_s, Figures { visitors, visits, views, events, bounces, duration_ms, ..ZERO })
        });
        assert_eq!(got.collect::<Vec<_>>(), hours, "{}", self.place("hours"));
        let got = timeseries::days(store, tenant, &window).await.unwrap();
        let got = got.into_iter().map(|p| {
            let timeseries::DayPoint { visitors, visits, views, events, bounces, duration_ms, .. } = p;
            (p.day, Figures { visitors, visits, views, events, bounces, duration_ms, ..ZERO })
        });
        let mut want = reference.days();
        want.iter_mut().for_each(|(_, f)| f.engaged_ms = 0);
        assert_eq!(got.collect::<Vec<_>>(), want, "{}", self.place("days"));
        let got = extent::extent(store, tenant, &window).await.unwrap();
        assert_eq!(got.map(|e| (e.first_day, e.last_event_ms)), reference.extent());
    }

    async fn pages(&self, reference: &Reference<'_>) {
        let (store, tenant, window) = (self.store, self.tenant(), self.window());
        let got = pages::pages(store, tenant, &window, &ALL).await.unwrap();
        let got = table(got, |r| {
            let pages::PageRow { visitors, views, engaged_ms, scroll, .. } = r;
            (r.name, Figures { visitors, views, engaged_ms, scroll, ..ZERO })
        });
        assert_eq!(got, reference.pages(), "{}", self.place("pages"));
        let got = pages::entry_pages(store, tenant, &window, &ALL).await.unwrap();
        let got = table(got, |r| {
            let pages::EntryPageRow { visitors, visits, bounces, duration_ms, .. } = r;
            (r.name, Figures { visitors, visits, bounces, duration_ms, ..ZERO })
        });
        let mut want = reference.entry_pages();
        want.iter_mut().for_each(|(_, f)| (f.views, f.events, f.engaged_ms) = (0, 0, 0));
        assert_eq!(got, want, "{}", self.place("entry pages"));
        let got = pages::exit_pages(store, tenant, &window, &ALL).await.unwrap();
        let got = table(got, |r| {
            (r.name, Figures { visitors: r.visitors, visits: r.visits, ..ZERO })
        });
        let want = reference.exit_pages().into_iter();
        let want = want.map(|(k, f)| (k, Figures { visitors: f.visitors, visits: f.visits, ..ZERO }));
        assert_eq!(got, want.collect::<Vec<_>>(), "{}", self.place("exit pages"));
    }

    async fn visits(&self, reference: &Reference<'_>) {
        let (store, tenant, window) = (self.store, self.tenant(), self.window());
        for kind in SourceKind::ALL {
            let got = sources::sources(store, tenant, &window, *kind, &ALL).await.unwrap();
            let got = table(got, |r| {
                let sources::SourceRow { visitors, visits, views, bounces, duration_ms, .. } = r;
                (r.name, Figures { visitors, visits, views, bounces, duration_ms, ..ZERO })
            });
            let want = visit_figures(reference.by_look(|look| source(*kind, look)));
            assert_eq!(got, want, "{}", self.place(kind.as_str()));
        }
        for kind in PlaceKind::ALL {
            let got = places::places(store, tenant, &window, *kind, &ALL).await.unwrap();
            let got = table(got, |r| {
                let places::PlaceRow { visitors, visits, views, bounces, duration_ms, .. } = r;
                let key = (r.name, r.country, r.region);
                (key, Figures { visitors, visits, views, bounces, duration_ms, ..ZERO })
            });
            let want = visit_figures(reference.by_look(|look| Some(place(*kind, look))));
            assert_eq!(got, want, "{}", self.place(kind.as_str()));
        }
        for kind in DeviceDimension::ALL {
            let got = devices::devices(store, tenant, &window, *kind, &ALL).await.unwrap();
            let got = table(got, |r| {
                let devices::DeviceRow { visitors, visits, views, bounces, duration_ms, .. } = r;
                let key = (r.name, r.version);
                (key, Figures { visitors, visits, views, bounces, duration_ms, ..ZERO })
            });
            let want = visit_figures(reference.by_look(|look| Some(device(*kind, look))));
            assert_eq!(got, want, "{}", self.place(kind.as_str()));
        }
    }

    async fn events(&self, reference: &Reference<'_>) {
        let (store, tenant, window) = (self.store, self.tenant(), self.window());
        let got = events::events(store, tenant, &window, &ALL).await.unwrap();
        let got = got.rows.into_iter().map(|r| {
            (r.name, Figures { visitors: r.visitors, events: r.count, ..ZERO }, r.revenue)
        });
        assert_eq!(got.collect::<Vec<_>>(), reference.events(), "{}", self.place("events"));
        for name in ["Signup", "Purchase", "pageview", "none"] {
            let got = events::event_props(store, tenant, &window, name, &ALL).await.unwrap();
            let got = table(got, |r| {
                ((r.key, r.value), Figures { visitors: r.visitors, events: r.count, ..ZERO })
            });
            assert_eq!(got, reference.event_props(name), "{}", self.place(name));
        }
    }
}

const ZERO: Figures = Figures {
    visitors: 0,
    visits: 0,
    views: 0,
    events: 0,
    bounces: 0,
    duration_ms: 0,
    engaged_ms: 0,
    scroll: 0,
};

fn from_totals(t: totals::Totals) -> Figures {
    let totals::Totals { visitors, visits, views, events, bounces, duration_ms, engaged_ms } = t;
    Figures { visitors, visits, views, events, bounces, duration_ms, engaged_ms, scroll: 0 }
}

/// What a report of visits shows.
fn visit_figures<K>(mut rows: Vec<(K, Figures)>) -> Vec<(K, Figures)> {
    rows.iter_mut().for_each(|(_, f)| (f.events, f.engaged_ms) = (0, 0));
    rows
}

fn table<R, K>(listing: Listing<R>, row: impl Fn(R) -> (K, Figures)) -> Vec<(K, Figures)> {
    assert_eq!(listing.total, listing.rows.len() as u64);
    listing.rows.into_iter().map(row).collect()
}

fn source(kind: SourceKind, look: &Look) -> Option<String> {
    let tag = |i: usize| Some(look.utm[i].clone()).filter(|tag| !tag.is_empty());
    match kind {
        SourceKind::Channel => Some(look.channel.as_str().to_owned()),
        SourceKind::Source => Some(look.source.clone()),
        SourceKind::Referrer => Some(look.referrer.clone()),
        SourceKind::UtmSource => tag(0),
        SourceKind::UtmMedium => tag(1),
        SourceKind::UtmCampaign => tag(2),
        SourceKind::UtmContent => tag(3),
        SourceKind::UtmTerm => tag(4),
    }
}

fn place(kind: PlaceKind, look: &Look) -> (String, String, String) {
    let [country, region, city] = look.place.clone();
    match kind {
        PlaceKind::Country => (country.clone(), country, String::new()),
        PlaceKind::Region => (region.clone(), country, region),
        PlaceKind::City => (city, country, region),
    }
}

fn device(kind: DeviceDimension, look: &Look) -> (String, String) {
    let [browser, browser_version, os, os_version, language] = look.device.clone();
    match kind {
        DeviceDimension::Browser => (browser, String::new()),
        DeviceDimension::BrowserVersion => (browser, browser_version),
        DeviceDimension::Os => (os, String::new()),
        DeviceDimension::OsVersion => (os, os_version),
        DeviceDimension::Device => (look.kind.as_str().to_owned(), String::new()),
        DeviceDimension::Screen => (look.screen.as_str().to_owned(), String::new()),
        DeviceDimension::Language => (language, String::new()),
    }
}

fn hour(text: &str) -> Hour {
    Hour::of_ms(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

/// Closes hour by hour and compares after each; then seals, merges, rebuilds, and compares again.
async fn every_hour_is_right(from: &str) {
    let seed = stream::seed();
    let mut rng = SmallRng::seed_from_u64(seed);
    let bench = Bench::new(stream::hits(seed, hour(from), 46, 60)).await;
    let (first_day, end) = bench.days();
    for hour in bench.hours() {
        bench.insert(hour).await;
        let horizon = bench.close(hour).await;
        assert_eq!(horizon.closed_until, hour.next());
        let site = rng.random_range(1..=ZONES.len() as u32);
        bench.compare(horizon, site, (first_day, end)).await;
        let day = Day(rng.random_range(first_day.0..end.0));
        bench.compare(horizon, site, (day, day.next())).await;
        assert_eq!(bench.closer.check(hour).await.unwrap(), []);
    }
    bench.compare_all(bench.closer.horizon().await.unwrap()).await;
    let horizon = bench.seal_all().await;
    bench.compare_all(horizon).await;
    for day in first_day.0..end.0 {
        assert_eq!(bench.closer.check_day(Day(day)).await.unwrap(), []);
    }
    sealed_visits_keep_their_path(&bench).await;
}

async fn sealed_visits_keep_their_path(bench: &Bench) {
    #[derive(clickhouse::Row, serde::Deserialize)]
    struct Paths {
        pages: Vec<String>,
        goals: Vec<String>,
        visits: u64,
    }
    let sql = "SELECT pages, goals, count() AS visits FROM visits GROUP BY pages, goals";
    let got = bench.store.rows::<Paths>(sql, &[]).await.unwrap();
    let got: BTreeMap<_, _> = got.into_iter().map(|p| ((p.pages, p.goals), p.visits)).collect();
    let mut want = BTreeMap::<_, u64>::new();
    for site in 1..=ZONES.len() as u32 {
        let reference = Reference::new(&bench.hits, site, bench.days(), Hour(u32::MAX / 3600));
        for visit in reference.visits() {
            *want.entry((visit.pages(), visit.goals())).or_default() += 1;
        }
    }
    assert_eq!(got, want);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hour_is_right_when_berlin_springs_forward() {
    every_hour_is_right("2026-03-28T20:00:00Z").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hour_is_right_when_berlin_falls_back() {
    every_hour_is_right("2026-10-24T08:00:00Z").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hour_is_right_when_lord_howe_falls_back_by_half_an_hour() {
    every_hour_is_right("2026-04-04T02:00:00Z").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hour_is_right_when_lord_howe_springs_forward_by_half_an_hour() {
    every_hour_is_right("2026-10-02T22:00:00Z").await;
}
