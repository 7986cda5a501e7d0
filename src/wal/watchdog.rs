//! How the log gives up. After a failed or stuck write nobody knows what is on the disk, and
//! okaywal's next call may hang for ever; a restart reads what is there and goes on.

use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The exit code for a log that cannot be written.
const EXIT_LOG: i32 = 74;

/// Says why, once, and ends the process. Nothing that is not durable was acknowledged.
pub(super) fn fail(what: impl Display) -> ! {
    tracing::error!("log: {what}; exiting with code {EXIT_LOG}, the next start repairs the log");
    std::process::exit(EXIT_LOG)
}

/// Ends the process if its thread panics: the others must not go on without it.
pub(super) struct FailOnPanic(pub(super) &'static str);

impl Drop for FailOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            fail(format_args!("the {} thread panicked", self.0));
        }
    }
}

/// Since when the writer is inside a call that may get stuck.
pub(super) struct Pulse {
    origin: Instant,
    /// Milliseconds since `origin`, plus one; 0 while it is not.
    busy: AtomicU64,
}

impl Pulse {
    pub(super) fn new() -> Pulse {
        Pulse { origin: Instant::now(), busy: AtomicU64::new(0) }
    }

    /// Runs a call that may get stuck.
    pub(super) fn watch<T>(&self, call: impl FnOnce() -> T) -> T {
        self.busy.store(self.origin.elapsed().as_millis() as u64 + 1, SeqCst);
        let result = call();
        self.busy.store(0, SeqCst);
        result
    }

    fn stuck_for(&self) -> Duration {
        match self.busy.load(SeqCst) {
            0 => Duration::ZERO,
            since => self.origin.elapsed().saturating_sub(Duration::from_millis(since - 1)),
        }
    }
}

/// Watches until the handle's thread is told to stop and unparked.
pub(super) fn watch(
    pulse: Arc<Pulse>,
    stall: Duration,
    stop: impl Fn() -> bool + Send + 'static,
) -> std::io::Result<JoinHandle<()>> {
    let every = (stall / 8).clamp(Duration::from_millis(10), Duration::from_secs(1));
    std::thread::Builder::new().name("wal-watchdog".into()).spawn(move || {
        while !stop() {
            let stuck = pulse.stuck_for();
            if stuck > stall {
                fail(format_args!("a write has been stuck for {} s", stuck.as_secs()));
            }
            std::thread::park_timeout(every);
        }
    })
}
