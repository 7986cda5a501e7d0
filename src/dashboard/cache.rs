//! Answers of closed hours, kept by (site, question) until the horizon or the epoch moves. An answer
//! is a pure function of those (I8), so nothing here can be stale, only forgotten.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;

use crate::closer::Horizon;

/// A byte-bounded map from question to answer.
pub(crate) struct Cache {
    bytes_max: usize,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    horizon: Option<Horizon>,
    bytes: usize,
    answers: HashMap<String, Bytes>,
}

impl Cache {
    pub(crate) fn new(bytes_max: usize) -> Cache {
        Cache { bytes_max, inner: Mutex::default() }
    }

    pub(crate) fn get(&self, horizon: &Horizon, question: &str) -> Option<Bytes> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.horizon.as_ref() == Some(horizon)).then(|| inner.answers.get(question).cloned())?
    }

    /// Keeps an answer. A full cache starts afresh: an hour is short, and questions repeat.
    pub(crate) fn put(&self, horizon: &Horizon, question: String, answer: Bytes) {
        let cost = question.len() + answer.len();
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.horizon.as_ref() != Some(horizon) || inner.bytes + cost > self.bytes_max {
            *inner = Inner { horizon: Some(*horizon), ..Inner::default() };
        }
        if cost <= self.bytes_max && inner.answers.insert(question, answer).is_none() {
            inner.bytes += cost;
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Cache;
    use crate::closer::Horizon;
    use crate::hours::{Day, Hour};

    #[test]
    fn answers_live_until_the_horizon_moves_or_the_bytes_are_spent() {
        let now = Horizon { closed_until: Hour(10), sealed_through: Day(1), epoch: 0 };
        let later = Horizon { closed_until: Hour(11), ..now };
        let rebuilt = Horizon { epoch: 1, ..now };
        let cache = Cache::new(40);
        cache.put(&now, "a".into(), Bytes::from_static(b"0123456789"));
        assert!(cache.get(&now, "a").is_some());
        assert!(cache.get(&later, "a").is_none() && cache.get(&rebuilt, "a").is_none());
        cache.put(&now, "b".into(), Bytes::from_static(b"0123456789012345678901234567890"));
        assert!(cache.get(&now, "a").is_none(), "the budget holds");
        assert!(cache.get(&now, "b").is_some());
        cache.put(&later, "c".into(), Bytes::from_static(b"1"));
        assert!(cache.get(&now, "b").is_none());
    }
}
