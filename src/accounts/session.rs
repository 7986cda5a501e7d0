//! Sessions: a random token in a cookie, its hash here. They last 30 days from their last use.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};

use super::caller::Who;
use super::{Accounts, Caller, Denied, User, best_effort, lock, password, token, user};
use crate::config::Secret;
use crate::hours::DAY_MS;

const LIFETIME_MS: i64 = 30 * DAY_MS;
/// Moved on at most once a day: a read should not be a write.
const SLIDE_MS: i64 = DAY_MS;
/// The oldest of more are signed out.
const PER_USER_MAX: u32 = 50;
/// How long to wait when too many passwords are being hashed.
const HASHING_WAIT: Duration = Duration::from_secs(1);

/// A new session.
#[derive(Clone, Debug)]
pub struct Session {
    /// For the cookie; kept nowhere else.
    pub token: Secret,
    pub caller: Caller,
}

impl Session {
    /// How long a browser may keep the cookie.
    pub const MAX_AGE: Duration = Duration::from_millis(LIFETIME_MS as u64);
}

impl Accounts {
    /// Starts a session. Takes about 30 ms whether the user exists or not: call it from a thread that
    /// may block.
    ///
    /// # Errors
    /// `WrongCredentials`; `Throttled` with the time to wait.
    pub fn sign_in(&self, email: &str, password: &str) -> Result<Session, Denied> {
        let email = user::fold(email);
        let account = token::hash(&email);
        let _permit =
            self.inner.hashing.try_acquire().map_err(|_| Denied::Throttled(HASHING_WAIT))?;
        lock(&self.inner.throttle).admit(account, self.now_ms()).map_err(Denied::Throttled)?;
        let sql = format!("SELECT {}, u.password FROM users u WHERE u.email = ?1", user::COLUMNS);
        let found: Option<(User, Option<String>)> = self.with(|db| {
            db.query_row(&sql, [&email], |row| Ok((user::from_row(row)?, row.get(5)?))).optional()
        })?;
        let (user, phc) = found.map_or((None, None), |(user, phc)| (Some(user), phc));
        let right = password::verify(password, phc.as_deref());
        match user {
            Some(user) if right => {
                lock(&self.inner.throttle).forgive(&account);
                let now_ms = self.now_ms();
                Ok(self.with(|db| start(db, user, now_ms))?)
            }
            _ => Err(Denied::WrongCredentials),
        }
    }

    /// Whose session this is; moves its end on.
    ///
    /// # Errors
    /// `NotSignedIn`: unknown or expired.
    pub fn caller_by_session(&self, token: &str) -> Result<Caller, Denied> {
        let (hash, now_ms) = (token::hash(token), self.now_ms());
        let sql = format!(
            "SELECT {}, s.expires FROM sessions s JOIN users u ON u.id = s.user_id
             WHERE s.hash = ?1 AND s.expires > ?2",
            user::COLUMNS
        );
        let user = self.with(|db| {
            let mut select = db.prepare_cached(&sql)?;
            let found = select
                .query_row(params![hash, now_ms], |row| {
                    Ok((user::from_row(row)?, row.get::<_, i64>(5)?))
                })
                .optional()?;
            let Some((user, expires_ms)) = found else { return Err(Denied::NotSignedIn) };
            if expires_ms < now_ms + LIFETIME_MS - SLIDE_MS {
                let sql = "UPDATE sessions SET expires = ?2 WHERE hash = ?1";
                best_effort(db.execute(sql, params![hash, now_ms + LIFETIME_MS]));
            }
            Ok(user)
        })?;
        Ok(caller(user, token))
    }

    /// Ends a session, if it is one.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn sign_out(&self, token: &str) -> Result<(), Denied> {
        let hash = token::hash(token);
        Ok(self.with(|db| {
            db.execute("DELETE FROM sessions WHERE hash = ?1", params![hash]).map(drop)
        })?)
    }
}

/// Adds a session; removes expired ones and the oldest of too many.
pub(super) fn start(db: &Connection, user: User, now_ms: i64) -> rusqlite::Result<Session> {
    db.execute("DELETE FROM sessions WHERE expires <= ?1", [now_ms])?;
    let token = token::random("");
    let hash = token::hash(token.reveal());
    let sql = "INSERT INTO sessions (hash, user_id, created, expires) VALUES (?1, ?2, ?3, ?4)";
    db.execute(sql, params![hash, user.id.0, now_ms, now_ms + LIFETIME_MS])?;
    let sql = "DELETE FROM sessions WHERE user_id = ?1 AND hash NOT IN (
                   SELECT hash FROM sessions WHERE user_id = ?1
                   ORDER BY created DESC, hash = ?3 DESC LIMIT ?2)";
    db.execute(sql, params![user.id.0, PER_USER_MAX, hash])?;
    let caller = caller(user, token.reveal());
    Ok(Session { token, caller })
}

fn caller(user: User, token: &str) -> Caller {
    Caller { who: Who::User(user), csrf: Some(token::csrf(token)), scopes: None }
}
