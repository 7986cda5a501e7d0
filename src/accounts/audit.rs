//! The audit log: who did what, and when. It has no room for addresses.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::{Accounts, AccountsError, UserId};

/// Who changes something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Whoever may run commands on this machine.
    CommandLine,
    /// The holder of a one-time link.
    Link,
    /// A signed-in user, or an API key of theirs.
    User(UserId),
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Actor::CommandLine => f.write_str("command line"),
            Actor::Link => f.write_str("link"),
            Actor::User(id) => write!(f, "user {}", id.0),
        }
    }
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Milliseconds since the Unix epoch.
    pub at_ms: i64,
    pub actor: String,
    pub action: String,
    pub subject: String,
}

/// Adds a line; in the transaction of what it tells about.
pub(super) fn record(
    db: &Connection,
    at_ms: i64,
    actor: Actor,
    action: &str,
    subject: &str,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO audit (at, actor, action, subject) VALUES (?1, ?2, ?3, ?4)";
    db.execute(sql, params![at_ms, actor.to_string(), action, subject]).map(drop)
}

impl Accounts {
    /// The latest entries, newest first.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn audit(&self, limit: u32) -> Result<Vec<AuditEntry>, AccountsError> {
        let sql = "SELECT at, actor, action, subject FROM audit ORDER BY id DESC LIMIT ?1";
        self.with(|db| {
            let mut select = db.prepare_cached(sql)?;
            let entries = select.query_map([limit], |row| {
                Ok(AuditEntry {
                    at_ms: row.get(0)?,
                    actor: row.get(1)?,
                    action: row.get(2)?,
                    subject: row.get(3)?,
                })
            })?;
            Ok(entries.collect::<Result<_, _>>()?)
        })
    }
}
