//! Parts made from the configuration, and the words at the start.

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::accounts::Accounts;
use crate::config::Config;
use crate::daemon::DaemonError;

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
#[expect(clippy::print_stdout, reason = "the link is a secret: for the operator's eyes, not the log")]
pub(super) fn greet(config: &Config, accounts: &Accounts) -> Result<(), DaemonError> {
    let base = config.base_url();
    println!("Tallyhouse is on {base}");
    if let Some(token) = accounts.setup_link()? {
        println!("Make the owner's account here (once, within 24 hours):");
        println!("  {base}/setup?token={}", token.reveal());
    }
    Ok(())
}
