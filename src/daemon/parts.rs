//! Parts made from the configuration, and the words at the start.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::accounts::Accounts;
use crate::config::Config;
use crate::daemon::DaemonError;
use crate::ingest::{IngestConfig, LimitConfig};

/// Binds a listener.
///
/// # Errors
/// The address is taken or not ours; the flag to change is named.
pub(super) async fn listen(
    address: SocketAddr,
    flag: &'static str,
) -> Result<TcpListener, DaemonError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|source| DaemonError::Listen { address, flag, source })
}

/// The files of a folder with this ending, in order; none if there is no folder.
pub(crate) fn files_in(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let mut found: Vec<_> = paths.filter(|p| p.extension().is_some_and(|e| e == ending)).collect();
    found.sort();
    found
}

/// Collection's settings: those given, and the GeoIP files that are there.
pub(super) fn ingest_config(config: &Config) -> IngestConfig {
    let place_files = files_in(&config.ingest.geo_dir, "mmdb");
    if place_files.is_empty() {
        let dir = config.ingest.geo_dir.display();
        tracing::warn!("ingest: no *.mmdb in {dir}: hits get no country; `make geo` fetches some");
    }
    let secret = config.ingest.secret.as_ref();
    IngestConfig {
        trusted_proxies: config.server.trusted_proxies.clone(),
        limits: LimitConfig {
            address_rate: config.ingest.address_rate,
            carrier_rate: config.ingest.carrier_rate,
            carrier_burst: config.ingest.carrier_rate.saturating_mul(2),
            site_rate: config.ingest.site_rate,
        },
        place_files,
        network_files: files_in(&config.ingest.geo_dir, "csv"),
        identity_file: config.data_dir.join("identity"),
        secret: secret.map(|secret| {
            blake3::derive_key("tallyhouse 2026 day key seed", secret.reveal().as_bytes())
        }),
    }
}

/// Returns at SIGTERM or SIGINT.
pub(super) async fn stop_signal() {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be caught");
    let mut interrupt = signal(SignalKind::interrupt()).expect("signals can be caught");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Tells the operator where the dashboard is and, before there is a user, how to make one.
///
/// # Errors
/// The accounts cannot be read.
#[expect(
    clippy::print_stdout,
    reason = "the link is a secret: for the operator's eyes, not the log"
)]
pub(super) fn greet(config: &Config, accounts: &Accounts) -> Result<(), DaemonError> {
    let base = config.base_url();
    println!("Tallyhouse is on {base}");
    if let Some(token) = accounts.setup_link()? {
        println!("Make the owner's account here (once, within 24 hours):");
        println!("  {base}/setup?token={}", token.reveal());
    }
    Ok(())
}
