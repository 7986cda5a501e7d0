//! Who is the same visitor on one day of one site, without knowing who (I4, I15).
//!
//! ```text
//! key(d + 1) = KDF(key(d))                                 a ratchet: forwards only
//! salt       = HMAC-SHA256(key(d), site ‖ d)               one a site and local day, not stored
//! visitor    = BLAKE3 keyed by salt over (address, user agent, site), each behind its length
//! ```
//! The state file holds one key, of the oldest day that some time zone still has; all later keys
//! follow from it, no earlier one does. Nodes that start from the same secret agree on every
//! visitor.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::event::VisitorId;
use crate::hours::{Day, HOUR_MS};
use crate::limits::USER_AGENT_BYTES_MAX;
use crate::tenant::SiteId;

mod state;

pub use state::IdentityError;
use state::{Key, State, StateFile};

/// A request may be decided a little after its time was taken.
const SLACK_MS: i64 = 10 * 60 * 1000;
/// Salts kept in memory; with more sites than this they are computed again, 1 µs each.
const SALTS_MAX: usize = 100_000;

type Salt = [u8; 32];

/// The day's key is erased, or not due for years: the clock is far off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key for {0}: the clock is far from the days in use; set the machine's clock")]
pub(super) struct NoKey(Day);

/// Turns senders into visitors.
pub(super) struct Identity {
    file: StateFile,
    memory: RwLock<Memory>,
}

struct Memory {
    state: State,
    salts: HashMap<(SiteId, Day), Salt>,
}

impl Identity {
    /// Reads the state file, or starts one: from the secret, or at random. A secret other than the
    /// one the file was started from starts it anew.
    ///
    /// # Errors
    /// The file cannot be read or written, or is damaged.
    pub(super) fn open(
        path: &Path,
        secret: Option<&[u8; 32]>,
        now_ms: i64,
    ) -> Result<Identity, IdentityError> {
        let (file, state) = StateFile::open(path, secret, oldest_needed(now_ms))?;
        Ok(Identity { file, memory: RwLock::new(Memory { state, salts: HashMap::new() }) })
    }

    /// Erases the keys of days that are over everywhere, from disk and memory; true if any were.
    /// To be called every minute or so; being late delays the erasure and nothing else.
    ///
    /// # Errors
    /// The file cannot be written; the keys are still there, try again.
    pub(super) fn advance(&self, now_ms: i64) -> Result<bool, IdentityError> {
        let oldest = oldest_needed(now_ms);
        let Some(next) = self.read().state.ratcheted(oldest) else { return Ok(false) };
        self.file.replace(&next)?;
        let mut memory = self.write();
        memory.state = next;
        memory.salts.retain(|(_, day), _| *day >= oldest);
        Ok(true)
    }

    /// The visitor behind a hit.
    ///
    /// # Errors
    /// [`NoKey`]: the day's key is gone, or too far ahead.
    pub(super) fn visitor(
        &self,
        site: SiteId,
        day: Day,
        address: &[u8],
        agent: &str,
    ) -> Result<VisitorId, NoKey> {
        let mut input = [0; 3 * 2 + 16 + USER_AGENT_BYTES_MAX + 4];
        let mut length = 0;
        for part in [address, agent.as_bytes(), &site.0.to_le_bytes()] {
            let bytes = u16::try_from(part.len()).expect("the gate bounds a user agent");
            input[length..length + 2].copy_from_slice(&bytes.to_le_bytes());
            input[length + 2..length + 2 + part.len()].copy_from_slice(part);
            length += 2 + part.len();
        }
        let hash = blake3::keyed_hash(&self.salt(site, day)?, &input[..length]);
        let mut visitor = [0; 16];
        visitor.copy_from_slice(&hash.as_bytes()[..16]);
        Ok(VisitorId(visitor))
    }

    fn salt(&self, site: SiteId, day: Day) -> Result<Salt, NoKey> {
        if let Some(salt) = self.read().salts.get(&(site, day)) {
            return Ok(*salt);
        }
        let mut memory = self.write();
        let key = memory.state.key_of(day).ok_or(NoKey(day))?;
        let salt = salt_of(&key, site, day);
        if memory.salts.len() >= SALTS_MAX {
            memory.salts.clear();
        }
        memory.salts.insert((site, day), salt);
        Ok(salt)
    }

    fn read(&self) -> RwLockReadGuard<'_, Memory> {
        self.memory.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Memory> {
        self.memory.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The date at UTC-12, where a day ends last.
fn oldest_needed(now_ms: i64) -> Day {
    Day::of_ms(now_ms - 12 * HOUR_MS - SLACK_MS)
}

fn salt_of(key: &Key, site: SiteId, day: Day) -> Salt {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(&site.0.to_le_bytes());
    mac.update(&day.0.to_le_bytes());
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests;
