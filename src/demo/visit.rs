//! One made-up visit: who, from where, what was read and done.

use rand::rngs::StdRng;
use rand::{Rng as _, RngExt as _};

use super::model::{
    COUNTRIES, Country, MACHINES, Machine, ORIGINS, Origin, PAGES, SPIKE_ORIGIN, SPIKE_PAGE,
};
use crate::event::{Bot, Device, Place, Revenue, Screen, Traffic, VisitorId};

/// Somebody with a device in a place.
pub(super) struct Person {
    pub(super) visitor: VisitorId,
    pub(super) bot: Bot,
    country: &'static Country,
    city: usize,
    machine: &'static Machine,
    versions: [usize; 2],
    screen: Screen,
}

/// Something they did, `after_ms` the visit began.
pub(super) struct Action {
    pub(super) after_ms: i64,
    pub(super) name: &'static str,
    pub(super) page: &'static str,
    pub(super) engaged_ms: u32,
    pub(super) scroll: u8,
    pub(super) props: Option<(&'static str, &'static str)>,
    pub(super) revenue: Option<Revenue<'static>>,
}

/// One of `count` by popularity: the n-th with a weight of 1/n.
fn zipf(rng: &mut StdRng, count: usize) -> usize {
    let all: f64 = (1..=count).map(|n| 1.0 / n as f64).sum();
    let mut left = rng.random::<f64>() * all;
    for n in 1..count {
        left -= 1.0 / n as f64;
        if left < 0.0 {
            return n - 1;
        }
    }
    count - 1
}

/// One of these, by weight.
pub(super) fn weighted<T>(rng: &mut StdRng, of: &'static [T], weight: fn(&T) -> u32) -> &'static T {
    let mut left = rng.random_range(0..of.iter().map(weight).sum());
    for one in of {
        if left < weight(one) {
            return one;
        }
        left -= weight(one);
    }
    unreachable!("the weights sum up to more than was drawn")
}

impl Person {
    pub(super) fn new(rng: &mut StdRng) -> Person {
        let mut visitor = [0; 16];
        rng.fill_bytes(&mut visitor);
        let country = weighted(rng, COUNTRIES, |c| c.weight);
        let machine = weighted(rng, MACHINES, |m| m.weight);
        Person {
            visitor: VisitorId(visitor),
            bot: if rng.random_range(0..100) < 3 { Bot::UserAgent } else { Bot::No },
            country,
            city: zipf(rng, country.cities.len()),
            machine,
            versions: [
                zipf(rng, machine.browser_versions.len()),
                rng.random_range(0..machine.os_versions.len()),
            ],
            screen: machine.screens[rng.random_range(0..machine.screens.len())],
        }
    }

    pub(super) fn place(&self) -> Place<'static> {
        let (region, city) = self.country.cities[self.city];
        Place { country: self.country.code, region, city }
    }

    pub(super) fn device(&self) -> Device<'static> {
        Device {
            browser: self.machine.browser,
            browser_version: self.machine.browser_versions[self.versions[0]],
            os: self.machine.os,
            os_version: self.machine.os_versions[self.versions[1]],
            kind: self.machine.kind,
            screen: self.screen,
            language: self.country.language,
        }
    }
}

/// Where the visit came from; on the days of the spike mostly from one place.
pub(super) fn origin(rng: &mut StdRng, spike: bool) -> &'static Origin {
    if spike && rng.random_range(0..100) < 60 {
        return &ORIGINS[SPIKE_ORIGIN];
    }
    weighted(rng, ORIGINS, |o| o.weight)
}

impl Origin {
    pub(super) fn traffic(&self) -> Traffic<'static> {
        Traffic {
            source: self.source,
            referrer: self.referrer,
            channel: self.channel,
            utm: self.utm,
        }
    }
}

/// What happens in one visit, in order of time.
pub(super) fn actions(rng: &mut StdRng, spike: bool) -> Vec<Action> {
    let pages = match rng.random_range(0..100) {
        0..52 => 1,
        52..76 => 2,
        76..90 => 3,
        _ => 4,
    };
    let mut done = Vec::with_capacity(3 * pages);
    let mut at_ms = 0;
    let mut page =
        if spike && rng.random_range(0..100) < 60 { SPIKE_PAGE } else { zipf(rng, PAGES.len()) };
    for _ in 0..pages {
        done.push(action(at_ms, "pageview", PAGES[page]));
        let read_ms =
            rng.random_range(3_000..40_000) + rng.random_range(0..80_000) * rng.random_range(0..2);
        // some leave before the tracker can say how long they read
        if rng.random_range(0..100) < 80 {
            let scroll = rng.random_range(20..=100);
            let (engaged_ms, name) = (read_ms as u32, "engagement");
            done.push(Action { engaged_ms, scroll, ..action(at_ms + read_ms, name, PAGES[page]) });
        }
        at_ms += read_ms + rng.random_range(500..4_000);
        if pages > 1 {
            convert(rng, &mut done, at_ms, PAGES[page]);
        }
        page = zipf(rng, PAGES.len());
    }
    done
}

/// Sign-ups on their page, and some of those buy.
fn convert(rng: &mut StdRng, done: &mut Vec<Action>, at_ms: i64, page: &'static str) {
    let plan = ["Free", "Starter", "Business"][zipf(rng, 3)];
    if page == "/signup" && rng.random_range(0..100) < 38 {
        done.push(Action { props: Some(("plan", plan)), ..action(at_ms, "Signup", page) });
    }
    if page == "/pricing" && rng.random_range(0..100) < 6 {
        let (plan, milli) =
            if plan == "Business" { ("Business", 79_000) } else { ("Starter", 19_000) };
        let currency = if rng.random_range(0..10) < 6 { "EUR" } else { "USD" };
        let revenue = Some(Revenue { currency, milli });
        done.push(Action {
            props: Some(("plan", plan)),
            revenue,
            ..action(at_ms, "Purchase", page)
        });
    }
}

fn action(after_ms: i64, name: &'static str, page: &'static str) -> Action {
    Action { after_ms, name, page, engaged_ms: 0, scroll: 0, props: None, revenue: None }
}
