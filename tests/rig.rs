//! What tests, chaos and soak share: the real program and the real engine in temporary directories.
#![allow(dead_code, unused_imports, unreachable_pub)] // each test target uses its part

pub mod daemon;
pub mod engine;
pub mod events;
pub mod http;
pub mod ledger;

pub use daemon::Daemon;
pub use engine::engine;
pub use ledger::Ledger;

use std::time::{Duration, Instant};

/// Waits for a condition; fails with `what` after a minute.
pub async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !condition().await {
        assert!(Instant::now() < deadline, "waited a minute for: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
