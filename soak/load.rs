//! The load: connections that post until the time is up, and what came of it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};

use crate::client::Client;
use crate::histogram::Histogram;

/// No request may take longer; it then counts as unknown.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// How to load.
#[derive(Clone)]
pub struct Load {
    pub target: SocketAddr,
    pub connections: usize,
    pub duration: Duration,
    /// Requests a second in all; nothing means: as fast as answers come.
    pub rate: Option<f64>,
    pub requests: Arc<Vec<Vec<u8>>>,
}

/// What came of it. Latencies are of requests answered 202; with a rate they count from the moment
/// the request was due, so a stall is not hidden by the requests it held back.
#[derive(Clone)]
pub struct Outcome {
    pub accepted: u64,
    pub unavailable: u64,
    pub other: u64,
    pub unknown: u64,
    pub latency: Histogram,
    pub seconds: f64,
}

impl Outcome {
    pub fn new() -> Outcome {
        let latency = Histogram::new();
        Outcome { accepted: 0, unavailable: 0, other: 0, unknown: 0, latency, seconds: 0.0 }
    }

    pub fn add(&mut self, other: &Outcome) {
        self.accepted += other.accepted;
        self.unavailable += other.unavailable;
        self.other += other.other;
        self.unknown += other.unknown;
        self.latency.add(&other.latency);
    }

    /// Requests answered 202 per second.
    pub fn rate(&self) -> f64 {
        self.accepted as f64 / self.seconds
    }
}

/// Runs a load to its end: its duration and at most one request's time more.
pub async fn run(load: Load) -> Outcome {
    let start = Instant::now() + Duration::from_millis(200);
    let load = Arc::new(load);
    let tasks: Vec<_> =
        (0..load.connections).map(|i| tokio::spawn(connection(load.clone(), i, start))).collect();
    let mut sum = Outcome::new();
    for task in tasks {
        sum.add(&task.await.expect("a connection's task does not panic"));
    }
    sum.seconds = start.elapsed().as_secs_f64();
    sum
}

async fn connection(load: Arc<Load>, number: usize, start: Instant) -> Outcome {
    let mut out = Outcome::new();
    let mut client = Client::connect(load.target).await.ok();
    let end = start + load.duration;
    // each connection walks the requests from its own place
    let mut next = number * load.requests.len() / load.connections;
    sleep_until(start.into()).await;
    for turn in 0u64.. {
        let due = match load.rate {
            Some(rate) => {
                let nth = number as f64 + turn as f64 * load.connections as f64;
                start + Duration::from_secs_f64(nth / rate)
            }
            None => Instant::now(),
        };
        if due.max(Instant::now()) >= end {
            break;
        }
        if load.rate.is_some() {
            sleep_until(due.into()).await;
        }
        let Some(open) = client.as_mut() else {
            client = Client::connect(load.target).await.ok();
            continue;
        };
        let request = &load.requests[next % load.requests.len()];
        next += 1;
        match timeout(REQUEST_TIMEOUT, open.send(request)).await {
            Ok(Ok(202)) => {
                out.accepted += 1;
                out.latency.record(due.elapsed());
            }
            Ok(Ok(503)) => out.unavailable += 1,
            Ok(Ok(_)) => out.other += 1,
            Ok(Err(_)) | Err(_) => {
                out.unknown += 1;
                client = None;
            }
        }
    }
    out
}
