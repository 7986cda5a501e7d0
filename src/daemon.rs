//! The composition root: the one file that knows every part. Start and stop order:
//!
//! ```text
//! start: accounts → log → listen → engine → schema → drain, closer
//! stop:  no new connections → requests finish → last commit → drain and closer let go → engine
//! ```
//! So hits are taken before ClickHouse is up and while it is away (I6), and a stop waits for nobody
//! but the requests under way.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::accounts::Accounts;
use crate::clock::Clock;
use crate::closer::Closer;
use crate::command::connect::{engine_config, store_config};
use crate::config::Config;
use crate::dashboard::Dashboard;
use crate::drain::{Drain, DrainConfig};
use crate::engine::Engine;
use crate::ingest::Ingest;
use crate::server::{self, App};
use crate::store::Store;
use crate::wal::{Segment, Sink, Wal, WalConfig};

mod failure;
mod jobs;
mod parts;

pub use failure::DaemonError;
pub(crate) use parts::files_in;

/// How often other processes' changes to the accounts are looked for.
const DIRECTORY_EVERY: Duration = Duration::from_millis(500);
/// How often the closer looks whether an hour may close.
const CLOSE_EVERY: Duration = Duration::from_secs(1);
/// How often limiters forget idle keys and salts are turned over.
const HOUSEKEEP_EVERY: Duration = Duration::from_secs(30);

/// Runs until SIGTERM or SIGINT.
///
/// # Errors
/// What kept it from starting, or ended it; see [`DaemonError`].
pub fn run(config: &Config) -> Result<(), DaemonError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|source| DaemonError::Io { what: "start threads", source })?;
    let done = runtime.block_on(serve(config));
    // The log's own threads may be waiting in the drain; they hold nothing that is not on disk.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

async fn serve(config: &Config) -> Result<(), DaemonError> {
    let clock = Clock::system(config.clock_offset_ms);
    let (stop_sender, stop) = watch::channel(false);
    let accounts = Accounts::open(&config.accounts_file(), clock.clone())?;
    let listener = parts::listen(config.server.listen, "listen").await?;
    let metrics_listener = parts::listen(config.server.metrics_listen, "metrics-listen").await?;

    let engine = match &config.clickhouse.url {
        Some(_) => None,
        None => Some(Engine::start(engine_config(config)?)?),
    };
    let store = Store::new(store_config(config, engine.as_ref().map(Engine::endpoint)));
    let (migrated_sender, migrated) = watch::channel(false);
    let sink = sink(config, &store, &clock, &stop, migrated.clone());
    let wal_config = WalConfig {
        sync_interval: config.wal.sync_interval,
        bytes_max: config.wal.bytes_max,
        ..WalConfig::new(config.data_dir.join("wal"))
    };
    let (wal, report) = Wal::open(wal_config, clock.clone(), sink)?;
    tracing::info!("wal: {report}");

    let directory = accounts.watch_directory();
    let ingest = Ingest::new(&parts::ingest_config(config), wal.clone(), clock.clone(), directory)?;
    let (horizon_sender, horizon) = watch::channel(None);
    let dashboard = Dashboard::new(store.clone(), horizon);
    let app = Arc::new(App::new(config, ingest, wal.clone(), dashboard, accounts.clone()));
    parts::greet(config, &accounts)?;

    let mut jobs = JoinSet::new();
    jobs.spawn(jobs::refresh(accounts.clone(), DIRECTORY_EVERY));
    jobs.spawn(jobs::housekeep(Arc::clone(&app), accounts.clone(), clock.clone(), HOUSEKEEP_EVERY));
    let closer = Closer::new(store.clone(), clock.clone(), config.data_dir.join("closer.lock"));
    jobs.spawn(jobs::close(closer, wal.clone(), migrated, horizon_sender, CLOSE_EVERY));
    jobs.spawn(jobs::watch_store(store.clone()));
    let schema = jobs::migrate(store, migrated_sender);
    let web = tokio::spawn(server::run(listener, app, stop.clone()));
    let metrics = tokio::spawn(server::run_metrics(metrics_listener, stop));

    let unusable = tokio::select! {
        () = parts::stop_signal() => None,
        unusable = schema => Some(DaemonError::Store(unusable)),
    };
    tracing::info!("stopping: finishing requests under way");
    let _ = stop_sender.send(true);
    let _ = web.await;
    let _ = metrics.await;
    jobs.shutdown().await;
    tokio::task::spawn_blocking(move || wal.close()).await.ok();
    if let Some(engine) = engine {
        engine.stop().await;
    }
    tracing::info!("stopped; what is not in ClickHouse yet waits in the log");
    unusable.map_or(Ok(()), Err)
}

/// Where sealed segments go: into ClickHouse, once its tables are there.
fn sink(
    config: &Config,
    store: &Store,
    clock: &Clock,
    stop: &watch::Receiver<bool>,
    mut migrated: watch::Receiver<bool>,
) -> impl FnMut(&Segment) -> ControlFlow<()> + Send + 'static {
    let runtime = Handle::current();
    let mut stopping = stop.clone();
    let mut drain = Drain::new(
        store.clone(),
        DrainConfig {
            quarantine: config.data_dir.join("quarantine"),
            clock: clock.clone(),
            stop: stop.clone(),
            runtime: runtime.clone(),
        },
    );
    move |segment| {
        let ready = runtime.block_on(async {
            tokio::select! {
                ready = migrated.wait_for(|migrated| *migrated) => ready.is_ok(),
                _ = stopping.wait_for(|stop| *stop) => false,
            }
        });
        if ready { drain.segment(segment) } else { ControlFlow::Break(()) }
    }
}
