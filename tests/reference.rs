//! The slow plain implementation: every report from the list of events, by the definitions alone.

use std::collections::{BTreeMap, BTreeSet};

use tallyhouse::event::row::Rows;
use tallyhouse::event::{
    Bot, Channel, Device, DeviceKind, Event, Place, Revenue, Screen, Stamp, Traffic, VisitorId,
};
use tallyhouse::hours::{Day, HOUR_MS, Hour, LocalTime};
use tallyhouse::tenant::SiteId;

/// An event that owns its text.
#[derive(Clone, Debug)]
pub struct Hit {
    pub site: u32,
    pub stamp: Stamp,
    pub local: LocalTime,
    pub visitor: [u8; 16],
    pub name: String,
    pub interactive: bool,
    pub pathname: String,
    pub look: Look,
    pub engaged_ms: u32,
    pub scroll: u8,
    pub revenue: Option<(String, i64)>,
    pub props: Vec<(String, String)>,
    pub bot: Bot,
}

/// What a visit takes from its first event.
#[derive(Clone, Debug, Default)]
pub struct Look {
    pub hostname: String,
    pub source: String,
    pub referrer: String,
    pub channel: Channel,
    pub utm: [String; 5],
    pub place: [String; 3],
    /// Browser, its version, system, its version, language.
    pub device: [String; 5],
    pub kind: DeviceKind,
    pub screen: Screen,
}

impl Hit {
    pub fn encode(&self, rows: &mut Rows) {
        let props: Vec<_> = self.props.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let look = &self.look;
        rows.push(&Event {
            site: SiteId(self.site),
            stamp: self.stamp,
            local: self.local,
            visitor: VisitorId(self.visitor),
            name: &self.name,
            interactive: self.interactive,
            hostname: &look.hostname,
            pathname: &self.pathname,
            traffic: Traffic {
                source: &look.source,
                referrer: &look.referrer,
                channel: look.channel,
                utm: [0, 1, 2, 3, 4].map(|i| look.utm[i].as_str()),
            },
            place: Place { country: &look.place[0], region: &look.place[1], city: &look.place[2] },
            device: Device {
                browser: &look.device[0],
                browser_version: &look.device[1],
                os: &look.device[2],
                os_version: &look.device[3],
                kind: look.kind,
                screen: look.screen,
                language: &look.device[4],
            },
            engaged_ms: self.engaged_ms,
            scroll: self.scroll,
            revenue: self.revenue.as_ref().map(|(c, milli)| Revenue { currency: c, milli: *milli }),
            props: &props,
            bot: self.bot,
            expires_day: u16::MAX,
        });
    }

    fn is_view(&self) -> bool {
        self.name == "pageview"
    }

    fn is_custom(&self) -> bool {
        !self.is_view() && self.name != "engagement"
    }
}

/// Events of one visitor with no gap over 30 minutes, in order.
pub struct Visit<'a> {
    hits: Vec<&'a Hit>,
}

impl<'a> Visit<'a> {
    fn first(&self) -> &'a Hit {
        self.hits[0]
    }

    pub fn pages(&self) -> Vec<String> {
        self.hits.iter().filter(|h| h.is_view()).map(|h| h.pathname.clone()).collect()
    }

    pub fn goals(&self) -> Vec<String> {
        let goals: BTreeSet<_> =
            self.hits.iter().filter(|h| h.is_custom()).map(|h| &h.name).collect();
        goals.into_iter().cloned().collect()
    }

    fn figures(&self) -> Figures {
        let (first, last) = (self.first(), self.hits[self.hits.len() - 1]);
        let actions = self.hits.iter().filter(|h| h.is_view() || (h.is_custom() && h.interactive));
        Figures {
            visits: 1,
            views: self.pages().len() as u64,
            events: self.hits.iter().filter(|h| h.is_custom()).count() as u64,
            bounces: u64::from(actions.count() <= 1),
            duration_ms: (last.stamp.ts_ms - first.stamp.ts_ms) as u64,
            engaged_ms: self.hits.iter().map(|h| u64::from(h.engaged_ms)).sum(),
            ..Figures::default()
        }
    }
}

/// Every sum there is; each report names some.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    pub visitors: u64,
    pub visits: u64,
    pub views: u64,
    pub events: u64,
    pub bounces: u64,
    pub duration_ms: u64,
    pub engaged_ms: u64,
    pub scroll: u8,
}

impl Figures {
    fn add(&mut self, other: &Figures) {
        self.visitors += other.visitors;
        self.visits += other.visits;
        self.views += other.views;
        self.events += other.events;
        self.bounces += other.bounces;
        self.duration_ms += other.duration_ms;
        self.engaged_ms += other.engaged_ms;
    }
}

/// The events of one site that a reader may see: not bots, closed, and of the window's days.
pub struct Reference<'a> {
    hits: Vec<&'a Hit>,
    visits: Vec<Visit<'a>>,
    horizon: Hour,
}

/// Rows of a report by their key.
pub type Table<K> = Vec<(K, Figures)>;

/// (Currency, thousandths of it).
pub type Money = Vec<(String, i64)>;

/// Visitors of one day; nobody is known for longer.
type People = BTreeSet<(Day, [u8; 16])>;

impl<'a> Reference<'a> {
    pub fn new(
        hits: &'a [Hit],
        site: u32,
        (from, until): (Day, Day),
        horizon: Hour,
    ) -> Reference<'a> {
        let mut hits: Vec<&Hit> = hits
            .iter()
            .filter(|h| h.site == site && h.bot == Bot::No && h.stamp.ts_ms < horizon.start_ms())
            .filter(|h| h.local.day >= from && h.local.day < until)
            .collect();
        hits.sort_by_key(|h| (h.stamp.ts_ms, h.stamp.node, h.stamp.seq));
        let visits = visits(&hits);
        Reference { hits, visits, horizon }
    }

    pub fn visits(&self) -> &[Visit<'a>] {
        &self.visits
    }

    /// The first day and the time of the last event.
    pub fn extent(&self) -> Option<(Day, i64)> {
        let first = self.hits.iter().map(|h| h.local.day).min()?;
        let last_ms = self.hits.iter().map(|h| h.stamp.ts_ms).max()?;
        Some((first, last_ms))
    }

    pub fn totals(&self) -> Figures {
        self.by_visit(|_| vec![()]).first().map(|(_, f)| *f).unwrap_or_default()
    }

    /// Visits that began before the cut, views and events of the hours before it.
    pub fn totals_before(&self, cut_s: u32) -> Figures {
        let early = |hit: &Hit| hit.local.hour_s < cut_s;
        let key = |v: &Visit| if early(v.first()) { vec![()] } else { vec![] };
        let visits = self.by_visit(key).first().map(|(_, f)| *f).unwrap_or_default();
        let hits = self.hits.iter().filter(|h| early(h));
        Figures {
            views: hits.clone().filter(|h| h.is_view()).count() as u64,
            events: hits.clone().filter(|h| h.is_custom()).count() as u64,
            engaged_ms: hits.map(|h| u64::from(h.engaged_ms)).sum(),
            ..visits
        }
    }

    pub fn days(&self) -> Table<u16> {
        let mut days = self.by_visit(|v| vec![v.first().local.day.0]);
        days.sort_by_key(|(day, _)| *day);
        days
    }

    pub fn hours(&self) -> Table<u32> {
        let mut hours: BTreeMap<u32, (Figures, People)> = BTreeMap::new();
        for hit in &self.hits {
            let (figures, people) = hours.entry(hit.local.hour_s).or_default();
            people.insert((hit.local.day, hit.visitor));
            figures.views += u64::from(hit.is_view());
            figures.events += u64::from(hit.is_custom());
        }
        for visit in &self.visits {
            let (figures, _) = hours.entry(visit.first().local.hour_s).or_default();
            let Figures { visits, bounces, duration_ms, .. } = visit.figures();
            figures.add(&Figures { visits, bounces, duration_ms, ..Figures::default() });
        }
        let complete = |hour: &u32| hour + 3600 <= self.horizon.start_s();
        let rows = hours.into_iter().filter(|(hour, _)| complete(hour));
        rows.map(|(hour, (f, people))| (hour, Figures { visitors: people.len() as u64, ..f }))
            .collect()
    }

    pub fn pages(&self) -> Table<String> {
        let mut pages: BTreeMap<&str, (Figures, People, u64, u64)> = BTreeMap::new();
        for hit in self.hits.iter().filter(|h| !h.is_custom()) {
            let (figures, people, scrolled, scrolls) = pages.entry(&hit.pathname).or_default();
            if hit.is_view() {
                figures.views += 1;
                people.insert((hit.local.day, hit.visitor));
            } else {
                *scrolled += u64::from(hit.scroll);
                *scrolls += u64::from(hit.scroll > 0);
            }
            figures.engaged_ms += u64::from(hit.engaged_ms);
        }
        let rows = pages.into_iter().filter(|(_, (f, ..))| f.views > 0);
        let rows = rows.map(|(page, (f, people, scrolled, scrolls))| {
            let mean = scrolled as f64 / scrolls.max(1) as f64;
            let scroll = mean.round_ties_even() as u8;
            (page.to_owned(), Figures { visitors: people.len() as u64, scroll, ..f })
        });
        ranked(rows.collect(), |f| f.views)
    }

    pub fn entry_pages(&self) -> Table<String> {
        ranked(self.by_visit(|v| v.pages().first().cloned().into_iter().collect()), |f| f.visits)
    }

    pub fn exit_pages(&self) -> Table<String> {
        ranked(self.by_visit(|v| v.pages().last().cloned().into_iter().collect()), |f| f.visits)
    }

    /// A report of visits by something of their first event.
    pub fn by_look<K: Ord + Clone>(&self, key: impl Fn(&Look) -> Option<K>) -> Table<K> {
        ranked(self.by_visit(|v| key(&v.first().look).into_iter().collect()), |f| f.views)
    }

    /// Custom events with their count (as `events`) and revenue.
    pub fn events(&self) -> Vec<(String, Figures, Money)> {
        let mut money: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for hit in self.hits.iter().filter(|h| h.is_custom()) {
            if let Some((currency, milli)) = &hit.revenue {
                *money.entry((&hit.name, currency)).or_default() += milli;
            }
        }
        let rows = self.by_hit(|h| if h.is_custom() { vec![h.name.clone()] } else { vec![] });
        let revenue = |name: &str| {
            let mine = money.iter().filter(|((n, _), _)| *n == name);
            mine.map(|((_, currency), milli)| ((*currency).to_owned(), *milli)).collect()
        };
        rows.into_iter().map(|(name, f)| (name.clone(), f, revenue(&name))).collect()
    }

    pub fn event_props(&self, name: &str) -> Table<(String, String)> {
        self.by_hit(|h| if h.name == name { h.props.clone() } else { vec![] })
    }

    fn by_hit<K: Ord + Clone>(&self, keys: impl Fn(&Hit) -> Vec<K>) -> Table<K> {
        let mut rows: BTreeMap<K, (u64, People)> = BTreeMap::new();
        for hit in &self.hits {
            for key in keys(hit) {
                let (count, people) = rows.entry(key).or_default();
                *count += 1;
                people.insert((hit.local.day, hit.visitor));
            }
        }
        let rows = rows.into_iter().map(|(key, (events, people))| {
            (key, Figures { visitors: people.len() as u64, events, ..Figures::default() })
        });
        ranked(rows.collect(), |f| f.events)
    }

    fn by_visit<K: Ord + Clone>(&self, keys: impl Fn(&Visit) -> Vec<K>) -> Table<K> {
        let mut rows: BTreeMap<K, (Figures, People)> = BTreeMap::new();
        for visit in &self.visits {
            for key in keys(visit) {
                let (figures, people) = rows.entry(key).or_default();
                figures.add(&visit.figures());
                people.insert((visit.first().local.day, visit.first().visitor));
            }
        }
        let rows = rows.into_iter();
        rows.map(|(key, (f, people))| (key, Figures { visitors: people.len() as u64, ..f }))
            .collect()
    }
}

/// By visitors, then by the second figure, then by key.
fn ranked<K: Ord + Clone>(mut rows: Table<K>, second: impl Fn(&Figures) -> u64) -> Table<K> {
    rows.sort_by_key(|(key, f)| {
        (std::cmp::Reverse(f.visitors), std::cmp::Reverse(second(f)), key.clone())
    });
    rows
}

fn visits<'a>(hits: &[&'a Hit]) -> Vec<Visit<'a>> {
    let mut open: BTreeMap<(Day, [u8; 16]), Visit<'a>> = BTreeMap::new();
    let mut done = Vec::new();
    for &hit in hits {
        let key = (hit.local.day, hit.visitor);
        let last_ms = open.get(&key).map(|v| v.hits[v.hits.len() - 1].stamp.ts_ms);
        match last_ms {
            Some(last_ms) if hit.stamp.ts_ms - last_ms <= HOUR_MS / 2 => {
                open.entry(key).and_modify(|visit| visit.hits.push(hit));
            }
            _ => done.extend(open.insert(key, Visit { hits: vec![hit] })),
        }
    }
    done.extend(open.into_values());
    done
}
