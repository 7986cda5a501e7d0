//! What clients were told, event by event, and the check of it against what is stored.
//!
//! Every 202 must be stored exactly once, every refusal never, every unknown outcome at most once.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Daemon;
use super::daemon::AGENT;
use super::http::request;

/// What became of one event, as far as its client knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Acked,
    Refused,
    Unknown,
}

/// The fates of all events sent, by their number.
#[derive(Clone, Default)]
pub struct Ledger {
    fates: Arc<Mutex<HashMap<u64, Fate>>>,
    next: Arc<AtomicU64>,
}

/// Clients at work; dropped or stopped, they end.
pub struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    pub fn stop(self) {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            client.join().expect("a client ends");
        }
    }
}

impl Ledger {
    /// Starts clients that post `per_post` events at a time, one after another.
    pub fn load(&self, address: &str, domain: &str, clients: usize, per_post: usize) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |_| {
            let (ledger, stop) = (self.clone(), Arc::clone(&stop));
            let (address, domain) = (address.to_owned(), domain.to_owned());
            std::thread::spawn(move || {
                while !stop.load(Ordering::SeqCst) {
                    ledger.post(&address, &domain, per_post);
                }
            })
        };
        let clients = (0..clients).map(client).collect();
        Load { stop, clients }
    }

    /// Posts once and records the fate of each event.
    pub fn post(&self, address: &str, domain: &str, per_post: usize) {
        let first = self.next.fetch_add(per_post as u64, Ordering::SeqCst);
        let ids = first..first + per_post as u64;
        let events: Vec<String> = ids
            .clone()
            .map(|id| {
                format!(r#"{{"n":"pageview","d":"{domain}","u":"https://{domain}/ledger/{id}"}}"#)
            })
            .collect();
        let body = format!("[{}]", events.join(","));
        let headers = [("user-agent", AGENT), ("content-type", "text/plain")];
        let fate = match request(address, "POST", "/api/event", &headers, body.as_bytes()) {
            Ok(answer) if answer.status == 202 => Fate::Acked,
            Ok(answer) if answer.status == 503 || answer.status == 429 => Fate::Refused,
            Ok(answer) if answer.status == 500 => Fate::Unknown,
            Ok(answer) => panic!("unexpected answer: {answer:?}"),
            // No connection, no request: nothing was sent.
            Err(e) if e.kind() == std::io::ErrorKind::ConnectionRefused => Fate::Refused,
            Err(_) => Fate::Unknown,
        };
        if fate != Fate::Acked {
            std::thread::sleep(Duration::from_millis(5));
        }
        self.fates.lock().expect("no panic").extend(ids.map(|id| (id, fate)));
    }

    pub fn count(&self, fate: Fate) -> usize {
        self.fates.lock().expect("no panic").values().filter(|f| **f == fate).count()
    }

    /// Waits for the drain, reads all, and compares.
    pub fn check(&self, daemon: &Daemon) {
        daemon.wait_drained();
        let stored = daemon.sql(
            "SELECT substring(pathname, 9), count(), uniqExact(node, seq) FROM tallyhouse.events \
             WHERE site_id > 0 AND startsWith(pathname, '/ledger/') GROUP BY pathname",
        );
        self.compare(&stored);
    }

    fn compare(&self, stored: &str) {
        let mut times: HashMap<u64, u64> = HashMap::new();
        for line in stored.lines() {
            let mut fields = line.split('\t');
            let mut number = || fields.next()?.parse::<u64>().ok();
            let (id, count) = (number().expect("an id"), number().expect("a count"));
            assert_eq!(number(), Some(count), "event {id}: (node, seq) is not its identity");
            times.insert(id, count);
        }
        let fates = self.fates.lock().expect("no panic");
        let mut wrong = Vec::new();
        for (id, fate) in fates.iter() {
            let count = times.remove(id).unwrap_or(0);
            let right = match fate {
                Fate::Acked => count == 1,
                Fate::Refused => count == 0,
                Fate::Unknown => count <= 1,
            };
            if !right {
                wrong.push(format!("event {id} was {fate:?} and is stored {count} times"));
            }
        }
        wrong.truncate(20);
        assert!(wrong.is_empty() && times.is_empty(), "{} {times:?}", wrong.join("\n"));
    }
}
