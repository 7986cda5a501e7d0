//! One-time links: the set-up of the first user, and a new password for one who exists. They work
//! once, for a day.

use rusqlite::{OptionalExtension, params};

use super::{
    Accounts, AccountsError, Actor, Denied, NewUser, Session, User, audit, password, session,
    token, user,
};
use crate::config::Secret;
use crate::hours::DAY_MS;

const LIFETIME_MS: i64 = DAY_MS;

/// A link that would work now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Whose password it sets; `None`: it makes the first user.
    pub email: Option<String>,
}

impl Accounts {
    /// A new token for `/setup?token=…`; `None` once there is a user. Earlier ones stop working.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn setup_link(&self) -> Result<Option<Secret>, AccountsError> {
        let now_ms = self.now_ms();
        self.with(|db| {
            let tx = db.transaction()?;
            let users: i64 = tx.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?;
            if users > 0 {
                return Ok(None);
            }
            let token = insert(&tx, None, now_ms)?;
            tx.commit()?;
            Ok(Some(token))
        })
    }

    /// A new token with which a user chooses a password. Earlier ones stop working.
    ///
    /// # Errors
    /// `Missing` user.
    pub fn password_link(&self, actor: Actor, email: &str) -> Result<Secret, AccountsError> {
        let (email, now_ms) = (user::fold(email), self.now_ms());
        self.with(|db| {
            let tx = db.transaction()?;
            let user = user::by_email(&tx, &email)?.ok_or_else(|| user::missing(&email))?;
            let token = insert(&tx, Some(&user), now_ms)?;
            audit::record(&tx, now_ms, actor, "make password link", &email)?;
            tx.commit()?;
            Ok(token)
        })
    }

    /// Looks at a link without using it.
    ///
    /// # Errors
    /// `BadLink`.
    pub fn link(&self, token: &str) -> Result<Link, Denied> {
        let sql = "SELECT u.email FROM links l LEFT JOIN users u ON u.id = l.user_id
                   WHERE l.hash = ?1 AND l.expires > ?2";
        let values = params![token::hash(token), self.now_ms()];
        let found = self.with(|db| db.query_row(sql, values, |row| row.get(0)).optional())?;
        found.map(|email| Link { email }).ok_or(Denied::BadLink)
    }

    /// Uses a link: makes the first user (an owner, with this email address), or sets the password of
    /// the link's user and ends their other sessions. Signs in. May take 30 ms.
    ///
    /// # Errors
    /// `BadLink`; `Failed(Invalid)` for a bad email address or password, and the link still works.
    pub fn complete_setup(
        &self,
        token: &str,
        email: &str,
        password: &str,
    ) -> Result<Session, Denied> {
        self.link(token)?; // nobody without a link gets to spend time on hashing
        let phc = password::hash(password)?;
        let (hash, now_ms) = (token::hash(token), self.now_ms());
        self.with(|db| {
            let tx = db.transaction()?;
            let sql = "DELETE FROM links WHERE hash = ?1 AND expires > ?2 RETURNING user_id";
            let used: Option<Option<i64>> =
                tx.query_row(sql, params![hash, now_ms], |row| row.get(0)).optional()?;
            let user = match used.ok_or(Denied::BadLink)? {
                None => {
                    tx.execute("DELETE FROM links WHERE user_id IS NULL", [])?;
                    let (email, name) = (email.to_owned(), String::new());
                    let new = NewUser { email, name, owner: true, password: None };
                    user::insert(&tx, now_ms, &new, Some(&phc))?
                }
                Some(id) => {
                    let sql = "UPDATE users SET password = ?2 WHERE id = ?1";
                    tx.execute(sql, params![id, phc])?;
                    tx.execute("DELETE FROM sessions WHERE user_id = ?1", [id])?;
                    let sql = format!("SELECT {} FROM users u WHERE u.id = ?1", user::COLUMNS);
                    tx.query_row(&sql, [id], user::from_row)?
                }
            };
            audit::record(&tx, now_ms, Actor::Link, "set password", &user.email)?;
            let session = session::start(&tx, user, now_ms)?;
            tx.commit()?;
            Ok(session)
        })
    }
}

fn insert(db: &rusqlite::Connection, user: Option<&User>, now_ms: i64) -> rusqlite::Result<Secret> {
    let id = user.map(|user| user.id.0);
    db.execute("DELETE FROM links WHERE user_id IS ?1 OR expires <= ?2", params![id, now_ms])?;
    let token = token::random("");
    let sql = "INSERT INTO links (hash, user_id, created, expires) VALUES (?1, ?2, ?3, ?4)";
    db.execute(sql, params![token::hash(token.reveal()), id, now_ms, now_ms + LIFETIME_MS])?;
    Ok(token)
}
