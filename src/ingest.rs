//! Everything between a request and the log, in a fixed order: gate, limits, payload, rules,
//! enrichment, identity. The client's address and user agent end here (I4): they live in
//! [`Ingest::decide`], which returns before the log is waited for.
//!
//! Called by the server on tokio's workers. Nothing here blocks on disk or network but the one wait
//! for the log's commit; ClickHouse and accounts may be away (I6).

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use http::HeaderMap;
use ipnet::IpNet;
use tokio::sync::watch;

use crate::accounts::directory::SiteDirectory;
use crate::clock::Clock;
use crate::metrics::METRICS;
use crate::wal::{AppendError, Wal};

mod client;
mod decide;
mod enrich;
mod gate;
mod identity;
mod limit;
pub mod past;
mod payload;
mod reply;
mod rules;
mod seen;

#[cfg(test)]
mod tests;

pub use enrich::geo::{Geo, GeoError};
pub use enrich::network::{NetworkError, Networks};
pub use identity::IdentityError;
pub use limit::LimitConfig;
pub use reply::Reply;

use decide::Decision;
use enrich::agent::Agents;
use identity::Identity;
use limit::Limits;
use reply::Refused;
use seen::{Seen, SeenId};

/// The settings of ingest.
#[derive(Clone, Debug, Default)]
pub struct IngestConfig {
    /// Proxies whose word on the client's address is taken; nobody by default.
    pub trusted_proxies: Vec<IpNet>,
    pub limits: LimitConfig,
    /// MaxMind DB files, asked in order.
    pub place_files: Vec<PathBuf>,
    /// `first,last,number,name` tables of autonomous systems.
    pub network_files: Vec<PathBuf>,
    /// Where the day key lives.
    pub identity_file: PathBuf,
    /// From which nodes derive the same visitors; without one the key is random.
    pub secret: Option<[u8; 32]>,
}

/// Why ingest cannot start.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error(transparent)]
    Identity(#[from] IdentityError),
    #[error(transparent)]
    Geo(#[from] GeoError),
    #[error(transparent)]
    Network(#[from] NetworkError),
}

/// One request.
pub struct Hit<'a> {
    /// The other end of the connection.
    pub peer: IpAddr,
    pub headers: &'a HeaderMap,
    /// At most [`crate::limits::BODY_BYTES_MAX`], which the server sees to.
    pub body: Bytes,
}

/// The phases and their tables.
pub struct Ingest {
    wal: Wal,
    clock: Clock,
    directory: watch::Receiver<Arc<SiteDirectory>>,
    trusted_proxies: Vec<IpNet>,
    limits: Limits,
    agents: Agents,
    identity: Identity,
    seen: Seen,
    places: RwLock<Arc<Geo>>,
    networks: RwLock<Arc<Networks>>,
}

impl Ingest {
    /// Opens the tables. Takes about half a second and reads files.
    ///
    /// # Errors
    /// A configured file cannot be used.
    pub fn new(
        config: &IngestConfig,
        wal: Wal,
        clock: Clock,
        directory: watch::Receiver<Arc<SiteDirectory>>,
    ) -> Result<Ingest, IngestError> {
        enrich::sources::load();
        let now_ms = clock.now_ms();
        Ok(Ingest {
            wal,
            directory,
            trusted_proxies: config.trusted_proxies.clone(),
            limits: Limits::new(&config.limits),
            agents: Agents::new(),
            identity: Identity::open(&config.identity_file, config.secret.as_ref(), now_ms)?,
            seen: Seen::new(),
            places: RwLock::new(Arc::new(Geo::open(&config.place_files)?)),
            networks: RwLock::new(Arc::new(Networks::open(&config.network_files)?)),
            clock,
        })
    }

    /// Takes one post and answers it. Once it waits for the log, dropping the future does not take
    /// the events back.
    pub async fn collect(&self, hit: Hit<'_>) -> Reply {
        match self.decide(&hit) {
            Decision::Answer(reply) => reply,
            Decision::Append(batch) => {
                let mut received = Received(batch.rows.count());
                match self.wal.append(batch.admission, batch.rows).await {
                    Ok(durable) => Reply::stored(&durable, &batch.outcomes, batch.listed),
                    Err(AppendError::Unknown) => {
                        reply::count_refused(Refused::Internal);
                        Reply::refused(Refused::Internal)
                    }
                    Err(AppendError::Unavailable(_)) => {
                        received.0 = 0;
                        self.not_taken(batch.claims)
                    }
                }
            }
        }
    }

    /// Certainly not stored: the same events may come again.
    fn not_taken(&self, claims: Vec<SeenId>) -> Reply {
        claims.into_iter().for_each(|id| self.seen.release(id));
        Reply::unavailable()
    }

    /// Erases what is out of date: day keys, event ids. To be called every minute, off the workers:
    /// it writes a small file once a day.
    ///
    /// # Errors
    /// The day key's file cannot be written; it is tried again at the next call.
    pub fn housekeep(&self) -> Result<(), IngestError> {
        let now_ms = self.clock.now_ms();
        self.seen.housekeep(now_ms);
        self.identity.advance(now_ms)?;
        Ok(())
    }

    /// Puts new place files in use.
    pub fn set_places(&self, places: Geo) {
        *self.places.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(places);
    }

    /// Puts new network tables in use.
    pub fn set_networks(&self, networks: Networks) {
        *self.networks.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(networks);
    }

    /// The tables as they are now, so that a reload cannot mix two in one decision.
    fn tables(&self) -> Tables {
        Tables {
            directory: Arc::clone(&self.directory.borrow()),
            places: Arc::clone(&self.places.read().unwrap_or_else(PoisonError::into_inner)),
            networks: Arc::clone(&self.networks.read().unwrap_or_else(PoisonError::into_inner)),
        }
    }
}

struct Tables {
    directory: Arc<SiteDirectory>,
    places: Arc<Geo>,
    networks: Arc<Networks>,
}

/// Counts events handed to the log when it goes away: also when the client hangs up while they are
/// being written, since they are stored all the same (I13).
struct Received(u32);

impl Drop for Received {
    fn drop(&mut self) {
        METRICS.received.inc_by(u64::from(self.0));
    }
}
