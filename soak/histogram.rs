//! Latencies in about 1.5 % wide buckets, so that a run of any length needs 16 KiB.

use std::time::Duration;

/// Sub-buckets of a power of two.
const FINE: u64 = 64;
const SLOTS: usize = 64 * FINE as usize;

#[derive(Clone)]
pub struct Histogram {
    slots: Vec<u64>,
    count: u64,
    max_us: u64,
}

impl Histogram {
    pub fn new() -> Histogram {
        Histogram { slots: vec![0; SLOTS], count: 0, max_us: 0 }
    }

    pub fn record(&mut self, took: Duration) {
        let us = took.as_micros() as u64;
        self.slots[slot(us)] += 1;
        self.count += 1;
        self.max_us = self.max_us.max(us);
    }

    pub fn add(&mut self, other: &Histogram) {
        self.slots.iter_mut().zip(&other.slots).for_each(|(a, b)| *a += b);
        self.count += other.count;
        self.max_us = self.max_us.max(other.max_us);
    }

    /// The latency that `share` (0 to 1) of the requests did not exceed, in milliseconds.
    pub fn quantile_ms(&self, share: f64) -> f64 {
        let wanted = (self.count as f64 * share).ceil() as u64;
        let mut seen = 0;
        for (i, n) in self.slots.iter().enumerate() {
            seen += n;
            if seen >= wanted.max(1) {
                return upper_us(i).min(self.max_us) as f64 / 1000.0;
            }
        }
        self.max_us as f64 / 1000.0
    }

    pub fn max_ms(&self) -> f64 {
        self.max_us as f64 / 1000.0
    }
}

/// Below 64 µs one slot a microsecond, then 64 slots for each doubling.
fn slot(us: u64) -> usize {
    if us < FINE {
        return us as usize;
    }
    let doubling = us.ilog2() as u64 - FINE.ilog2() as u64;
    let within = (us >> doubling) - FINE;
    (FINE + doubling * FINE + within) as usize
}

fn upper_us(slot: usize) -> u64 {
    let slot = slot as u64;
    if slot < FINE {
        return slot;
    }
    let doubling = (slot - FINE) / FINE;
    let within = (slot - FINE) % FINE;
    ((FINE + within + 1) << doubling) - 1
}

/// Checked at every start: a wrong quantile would make every number of a run worthless.
pub fn self_check() {
    let mut h = Histogram::new();
    (1..=100_000).for_each(|us| h.record(Duration::from_micros(us)));
    for (share, ms) in [(0.5, 50.0), (0.99, 99.0), (0.999, 99.9), (1.0, 100.0)] {
        let got = h.quantile_ms(share);
        assert!((got - ms).abs() / ms < 0.017, "quantile {share}: {got} instead of {ms}");
    }
}
