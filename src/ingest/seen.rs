//! Event ids of the last ten minutes, so that a retry is not counted twice. In memory and bounded;
//! an id is kept as a hash under a key of this process.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::limits::{EVENT_ID_MEMORY, EVENT_IDS_MAX};
use crate::tenant::SiteId;

const SHARDS: usize = 16;

pub(super) struct Seen {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
    shard_ids_max: usize,
}

#[derive(Default)]
struct Shard {
    ids: HashSet<u64>,
    /// (when, id), oldest first.
    order: VecDeque<(i64, u64)>,
}

/// The hash of one event's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SeenId(u64);

impl Seen {
    pub(super) fn new() -> Seen {
        Seen::with_capacity(EVENT_IDS_MAX)
    }

    fn with_capacity(ids_max: usize) -> Seen {
        let shards = std::array::from_fn(|_| Mutex::default());
        Seen { hasher: RandomState::new(), shards, shard_ids_max: (ids_max / SHARDS).max(1) }
    }

    /// Remembers an id; `None` if it was seen within the last ten minutes.
    pub(super) fn claim(&self, site: SiteId, id: &str, now_ms: i64) -> Option<SeenId> {
        let hash = self.hasher.hash_one((site, id));
        let mut shard = self.shard(hash);
        shard.forget(now_ms, self.shard_ids_max);
        if !shard.ids.insert(hash) {
            return None;
        }
        shard.order.push_back((now_ms, hash));
        Some(SeenId(hash))
    }

    /// Forgets an id whose event was certainly not stored: its retry must count.
    pub(super) fn release(&self, id: SeenId) {
        self.shard(id.0).ids.remove(&id.0);
    }

    /// Forgets what is older than ten minutes on shards where nothing arrives any more.
    pub(super) fn housekeep(&self, now_ms: i64) {
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.forget(now_ms, self.shard_ids_max);
            if shard.ids.is_empty() {
                *shard = Shard::default();
            }
        }
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The map inside uses the low bits; the shard is picked by the high ones.
        let shard = &self.shards[(hash >> 60) as usize % SHARDS];
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn forget(&mut self, now_ms: i64, ids_max: usize) {
        let until_ms = now_ms - EVENT_ID_MEMORY.as_millis() as i64;
        while let Some(&(when_ms, id)) = self.order.front() {
            if when_ms > until_ms && self.order.len() < ids_max {
                break;
            }
            self.ids.remove(&id);
            self.order.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Seen;
    use crate::tenant::SiteId;

    const MINUTE_MS: i64 = 60_000;

    #[test]
    fn a_repeat_within_ten_minutes_is_known() {
        let (seen, site) = (Seen::new(), SiteId(1));
        assert!(seen.claim(site, "a", 0).is_some());
        assert!(seen.claim(site, "a", 10 * MINUTE_MS - 1).is_none());
        assert!(seen.claim(site, "a", 10 * MINUTE_MS).is_some());
        assert!(seen.claim(SiteId(2), "a", 10 * MINUTE_MS).is_some());
        assert!(seen.claim(site, "b", 10 * MINUTE_MS).is_some());
    }

    #[test]
    fn what_was_not_stored_may_come_again() {
        let (seen, site) = (Seen::new(), SiteId(1));
        let id = seen.claim(site, "a", 0).unwrap();
        seen.release(id);
        assert!(seen.claim(site, "a", 1).is_some());
        assert!(seen.claim(site, "a", 2).is_none());
    }

    #[test]
    fn memory_is_bounded_and_given_back() {
        let (seen, site) = (Seen::with_capacity(1_600), SiteId(1));
        let remembered = |seen: &Seen| -> usize {
            seen.shards.iter().map(|s| s.lock().unwrap().order.len()).sum()
        };
        for n in 0..10_000 {
            seen.claim(site, &n.to_string(), n);
        }
        assert!((1_000..=1_600).contains(&remembered(&seen)), "{}", remembered(&seen));
        assert!(seen.claim(site, "9999", 10_000).is_none());
        seen.housekeep(20 * MINUTE_MS);
        assert_eq!(remembered(&seen), 0);
    }
}
