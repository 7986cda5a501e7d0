//! Who may do what: users, sites, roles, sessions, API keys and one-time links, in SQLite beside the
//! data. The only place that mints a [`Tenant`](crate::tenant::Tenant) (I9), and the publisher of the
//! [`SiteDirectory`], an immutable snapshot that ingest reads without a query (I6).
//!
//! Calls are short and synchronous; those that hash a password (`sign_in`, `complete_setup`,
//! `add_user` with a password) take about 30 ms and belong on a thread that may block. Other
//! processes may change the file meanwhile: [`Accounts::refresh_if_changed`] notices.
//!
//! No client address comes here, not even for throttling or the audit log (I4).

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{Semaphore, watch};

use crate::clock::Clock;

pub mod directory;

mod audit;
mod caller;
pub mod imports;
mod key;
mod link;
mod password;
mod rules;
mod schema;
mod session;
mod site;
mod throttle;
mod token;
mod user;

#[cfg(test)]
mod tests;

pub use audit::{Actor, AuditEntry};
pub use caller::{Caller, Role, Scope};
pub use directory::{Site, SiteDirectory};
pub use imports::Import;
pub use key::{ApiKey, KeyFor};
pub use link::Link;
pub use session::Session;
pub use site::SiteChange;
pub use user::{NewUser, User, UserId};

/// Passwords hashed at once: bounds their memory (19 MiB each).
const HASHING_MAX: usize = 4;

/// The accounts. Clones share one connection and one snapshot.
#[derive(Clone)]
pub struct Accounts {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Clock,
    db: Mutex<Connection>,
    /// SQLite's counter of other connections' commits, as of the snapshot.
    seen: Mutex<i64>,
    directory: watch::Sender<Arc<SiteDirectory>>,
    throttle: Mutex<throttle::Throttle>,
    hashing: Semaphore,
}

/// What can go wrong with the accounts themselves.
#[derive(Debug, thiserror::Error)]
pub enum AccountsError {
    #[error("cannot open the accounts file {path}: {source}; create its directory and make both \
             writable for the user that runs tallyhouse", path = .path.display())]
    File { path: PathBuf, source: std::io::Error },
    #[error("the accounts database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error(
        "the accounts file was written by a newer tallyhouse (schema {found}, this one knows \
             {known}); run that version"
    )]
    Newer { found: usize, known: usize },
    #[error("the accounts file holds something unreadable: {0}; restore it from a backup")]
    Damaged(String),
    /// Input that breaks a rule; `field` as in the API.
    #[error("{field}: {problem}")]
    Invalid { field: &'static str, problem: String },
    #[error("{0} exists already")]
    Taken(String),
    #[error("there is no {0}")]
    Missing(String),
}

impl AccountsError {
    pub(crate) fn invalid(field: &'static str, problem: impl Into<String>) -> AccountsError {
        AccountsError::Invalid { field, problem: problem.into() }
    }
}

/// Why somebody may not. The texts are for them to read and tell no secret.
#[derive(Debug, thiserror::Error)]
pub enum Denied {
    #[error("you are not signed in")]
    NotSignedIn,
    #[error("the email address or the password is wrong")]
    WrongCredentials,
    #[error("too many attempts; try again in {} s", .0.as_secs())]
    Throttled(Duration),
    /// No such site, or not theirs: the same answer.
    #[error("there is no such site, or it is not yours")]
    NoSuchSite,
    #[error("the request lacks the right x-csrf-token header; load the page again")]
    Csrf,
    #[error("you may not do this; ask an owner")]
    Forbidden,
    #[error("this link is used up, expired or wrong; ask for a new one")]
    BadLink,
    #[error(transparent)]
    Failed(#[from] AccountsError),
}

impl From<rusqlite::Error> for Denied {
    fn from(error: rusqlite::Error) -> Denied {
        Denied::Failed(error.into())
    }
}

impl Accounts {
    /// Opens the file (made with mode 0600 if missing), migrates it and loads the sites.
    ///
    /// # Errors
    /// The file cannot be opened, or a newer version wrote it.
    pub fn open(path: &Path, clock: Clock) -> Result<Accounts, AccountsError> {
        let db = schema::open(path)?;
        let accounts = Accounts {
            inner: Arc::new(Inner {
                clock,
                db: Mutex::new(db),
                seen: Mutex::new(0),
                directory: watch::Sender::new(Arc::default()),
                throttle: Mutex::default(),
                hashing: Semaphore::new(HASHING_MAX),
            }),
        };
        accounts.refresh_if_changed()?;
        accounts.publish()?;
        Ok(accounts)
    }

    /// The sites as of the last change seen.
    pub fn directory(&self) -> Arc<SiteDirectory> {
        self.inner.directory.borrow().clone()
    }

    /// The sites, and every change of them.
    pub fn watch_directory(&self) -> watch::Receiver<Arc<SiteDirectory>> {
        self.inner.directory.subscribe()
    }

    /// Publishes a new snapshot if another process changed the file; true if so. Costs one pragma.
    ///
    /// # Errors
    /// SQLite fails; the old snapshot stays.
    pub fn refresh_if_changed(&self) -> Result<bool, AccountsError> {
        let version =
            self.with(|db| db.query_row("PRAGMA data_version", [], |row| row.get::<_, i64>(0)))?;
        if *lock(&self.inner.seen) == version {
            return Ok(false);
        }
        self.publish()?;
        *lock(&self.inner.seen) = version; // only now: a failed load is tried again
        Ok(true)
    }

    /// A setting kept with the accounts.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn setting(&self, key: &str) -> Result<Option<String>, AccountsError> {
        use rusqlite::OptionalExtension;
        let sql = "SELECT value FROM settings WHERE key = ?1";
        Ok(self.with(|db| db.query_row(sql, [key], |row| row.get(0)).optional())?)
    }

    /// Keeps a setting.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn set_setting(&self, key: &str, value: &str) -> Result<(), AccountsError> {
        let sql = "INSERT INTO settings (key, value) VALUES (?1, ?2)
                   ON CONFLICT (key) DO UPDATE SET value = ?2";
        Ok(self.with(|db| db.execute(sql, [key, value]).map(drop))?)
    }

    /// What SQLite finds wrong with the file; nothing if it is whole. Reads all of it.
    ///
    /// # Errors
    /// SQLite cannot even look.
    pub fn integrity(&self) -> Result<Vec<String>, AccountsError> {
        self.with(|db| {
            let mut check = db.prepare("PRAGMA integrity_check")?;
            let lines = check.query_map([], |row| row.get::<_, String>(0))?;
            let lines: Result<Vec<String>, _> = lines.collect();
            Ok(lines?.into_iter().filter(|line| line != "ok").collect())
        })
    }

    /// Runs short SQL on the one connection. Never hash a password in here.
    pub(crate) fn with<T, E>(
        &self,
        work: impl FnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        work(&mut lock(&self.inner.db))
    }

    fn now_ms(&self) -> i64 {
        self.inner.clock.now_ms()
    }

    fn publish(&self) -> Result<(), AccountsError> {
        // Loaded and sent under one lock: else an older snapshot could overtake a newer one.
        self.with(|db| {
            let sites = SiteDirectory::new(site::load_all(db)?);
            self.inner.directory.send_replace(Arc::new(sites));
            Ok(())
        })
    }
}

/// Notes that a small write failed; reading goes on, even when the disk is full.
fn best_effort(done: rusqlite::Result<usize>) {
    if let Err(error) = done {
        tracing::warn!("cannot note a use in the accounts database: {error}; is the disk full?");
    }
}

/// A panic elsewhere ends the process; in a test, what was locked is still whole enough.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
