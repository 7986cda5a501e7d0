//! Every metric: its name, labels, buckets and help text, and one function to observe it. Labels come
//! from closed sets only, so no client can mint a series, and no metric ever holds an address (I4).

use std::sync::LazyLock;

use prometheus::{
    Encoder, Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
    TextEncoder,
};

/// All metrics of the process.
pub struct Metrics {
    registry: Registry,
    /// Events that reached a decision.
    pub received: IntCounter,
    /// Events whose row is durable in the log.
    pub accepted: IntCounter,
    /// Events dropped on purpose, by reason.
    pub dropped: IntCounterVec,
    /// Requests refused (4xx, 5xx), by reason.
    pub refused: IntCounterVec,
    /// Events copied into ClickHouse.
    pub stored: IntCounter,
    /// Events durable in the log and not yet in ClickHouse.
    pub pending: IntGauge,
    pub queue_bytes: IntGauge,
    pub wal_bytes: IntGauge,
    pub wal_segments: IntGauge,
    pub wal_commit_seconds: Histogram,
    pub ack_seconds: Histogram,
    pub wal_quarantined: IntCounter,
    pub drain_blocks: IntCounter,
    pub drain_retries: IntCounter,
    pub drain_quarantined: IntCounter,
    pub drain_lag_seconds: Gauge,
    pub closed_through: IntGauge,
    pub sealed_through: IntGauge,
    pub close_seconds: Histogram,
    pub close_failures: IntCounter,
    pub rollup_mismatch: IntGauge,
    pub engine_up: IntGauge,
    pub engine_restarts: IntCounter,
    pub clock_behind_seconds: Gauge,
}

/// The process's metrics.
pub static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// Commit and ack times span a fast disk (0.2 ms) to a stalled one.
const LATENCY_BUCKETS: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const CLOSE_BUCKETS: &[f64] = &[0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0];

impl Metrics {
    fn new() -> Metrics {
        let r = Registry::new();
        Metrics {
            received: counter(&r, "received_total", "events that reached a decision"),
            accepted: counter(&r, "accepted_total", "events durable in the log, answered 202"),
            dropped: family(&r, "dropped_total", "events dropped on purpose"),
            refused: family(&r, "refused_total", "requests refused with 4xx or 5xx"),
            stored: counter(&r, "stored_total", "events copied into ClickHouse"),
            pending: gauge(&r, "pending", "events durable in the log, not yet in ClickHouse"),
            queue_bytes: gauge(&r, "queue_bytes", "bytes of rows waiting for their commit"),
            wal_bytes: gauge(&r, "wal_bytes", "bytes of log not yet drained"),
            wal_segments: gauge(&r, "wal_segments", "sealed log segments not yet drained"),
            wal_commit_seconds: timing(
                &r,
                "wal_commit_seconds",
                "group commit incl. fsync",
                LATENCY_BUCKETS,
            ),
            ack_seconds: timing(&r, "ack_seconds", "admission to durable", LATENCY_BUCKETS),
            wal_quarantined: counter(&r, "wal_quarantined_total", "damaged log entries set aside"),
            drain_blocks: counter(&r, "drain_blocks_total", "blocks copied into ClickHouse"),
            drain_retries: counter(&r, "drain_retries_total", "inserts tried again"),
            drain_quarantined: counter(
                &r,
                "drain_quarantined_total",
                "rows ClickHouse refused, set aside",
            ),
            drain_lag_seconds: float(
                &r,
                "drain_lag_seconds",
                "age of the oldest event not in ClickHouse",
            ),
            closed_through: gauge(
                &r,
                "closed_through_seconds",
                "end of the last closed hour, Unix time",
            ),
            sealed_through: gauge(
                &r,
                "sealed_through_days",
                "last sealed day, days since 1970-01-01",
            ),
            close_seconds: timing(&r, "close_seconds", "closing one hour", CLOSE_BUCKETS),
            close_failures: counter(
                &r,
                "close_failures_total",
                "closes or seals that failed and will repeat",
            ),
            rollup_mismatch: gauge(
                &r,
                "rollup_mismatch",
                "closed hours and sealed days whose rollups differ from raw",
            ),
            engine_up: gauge(&r, "engine_up", "1 while ClickHouse answers"),
            engine_restarts: counter(
                &r,
                "engine_restarts_total",
                "restarts of the embedded ClickHouse",
            ),
            clock_behind_seconds: float(&r, "clock_behind_seconds", "how far the clock went back"),
            registry: r,
        }
    }

    /// The exposition text.
    pub fn render(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(8 * 1024);
        let encoded = TextEncoder::new().encode(&self.registry.gather(), &mut out);
        encoded.expect("metric families are well formed");
        out
    }
}

fn named(name: &str, help: &str) -> Opts {
    Opts::new(format!("tallyhouse_{name}"), help)
}

fn register<C: prometheus::core::Collector + Clone + 'static>(r: &Registry, metric: C) -> C {
    r.register(Box::new(metric.clone())).expect("metric names are unique");
    metric
}

fn counter(r: &Registry, name: &str, help: &str) -> IntCounter {
    register(r, IntCounter::with_opts(named(name, help)).expect("valid name"))
}

fn family(r: &Registry, name: &str, help: &str) -> IntCounterVec {
    register(r, IntCounterVec::new(named(name, help), &["reason"]).expect("valid name"))
}

fn gauge(r: &Registry, name: &str, help: &str) -> IntGauge {
    register(r, IntGauge::with_opts(named(name, help)).expect("valid name"))
}

fn float(r: &Registry, name: &str, help: &str) -> Gauge {
    register(r, Gauge::with_opts(named(name, help)).expect("valid name"))
}

fn timing(r: &Registry, name: &str, help: &str, buckets: &[f64]) -> Histogram {
    let opts = HistogramOpts::from(named(name, help)).buckets(buckets.to_vec());
    register(r, Histogram::with_opts(opts).expect("valid name"))
}
