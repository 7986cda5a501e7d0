//! Every report of one site and window, beside the plain implementation.

use tallyhouse::closer::Horizon;
use tallyhouse::hours::Day;
use tallyhouse::store::query::kinds::{DeviceDimension, PlaceKind, SourceKind};
use tallyhouse::store::query::page::{Listing, Page};
use tallyhouse::store::query::{
    devices, events, extent, pages, places, sources, timeseries, totals,
};
use tallyhouse::store::{Store, Window};
use tallyhouse::tenant::{SiteId, Tenant};

use crate::reference::{Figures, Hit, Look, Reference};

/// A page that holds every row of these small reports.
pub const ALL: Page<'static> = Page { limit: 1_000, offset: 0, search: "" };

/// Which of the many reports by kind are compared.
#[derive(Clone, Copy)]
pub enum Kinds {
    All,
    /// One of each, by this number.
    One(usize),
}

impl Kinds {
    fn of<T>(self, all: &[T]) -> &[T] {
        match self {
            Kinds::All => all,
            Kinds::One(n) => &all[n % all.len()..][..1],
        }
    }
}

/// Every report of one site and window beside the reference.
pub struct Comparison<'a> {
    pub store: &'a Store,
    pub horizon: Horizon,
    pub site: u32,
    pub days: (Day, Day),
    pub kinds: Kinds,
}

impl Comparison<'_> {
    pub async fn run(&self, hits: &[Hit]) {
        let reference = Reference::new(hits, self.site, self.days, self.horizon.closed_until);
        self.sums(&reference).await;
        self.pages(&reference).await;
        self.visits(&reference).await;
        self.events(&reference).await;
    }

    fn window(&self) -> Window {
        let Horizon { sealed_through, closed_until, .. } = self.horizon;
        Window {
            from: self.days.0,
            until: self.days.1,
            sealed: sealed_through,
            horizon: closed_until,
        }
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
            let timeseries::HourPoint {
                visitors, visits, views, events, bounces, duration_ms, ..
            } = p;
            (p.hour_s, Figures { visitors, visits, views, events, bounces, duration_ms, ..ZERO })
        });
        assert_eq!(got.collect::<Vec<_>>(), hours, "{}", self.place("hours"));
        let got = timeseries::days(store, tenant, &window).await.unwrap();
        let got = got.into_iter().map(|p| {
            let timeseries::DayPoint {
                visitors, visits, views, events, bounces, duration_ms, ..
            } = p;
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
        let got =
            table(got, |r| (r.name, Figures { visitors: r.visitors, visits: r.visits, ..ZERO }));
        let want = reference.exit_pages().into_iter();
        let want =
            want.map(|(k, f)| (k, Figures { visitors: f.visitors, visits: f.visits, ..ZERO }));
        assert_eq!(got, want.collect::<Vec<_>>(), "{}", self.place("exit pages"));
    }

    async fn visits(&self, reference: &Reference<'_>) {
        let (store, tenant, window) = (self.store, self.tenant(), self.window());
        for kind in self.kinds.of(SourceKind::ALL) {
            let got = sources::sources(store, tenant, &window, *kind, &ALL).await.unwrap();
            let got = table(got, |r| {
                let sources::SourceRow { visitors, visits, views, bounces, duration_ms, .. } = r;
                (r.name, Figures { visitors, visits, views, bounces, duration_ms, ..ZERO })
            });
            let want = visit_figures(reference.by_look(|look| source(*kind, look)));
            assert_eq!(got, want, "{}", self.place(kind.as_str()));
        }
        for kind in self.kinds.of(PlaceKind::ALL) {
            let got = places::places(store, tenant, &window, *kind, &ALL).await.unwrap();
            let got = table(got, |r| {
                let places::PlaceRow { visitors, visits, views, bounces, duration_ms, .. } = r;
                let key = (r.name, r.country, r.region);
                (key, Figures { visitors, visits, views, bounces, duration_ms, ..ZERO })
            });
            let want = visit_figures(reference.by_look(|look| Some(place(*kind, look))));
            assert_eq!(got, want, "{}", self.place(kind.as_str()));
        }
        for kind in self.kinds.of(DeviceDimension::ALL) {
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
        for name in self.kinds.of(&["Signup", "Purchase", "pageview", "none"]) {
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
