//! The day keys and their file.
//!
//! ```text
//! tallyhouse day key 1
//! seed <32 hex digits: which secret it was started from, or `random`>
//! day <date> <64 hex digits: the key of that date>
//! check <16 hex digits over the lines above>
//! ```
//! Replaced by rename and synced with its directory; the old file's blocks are overwritten before
//! they are given back.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::hours::Day;

pub(super) type Key = [u8; 32];

const HEAD: &str = "tallyhouse day key 1";
/// Where the ratchet of a secret begins: 2026-01-01. Part of what nodes agree on; never change it.
const SECRET_DAY: Day = Day(20_454);
/// Days ahead for which a key is derived; more means that the clock is wrong.
const DAYS_AHEAD_MAX: u16 = 7;

/// Why the day keys cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    #[error("the day keys in {path} cannot be read or written: {source}")]
    Io { path: PathBuf, source: std::io::Error },
    #[error(
        "the day keys in {path} are damaged; delete the file to start new ones \
         (today's visitors will then count twice)"
    )]
    Damaged { path: PathBuf },
    #[error("the clock stands before 2026-01-01; set the machine's clock")]
    Clock,
}

/// The oldest key, and by its ratchet all later ones.
#[derive(Clone)]
pub(super) struct State {
    seed: String,
    day: Day,
    key: Key,
}

impl State {
    fn from_secret(secret: &[u8; 32]) -> State {
        let key = blake3::derive_key("tallyhouse 2026 first day key", secret);
        State { seed: seed_of(secret), day: SECRET_DAY, key }
    }

    fn random(day: Day) -> State {
        State { seed: "random".to_owned(), day, key: rand::random() }
    }

    /// The key of a day; `None` for a day before the oldest or far behind it.
    pub(super) fn key_of(&self, day: Day) -> Option<Key> {
        let steps = day.0.checked_sub(self.day.0).filter(|steps| *steps <= DAYS_AHEAD_MAX)?;
        Some(turned(self.key, steps))
    }

    /// The state without the days before `oldest`; `None` if there are none to forget.
    pub(super) fn ratcheted(&self, oldest: Day) -> Option<State> {
        let steps = oldest.0.checked_sub(self.day.0).filter(|steps| *steps > 0)?;
        Some(State { seed: self.seed.clone(), day: oldest, key: turned(self.key, steps) })
    }

    fn to_text(&self) -> String {
        let key = blake3::Hash::from_bytes(self.key).to_hex();
        let text = format!("{HEAD}\nseed {}\nday {} {key}\n", self.seed, self.day);
        format!("{text}check {}\n", check_of(&text))
    }

    fn from_text(text: &str) -> Option<State> {
        let (body, check) = text.split_at(text.find("check ")?);
        if check != format!("check {}\n", check_of(body)) {
            return None;
        }
        let mut lines = body.lines();
        if lines.next()? != HEAD {
            return None;
        }
        let seed = lines.next()?.strip_prefix("seed ")?.to_owned();
        let (day, key) = lines.next()?.strip_prefix("day ")?.split_once(' ')?;
        let key = blake3::Hash::from_hex(key).ok()?;
        Some(State { seed, day: day.parse().ok()?, key: *key.as_bytes() })
    }
}

fn turned(key: Key, steps: u16) -> Key {
    let step = |key: Key, _| blake3::derive_key("tallyhouse 2026 next day key", &key);
    (0..steps).fold(key, step)
}

/// Tells secrets apart without telling them.
fn seed_of(secret: &[u8; 32]) -> String {
    let hash = blake3::derive_key("tallyhouse 2026 name of a secret", secret);
    blake3::Hash::from_bytes(hash).to_hex()[..32].to_owned()
}

fn check_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
}

/// Where the state lives.
pub(super) struct StateFile {
    path: PathBuf,
}

impl StateFile {
    pub(super) fn open(
        path: &Path,
        secret: Option<&[u8; 32]>,
        oldest: Day,
    ) -> Result<(StateFile, State), IdentityError> {
        let file = StateFile { path: path.to_owned() };
        let known = file.read()?;
        let kept = known.filter(|known| secret.is_none_or(|secret| known.seed == seed_of(secret)));
        let state = match (kept, secret) {
            (Some(state), _) => match state.ratcheted(oldest) {
                Some(next) => next,
                None => return Ok((file, state)),
            },
            (None, Some(_)) if oldest < SECRET_DAY => return Err(IdentityError::Clock),
            (None, Some(secret)) => {
                let first = State::from_secret(secret);
                first.ratcheted(oldest).unwrap_or(first)
            }
            (None, None) => State::random(oldest),
        };
        file.replace(&state)?;
        Ok((file, state))
    }

    fn read(&self) -> Result<Option<State>, IdentityError> {
        let mut text = String::new();
        match File::open(&self.path).and_then(|mut file| file.read_to_string(&mut text)) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) if e.kind() != std::io::ErrorKind::InvalidData => return Err(self.io(e)),
            _ => {}
        }
        let damaged = || IdentityError::Damaged { path: self.path.clone() };
        State::from_text(&text).map(Some).ok_or_else(damaged)
    }

    /// Puts the new state in the old one's place, whole or not at all, and wipes the old one.
    pub(super) fn replace(&self, state: &State) -> Result<(), IdentityError> {
        self.try_replace(state).map_err(|e| self.io(e))
    }

    fn try_replace(&self, state: &State) -> std::io::Result<()> {
        let old = OpenOptions::new().write(true).open(&self.path).ok();
        let new_path = self.path.with_extension("new");
        // A leftover of a crash may have other rights or an older key.
        let _ = std::fs::remove_file(&new_path);
        let mut new =
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new_path)?;
        new.write_all(state.to_text().as_bytes())?;
        new.sync_all()?;
        std::fs::rename(&new_path, &self.path)?;
        let dir = self.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        File::open(dir.unwrap_or(Path::new(".")))?.sync_all()?;
        if let Some(mut old) = old {
            let length = old.metadata()?.len() as usize;
            old.write_all(&vec![0; length])?;
            old.sync_all()?;
        }
        Ok(())
    }

    fn io(&self, source: std::io::Error) -> IdentityError {
        IdentityError::Io { path: self.path.clone(), source }
    }
}
