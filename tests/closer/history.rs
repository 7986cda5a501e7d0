//! What is closed stays as it is, and what is written anew comes out the same.

use tallyhouse::closer::{Closer, CloserError};
use tallyhouse::hours::{Day, HOUR_MS, Hour};
use tallyhouse::limits::CLOSE_GRACE_MS;
use tallyhouse::store::Window;
use tallyhouse::store::query::page::Page;
use tallyhouse::store::query::pages;
use tallyhouse::tenant::{SiteId, Tenant};

use super::{Bench, hour, insert};
use crate::reference::Hit;
use crate::stream;

const TABLES: [&str; 13] = [
    "events",
    "open_visits",
    "open_hours",
    "open_pages",
    "open_events",
    "hourly_visitors",
    "daily_totals",
    "daily_pages",
    "daily_sources",
    "daily_geo",
    "daily_devices",
    "daily_events",
    "visits",
];

impl Bench {
    async fn merge(&self) {
        for table in TABLES {
            self.store.run(&format!("OPTIMIZE TABLE {table} FINAL"), &[]).await.unwrap();
        }
    }

    async fn count(&self, sql: &str) -> u64 {
        self.store.rows::<u64>(sql, &[]).await.unwrap()[0]
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn catching_up_merging_and_rebuilding_change_nothing() {
    let seed = stream::seed();
    let bench = Bench::new(stream::hits(seed, hour("2026-10-24T14:00:00Z"), 20, 30)).await;
    bench.insert_all().await;
    let (first, end) = bench.days();

    // Many hours in one step.
    let last = *bench.hours().last().unwrap();
    let caught_up = bench.close(last).await;
    assert_eq!(caught_up.closed_until, last.next());
    bench.compare_all(caught_up).await;
    bench.merge().await;
    bench.compare_all(caught_up).await;

    // Partly sealed: both sides are computed again.
    let mut told = Vec::new();
    let again = bench.closer.rebuild(None, first, end, |day| told.push(day)).await.unwrap();
    assert_eq!(told, (first.0..=caught_up.sealed_through.0).map(Day).collect::<Vec<_>>());
    assert!(again.epoch > caught_up.epoch);
    assert_eq!(
        (again.closed_until, again.sealed_through),
        (caught_up.closed_until, caught_up.sealed_through)
    );
    bench.compare_all(again).await;

    let sealed = bench.seal_all().await;
    bench.merge().await;
    bench.compare_all(sealed).await;
    assert_eq!(
        bench.count("SELECT count() FROM open_visits").await,
        0,
        "sealed days leave no open rows"
    );
    let again = bench.closer.rebuild(Some(SiteId(5)), first, end, |_| ()).await.unwrap();
    bench.compare_all(again).await;
    bench.merge().await;
    bench.compare_all(again).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn late_rows_are_counted_after_a_rebuild() {
    let seed = stream::seed();
    let mut bench = Bench::new(stream::hits(seed, hour("2026-06-01T00:00:00Z"), 50, 8)).await;
    let (late, timely): (Vec<_>, Vec<_>) =
        std::mem::take(&mut bench.hits).into_iter().partition(|h| h.stamp.seq % 5 == 0);
    bench.hits = timely;
    bench.insert_all().await;
    let last = *bench.hours().last().unwrap();
    let before = bench.close(last).await;
    bench.compare_all(before).await;

    let closed = |hit: &&Hit| hit.stamp.ts_ms < before.closed_until.start_ms();
    let late: Vec<_> = late.iter().filter(closed).collect();
    for of_hour in late.chunk_by(|a, b| Hour::of_ms(a.stamp.ts_ms) == Hour::of_ms(b.stamp.ts_ms)) {
        insert(&bench.store, of_hour).await;
    }
    bench.hits.extend(late.into_iter().cloned());
    let (first, end) = bench.days();
    let after = bench.closer.rebuild(None, first, end, |_| ()).await.unwrap();
    assert_eq!(after.closed_until, before.closed_until);
    bench.compare_all(after).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn history_without_raw_events_is_left_alone() {
    let seed = stream::seed();
    let bench = Bench::new(stream::hits(seed, hour("2026-06-01T00:00:00Z"), 5, 10)).await;
    bench.insert_all().await;
    let sealed = bench.seal_all().await;
    let (first, end) = bench.days();
    bench.store.run("DELETE FROM events WHERE site_id = 2", &[]).await.unwrap();
    let refused = bench.closer.rebuild(None, first, end, |_| ()).await;
    assert!(matches!(refused, Err(CloserError::Erased { site: SiteId(2), .. })), "{refused:?}");
    assert_eq!(bench.closer.horizon().await.unwrap(), sealed);
    bench.compare_all(sealed).await;
    bench.closer.rebuild(Some(SiteId(3)), first, end, |_| ()).await.unwrap();
    bench.compare_all(sealed).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_hour_closes_only_when_it_is_over_and_drained() {
    let from = hour("2026-06-01T10:00:00Z");
    let bench = Bench::new(stream::hits(stream::seed(), from, 3, 20)).await;
    let first = Hour::of_ms(bench.hits[0].stamp.ts_ms);
    bench.insert_all().await;
    assert_eq!(bench.closer.horizon().await.unwrap().closed_until, Hour(0));

    let over_ms = first.next().start_ms() + CLOSE_GRACE_MS;
    bench.clock.set(over_ms - 1);
    let horizon = bench.closer.step(Hour(u32::MAX / 3600)).await.unwrap();
    assert_eq!(horizon.closed_until, first, "the grace is not over");
    bench.clock.set(over_ms);
    let horizon = bench.closer.step(first).await.unwrap();
    assert_eq!(horizon.closed_until, first, "the hour is not drained");
    let horizon = bench.closer.step(first.next()).await.unwrap();
    assert_eq!(horizon.closed_until, first.next());

    // Hours without events pass in one go, and days without events are sealed.
    bench.clock.set(over_ms + 40 * 24 * HOUR_MS);
    let horizon = bench.closer.step(Hour(u32::MAX / 3600)).await.unwrap();
    assert_eq!(horizon.closed_until.0, first.0 + 1 + 40 * 24);
    assert!(horizon.sealed_through.start_ms() > over_ms + 37 * 24 * HOUR_MS);
    bench.compare_all(horizon).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_process_works_at_a_time() {
    let bench = Bench::new(stream::hits(stream::seed(), hour("2026-06-01T10:00:00Z"), 2, 5)).await;
    bench.insert_all().await;
    let path = bench.running.dir.path().join("closer.lock");
    let file = std::fs::File::create(&path).unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    let last = *bench.hours().last().unwrap();
    assert_eq!(bench.close(last).await.closed_until, Hour(0), "nothing is done");
    drop(file);
    assert_eq!(bench.close(last).await.closed_until, last.next());

    let nowhere = bench.running.dir.path().join("none").join("closer.lock");
    let closer = Closer::new(bench.store.clone(), bench.clock.clone(), nowhere);
    assert!(matches!(closer.step(last).await, Err(CloserError::Lock { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_reports_come_in_slices() {
    let bench = Bench::new(stream::hits(stream::seed(), hour("2026-06-01T00:00:00Z"), 8, 40)).await;
    bench.insert_all().await;
    let horizon = bench.close(*bench.hours().last().unwrap()).await;
    let (from, until) = bench.days();
    let window =
        Window { from, until, sealed: horizon.sealed_through, horizon: horizon.closed_until };
    let ask = async |limit, offset, search| {
        let tenant = Tenant::of_test(SiteId(1));
        let page = Page { limit, offset, search };
        pages::pages(&bench.store, tenant, &window, &page).await.unwrap()
    };
    let all = ask(1_000, 0, "").await;
    assert_eq!((all.total, all.rows.len()), (6, 6), "every page was viewed");
    let middle = ask(2, 3, "").await;
    assert_eq!((middle.total, &middle.rows[..]), (6, &all.rows[3..5]));
    let behind = ask(2, 6, "").await;
    assert_eq!((behind.total, behind.rows.len()), (6, 0));
    let found = ask(10, 0, "äRG").await;
    assert_eq!((found.total, found.rows[0].name.as_str()), (1, "/Ärger"));
    assert_eq!(ask(10, 0, "%").await.total, 1, "nothing is a pattern");
    let json = serde_json::to_value(&found).unwrap();
    assert!(json["rows"][0].get("total").is_none() && json["rows"][0]["views"].is_u64(), "{json}");
}
