//! A site with 90 days of made-up history, to look around in. The same day always gets the same
//! visits, so a filling that was interrupted goes on where it stopped, and a later one adds only the
//! hours since. Its events take the raw events' road: blocks, then a rebuild of their days.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use crate::accounts::imports::IMPORT_NODE;
use crate::accounts::{Accounts, AccountsError, Actor, Site, SiteChange};
use crate::clock::Clock;
use crate::closer::{Closer, CloserError};
use crate::event::{Event, Stamp};
use crate::hours::{DAY_MS, Day, HOUR_MS, Hour};
use crate::import::blocks::{self, Chunk};
use crate::import::progress::{Progress, Unit};
use crate::store::{Store, StoreError};

mod model;
mod visit;

use model::{DAY_OFF, WORKDAY};

/// The demo site.
pub const DOMAIN: &str = "demo.tallyhouse.example";
/// Days of history.
pub const DAYS: u16 = 90;
/// Below every number an import can get before the year 3000.
const NODE: u32 = IMPORT_NODE | (IMPORT_NODE - 1);
const SEED: u64 = 0x7a11_1e55;
/// Where the filling's state is kept: `first day, hour done until, hour being filled until`.
const SETTING: &str = "demo";

/// Why the demo could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Closer(#[from] CloserError),
}

/// What a filling needs. ClickHouse is up and its tables are there.
pub struct Demo {
    pub store: Store,
    pub accounts: Accounts,
    pub clock: Clock,
    pub closer: Closer,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filled {
    /// The site has its history already.
    Before,
    Now {
        days: u16,
        events: u64,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    first: Day,
    done: Hour,
    goal: Hour,
}

impl Demo {
    /// Makes the demo site and its history up to the last full hour. Without `refresh`, a site that
    /// has its history stays as it is; with it, the hours since are added.
    ///
    /// # Errors
    /// SQLite or ClickHouse fails; running it again goes on.
    pub async fn fill(&self, refresh: bool, mut progress: Progress) -> Result<Filled, DemoError> {
        let site = self.site()?;
        let now = Hour::of_ms(self.clock.now_ms());
        let today = Day::of_ms(now.start_ms());
        let mut state = match self.state()? {
            Some(state) => state,
            None => {
                let first = Day(today.0.saturating_sub(DAYS - 1));
                State { first, done: Hour::of_ms(first.start_ms()), goal: now }
            }
        };
        if state.done == state.goal {
            if !refresh || state.goal >= now {
                return Ok(Filled::Before);
            }
            state.goal = now;
        }
        self.save(state)?;
        let from = Day::of_ms(state.done.start_ms());
        let until = Day::of_ms(state.goal.previous().start_ms()).next();
        let (days, mut events) = (until.0.saturating_sub(from.0), 0);
        for (n, day) in (from.0..until.0).enumerate() {
            let (chunk, count) = chunk(&site, state, Day(day));
            let name = [u64::from(site.id.0), NODE.into(), day.into(), state.done.0.into()];
            let expires = Day(today.0.saturating_add(site.retention_days));
            // a run before this one may have stored it
            blocks::store_all(&self.store, &chunk.into_blocks(&name, expires), true).await?;
            events += count;
            progress.at(n as u64);
        }
        let mut counted = u64::from(days);
        self.closer
            .rebuild(Some(site.id), from, until, |_| {
                counted += 1;
                progress.at(counted);
            })
            .await?;
        progress.finish();
        self.save(State { done: state.goal, ..state })?;
        Ok(Filled::Now { days, events })
    }

    /// The progress display that fits: each day is written, then counted.
    pub fn progress() -> Progress {
        Progress::new("demo", 2 * u64::from(DAYS), Unit::Days)
    }

    fn site(&self) -> Result<Site, AccountsError> {
        match self.accounts.site(DOMAIN) {
            Err(AccountsError::Missing(_)) => {
                let change = SiteChange { demo: Some(true), ..SiteChange::default() };
                self.accounts.add_site(Actor::CommandLine, DOMAIN, &change)
            }
            found => found,
        }
    }

    fn state(&self) -> Result<Option<State>, AccountsError> {
        let Some(text) = self.accounts.setting(SETTING)? else { return Ok(None) };
        let numbers: Vec<u32> = text.split(' ').filter_map(|n| n.parse().ok()).collect();
        let state = match numbers[..] {
            [first, done, goal] => u16::try_from(first).ok().map(|first| State {
                first: Day(first),
                done: Hour(done),
                goal: Hour(goal),
            }),
            _ => None,
        };
        state.map(Some).ok_or_else(|| AccountsError::Damaged("the setting `demo`".to_owned()))
    }

    fn save(&self, state: State) -> Result<(), AccountsError> {
        let text = format!("{} {} {}", state.first.0, state.done.0, state.goal.0);
        self.accounts.set_setting(SETTING, &text)
    }
}

/// The events of one day that lie between what is done and the goal.
fn chunk(site: &Site, state: State, day: Day) -> (Chunk, u64) {
    let mut rng = StdRng::seed_from_u64(SEED ^ (u64::from(day.0) << 20));
    let index = u32::from(day.0 - state.first.0.min(day.0));
    // a post that many read, seven weeks in
    let spike = matches!(index, 52 | 53);
    let (mut chunk, mut count, mut seq) = (Chunk::default(), 0, u64::from(day.0) << 32);
    for _ in 0..visits(&mut rng, day, index) {
        let person = visit::Person::new(&mut rng);
        let origin = visit::origin(&mut rng, spike);
        let start_ms = day.start_ms() + time_of_day_ms(&mut rng, day);
        for action in visit::actions(&mut rng, spike) {
            seq += 1;
            let ts_ms = start_ms + action.after_ms;
            let within = state.done.start_ms()..state.goal.start_ms();
            if !within.contains(&ts_ms) || ts_ms >= day.start_ms() + DAY_MS {
                continue;
            }
            count += 1;
            chunk.push(&Event {
                site: site.id,
                stamp: Stamp { ts_ms, node: NODE, seq },
                local: site.zone.local(ts_ms),
                visitor: person.visitor,
                name: action.name,
                interactive: action.name != "engagement",
                hostname: DOMAIN,
                pathname: action.page,
                traffic: origin.traffic(),
                place: person.place(),
                device: person.device(),
                engaged_ms: action.engaged_ms,
                scroll: action.scroll,
                revenue: action.revenue,
                props: action.props.as_slice(),
                bot: person.bot,
                expires_day: Day::of_ms(state.goal.start_ms())
                    .0
                    .saturating_add(site.retention_days),
            });
        }
    }
    (chunk, count)
}

/// Growth, the week, chance, and the days of the spike.
fn visits(rng: &mut StdRng, day: Day, index: u32) -> u32 {
    let growing = 2_000.0 + 16.0 * f64::from(index.min(120));
    let week = if is_day_off(day) { 0.58 } else { 1.0 };
    let spike = match index {
        52 => 2.1,
        53 => 1.5,
        _ => 1.0,
    };
    (growing * week * spike * rng.random_range(0.92..1.08)) as u32
}

/// 1970-01-01 was a Thursday.
fn is_day_off(day: Day) -> bool {
    matches!((day.0 + 3) % 7, 5 | 6)
}

fn time_of_day_ms(rng: &mut StdRng, day: Day) -> i64 {
    let weights = if is_day_off(day) { &DAY_OFF } else { &WORKDAY };
    let mut left = rng.random_range(0..weights.iter().sum());
    let mut hour = 0;
    while left >= weights[hour] {
        left -= weights[hour];
        hour += 1;
    }
    hour as i64 * HOUR_MS + rng.random_range(0..HOUR_MS)
}

#[cfg(test)]
mod tests {
    use super::{DOMAIN, State, chunk, is_day_off};
    use crate::accounts::Site;
    use crate::hours::{Day, Hour};
    use crate::tenant::SiteId;

    fn state(from: &str, done_hours: u32, goal_hours: u32) -> State {
        let first: Day = from.parse().unwrap();
        let start = Hour::of_ms(first.start_ms());
        State { first, done: Hour(start.0 + done_hours), goal: Hour(start.0 + goal_hours) }
    }

    #[test]
    fn a_day_is_the_same_whether_filled_at_once_or_in_parts() {
        let site = Site::new(SiteId(1), DOMAIN);
        let of = |from, until| {
            let state = state("2026-03-02", from, until);
            let (chunk, count) = chunk(&site, state, state.first);
            (chunk.bytes(), count)
        };
        let (whole, first, second) = (of(0, 24), of(0, 13), of(13, 24));
        assert_eq!(whole, of(0, 24));
        assert_eq!(whole, (first.0 + second.0, first.1 + second.1));
        assert!((4_000..20_000).contains(&whole.1), "{} events", whole.1);
    }

    #[test]
    fn days_off() {
        let off = |day: &str| is_day_off(day.parse().unwrap());
        assert!(off("2026-11-21") && off("2026-11-22"));
        assert!(!off("2026-11-20") && !off("2026-11-23"));
    }
}
