//! What happens by itself, again and again, beside the requests.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::closer::{Closer, Horizon};
use crate::hours::DAY_MS;
use crate::metrics::METRICS;
use crate::server::App;
use crate::store::{Class, Store, StoreError};
use crate::wal::Wal;

const RETRY_EVERY: Duration = Duration::from_secs(1);
/// An import that nobody goes on with for this long loses the key of its visitors.
const IMPORT_SECRET_MS: i64 = 2 * DAY_MS;
const PING_EVERY: Duration = Duration::from_secs(2);

fn ticker(every: Duration) -> tokio::time::Interval {
    let mut ticker = interval(every);
    ticker.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticker
}

/// Applies the schema as soon as ClickHouse answers, then says so and waits for ever; returns only if
/// this build must not use this database.
pub(super) async fn migrate(store: Store, migrated: watch::Sender<bool>) -> StoreError {
    let mut told = false;
    loop {
        store.wait_for_server().await;
        match store.migrate().await {
            Ok(_) => break,
            Err(error) if error.class != Class::Retry => return error,
            Err(error) if !told => {
                tracing::warn!(%error, "store: ClickHouse is away; hits wait in the log meanwhile");
                told = true;
            }
            Err(_) => {}
        }
        tokio::time::sleep(RETRY_EVERY).await;
    }
    let _ = migrated.send(true);
    tracing::info!("store: ClickHouse is ready");
    std::future::pending().await
}

/// Takes over changes that commands made to the accounts.
pub(super) async fn refresh(accounts: Accounts, every: Duration) {
    let mut ticker = ticker(every);
    loop {
        ticker.tick().await;
        if let Err(error) = accounts.refresh_if_changed() {
            tracing::warn!(%error, "accounts: changes were not read; trying again");
        }
    }
}

/// Turns salts over, erases the keys of imports nobody went on with, watches the clock.
pub(super) async fn housekeep(app: Arc<App>, accounts: Accounts, clock: Clock, every: Duration) {
    let mut ticker = ticker(every);
    loop {
        ticker.tick().await;
        if let Err(error) = accounts.forget_import_secrets(clock.now_ms() - IMPORT_SECRET_MS) {
            tracing::warn!(%error, "accounts: old import keys were not erased; trying again");
        }
        let app = Arc::clone(&app);
        let done = tokio::task::spawn_blocking(move || app.housekeep()).await;
        done.expect("it does not panic");
        METRICS.clock_behind_seconds.set(clock.behind_ms() as f64 / 1000.0);
    }
}

/// Closes hours and seals days as they become ready, and tells readers how far it is.
pub(super) async fn close(
    closer: Closer,
    wal: Wal,
    mut migrated: watch::Receiver<bool>,
    horizon: watch::Sender<Option<Horizon>>,
    every: Duration,
) {
    let _ = migrated.wait_for(|migrated| *migrated).await;
    let mut ticker = ticker(every);
    let mut failing = false;
    loop {
        ticker.tick().await;
        match closer.step(wal.low_watermark()).await {
            Ok(now) => {
                failing = false;
                horizon.send_if_modified(|known| known.replace(now) != Some(now));
            }
            Err(error) if !failing => {
                failing = true;
                tracing::error!(%error, "closer: hours stay open; trying again");
            }
            Err(_) => {}
        }
    }
}

/// Keeps `engine_up` right, whichever ClickHouse it is.
pub(super) async fn watch_store(store: Store) {
    let mut ticker = ticker(PING_EVERY);
    loop {
        ticker.tick().await;
        METRICS.engine_up.set(i64::from(store.ping().await.is_ok()));
    }
}
