//! Hours are closed once and right; days are sealed into the same figures; nothing depends on when the
//! power went. Every report is compared with the plain implementation in `reference`.

mod comparison;
mod faults;
mod history;

use std::collections::BTreeMap;

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tallyhouse::clock::Clock;
use tallyhouse::closer::{Closer, Horizon};
use tallyhouse::event::row::{self, Rows};
use tallyhouse::hours::{Day, Hour};
use tallyhouse::limits::CLOSE_GRACE_MS;
use tallyhouse::store::{Block, Store};

use crate::reference::{Hit, Reference};
use crate::rig;
use crate::stream::{self, ZONES};
use comparison::{Comparison, Kinds};

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
        let closer =
            Closer::new(store.clone(), clock.clone(), running.dir.path().join("closer.lock"));
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

    async fn compare(&self, horizon: Horizon, site: u32, days: (Day, Day), kinds: Kinds) {
        Comparison { store: &self.store, horizon, site, days, kinds }.run(&self.hits).await;
    }

    /// Every report of every site, and of one that has no events and must see none.
    async fn compare_all(&self, horizon: Horizon) {
        for site in 1..=ZONES.len() as u32 + 1 {
            self.compare(horizon, site, self.days(), Kinds::All).await;
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

fn hour(text: &str) -> Hour {
    Hour::of_ms(text.parse::<jiff::Timestamp>().unwrap().as_millisecond())
}

/// Closes hour by hour and compares after each; then seals, merges, rebuilds, and compares again.
async fn every_hour_is_right(from: &str, pass_rows: u64) {
    let seed = stream::seed();
    let mut rng = SmallRng::seed_from_u64(seed);
    let mut bench = Bench::new(stream::hits(seed, hour(from), 28, 60)).await;
    bench.closer = bench.closer.with_pass_rows(pass_rows);
    let (first_day, end) = bench.days();
    for hour in bench.hours() {
        bench.insert(hour).await;
        let horizon = bench.close(hour).await;
        assert_eq!(horizon.closed_until, hour.next());
        let site = rng.random_range(1..=ZONES.len() as u32);
        let day = Day(rng.random_range(first_day.0..end.0));
        let days = if rng.random_bool(0.5) { (first_day, end) } else { (day, day.next()) };
        bench.compare(horizon, site, days, Kinds::One(rng.random_range(0..100))).await;
        assert_eq!(bench.closer.check(hour).await.unwrap(), []);
    }
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
    every_hour_is_right("2026-03-28T20:00:00Z", u64::MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hour_is_right_when_berlin_falls_back() {
    every_hour_is_right("2026-10-24T14:00:00Z", 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hour_is_right_when_lord_howe_falls_back_by_half_an_hour() {
    every_hour_is_right("2026-04-04T02:00:00Z", u64::MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hour_is_right_when_lord_howe_springs_forward_by_half_an_hour() {
    every_hour_is_right("2026-10-03T02:00:00Z", 60).await;
}
