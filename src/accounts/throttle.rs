//! Slows guessing: per account, and for all accounts together. In memory only, and without
//! addresses; whoever hides behind many of them guesses no faster.

use std::collections::HashMap;
use std::time::Duration;

/// Wrong passwords in a row before the account must wait.
const FREE_TRIES: u32 = 5;
/// The first wait; it doubles with each further try.
const WAIT_MS: i64 = 30_000;
const WAIT_MS_MAX: i64 = 15 * 60_000;
/// An account without tries for this long starts afresh.
const FORGET_MS: i64 = 60 * 60_000;
/// Tries of all accounts: this many at once, then one per [`REFILL_MS`]. Bounds the time spent on
/// argon2 (30 ms each) and the accounts remembered.
const BURST: i64 = 50;
const REFILL_MS: i64 = 500;
/// Never reached while the above holds (one hour at two tries a second is 7,200).
const ACCOUNTS_MAX: usize = 10_000;

/// All waits.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    accounts: HashMap<[u8; 32], Tries>,
    /// When the budget of all accounts will be full again.
    full_at_ms: i64,
}

#[derive(Debug)]
struct Tries {
    count: u32,
    last_ms: i64,
}

impl Throttle {
    /// Counts a try before the password is looked at, so that tries side by side count too.
    /// An error says how long to wait.
    pub(super) fn admit(&mut self, account: [u8; 32], now_ms: i64) -> Result<(), Duration> {
        let budget_used_until = self.full_at_ms.max(now_ms) + REFILL_MS;
        let over_ms = budget_used_until - (now_ms + BURST * REFILL_MS);
        if over_ms > 0 {
            return Err(wait(over_ms));
        }
        self.accounts.retain(|_, tries| now_ms - tries.last_ms < FORGET_MS);
        if self.accounts.len() >= ACCOUNTS_MAX && !self.accounts.contains_key(&account) {
            return Err(wait(WAIT_MS));
        }
        let tries = self.accounts.entry(account).or_insert(Tries { count: 0, last_ms: now_ms });
        let free_at_ms = tries.last_ms + backoff_ms(tries.count);
        if free_at_ms > now_ms {
            return Err(wait(free_at_ms - now_ms));
        }
        *tries = Tries { count: tries.count + 1, last_ms: now_ms };
        self.full_at_ms = budget_used_until;
        Ok(())
    }

    /// The password was right.
    pub(super) fn forgive(&mut self, account: &[u8; 32]) {
        self.accounts.remove(account);
    }
}

fn backoff_ms(tries: u32) -> i64 {
    match tries.checked_sub(FREE_TRIES) {
        None => 0,
        Some(over) => (WAIT_MS << over.min(10)).min(WAIT_MS_MAX),
    }
}

/// Whole seconds, as `Retry-After` counts.
fn wait(ms: i64) -> Duration {
    Duration::from_secs(ms.max(1).unsigned_abs().div_ceil(1000))
}

#[cfg(test)]
mod tests {
    use super::{BURST, FORGET_MS, Throttle};

    const A: [u8; 32] = [1; 32];
    const B: [u8; 32] = [2; 32];

    #[test]
    fn waits_grow_and_end() {
        let mut throttle = Throttle::default();
        let mut now_ms = 1_000_000;
        for _ in 0..5 {
            throttle.admit(A, now_ms).unwrap();
        }
        for seconds in [30, 60, 120, 240, 480, 900, 900] {
            let wait = throttle.admit(A, now_ms).unwrap_err();
            assert_eq!(wait.as_secs(), seconds);
            throttle.admit(B, now_ms).unwrap();
            throttle.forgive(&B);
            now_ms += wait.as_millis() as i64;
            throttle.admit(A, now_ms).unwrap();
        }
        now_ms += FORGET_MS;
        throttle.admit(A, now_ms).unwrap();
        throttle.admit(A, now_ms).unwrap();
    }

    #[test]
    fn a_right_password_starts_afresh() {
        let mut throttle = Throttle::default();
        for _ in 0..12 {
            throttle.admit(A, 0).unwrap();
            throttle.forgive(&A);
        }
    }

    #[test]
    fn all_accounts_share_a_budget() {
        let mut throttle = Throttle::default();
        for i in 0..BURST {
            throttle.admit([i as u8; 32], 5_000).unwrap();
        }
        let wait = throttle.admit([200; 32], 5_000).unwrap_err();
        assert_eq!(wait.as_secs(), 1);
        throttle.admit([200; 32], 6_000).unwrap();
    }
}
