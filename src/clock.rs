//! The only reader of the wall clock. Time handed out never goes back, whatever the machine's clock
//! does: an event's time decides its hour, and a closed hour must stay closed (I7).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A clock in milliseconds since the Unix epoch (UTC). Clones share one floor.
#[derive(Clone, Debug)]
pub struct Clock {
    source: Source,
    floor_ms: Arc<AtomicI64>,
}

#[derive(Clone, Debug)]
enum Source {
    System { offset_ms: i64 },
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock, shifted by `offset_ms` (0 outside tests and drills).
    pub fn system(offset_ms: i64) -> Clock {
        Clock { source: Source::System { offset_ms }, floor_ms: Arc::new(AtomicI64::new(0)) }
    }

    /// A clock that stands still until [`Clock::set`] moves it, for tests.
    pub fn manual(now_ms: i64) -> Clock {
        let hand = Arc::new(AtomicI64::new(now_ms));
        Clock { source: Source::Manual(hand), floor_ms: Arc::new(AtomicI64::new(0)) }
    }

    /// Moves a manual clock's hand, forwards or backwards.
    pub fn set(&self, now_ms: i64) {
        match &self.source {
            Source::Manual(hand) => hand.store(now_ms, Ordering::SeqCst),
            Source::System { .. } => unreachable!("only a manual clock can be set"),
        }
    }

    /// Now, never less than any time handed out or observed before.
    pub fn now_ms(&self) -> i64 {
        let wall_ms = self.wall_ms();
        wall_ms.max(self.floor_ms.fetch_max(wall_ms, Ordering::SeqCst))
    }

    /// Raises the floor to a time that was handed out before a restart.
    pub fn observe(&self, ms: i64) {
        self.floor_ms.fetch_max(ms, Ordering::SeqCst);
    }

    /// How far the machine's clock stands behind the floor, in milliseconds; 0 when all is well.
    pub fn behind_ms(&self) -> i64 {
        (self.floor_ms.load(Ordering::SeqCst) - self.wall_ms()).max(0)
    }

    fn wall_ms(&self) -> i64 {
        match &self.source {
            Source::System { offset_ms } => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH);
                since.map_or(0, |d| d.as_millis() as i64) + offset_ms
            }
            Source::Manual(hand) => hand.load(Ordering::SeqCst),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Clock;

    #[test]
    fn time_never_goes_back() {
        let clock = Clock::manual(1_000);
        assert_eq!(clock.now_ms(), 1_000);
        clock.set(400);
        assert_eq!((clock.now_ms(), clock.behind_ms()), (1_000, 600));
        clock.set(1_001);
        assert_eq!((clock.now_ms(), clock.behind_ms()), (1_001, 0));
        clock.observe(5_000);
        assert_eq!(clock.clone().now_ms(), 5_000);
    }
}
