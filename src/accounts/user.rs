//! Users: who can sign in.

use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use serde::Serialize;

use super::{Accounts, AccountsError, Actor, Role, audit, password};
use crate::config::Secret;
use crate::tenant::SiteId;

/// A user's number, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct UserId(pub i64);

/// Somebody who can sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct User {
    pub id: UserId,
    /// Lower case.
    pub email: String,
    pub name: String,
    /// Owners may do everything, on every site.
    pub owner: bool,
    /// False until their one-time link was used.
    pub active: bool,
}

/// A user to be added.
#[derive(Clone, Debug)]
pub struct NewUser {
    pub email: String,
    /// Empty: what stands before the `@`.
    pub name: String,
    pub owner: bool,
    /// None: they choose it with a one-time link.
    pub password: Option<Secret>,
}

/// Columns in the order of [`from_row`].
pub(super) const COLUMNS: &str = "u.id, u.email, u.name, u.owner, u.password IS NOT NULL";

pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<User> {
    Ok(User {
        id: UserId(row.get(0)?),
        email: row.get(1)?,
        name: row.get(2)?,
        owner: row.get(3)?,
        active: row.get(4)?,
    })
}

impl Accounts {
    /// Adds a user. Hashes the password, if there is one: may take 30 ms.
    ///
    /// # Errors
    /// `Invalid` email or password; `Taken`.
    pub fn add_user(&self, actor: Actor, new: &NewUser) -> Result<User, AccountsError> {
        let phc = new.password.as_ref().map(|p| password::hash(p.reveal())).transpose()?;
        let now_ms = self.now_ms();
        self.with(|db| {
            let tx = db.transaction()?;
            let user = insert(&tx, now_ms, new, phc.as_deref())?;
            audit::record(&tx, now_ms, actor, "add user", &user.email)?;
            tx.commit()?;
            Ok(user)
        })
    }

    /// All users, by email address.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn users(&self) -> Result<Vec<User>, AccountsError> {
        self.with(|db| {
            let mut select =
                db.prepare(&format!("SELECT {COLUMNS} FROM users u ORDER BY u.email"))?;
            Ok(select.query_map([], from_row)?.collect::<Result<_, _>>()?)
        })
    }

    /// Finds a user by email address, whatever its case.
    ///
    /// # Errors
    /// `Missing`.
    pub fn user(&self, email: &str) -> Result<User, AccountsError> {
        let email = fold(email);
        self.with(|db| by_email(db, &email)?.ok_or_else(|| missing(&email)))
    }

    /// Removes a user with their roles, sessions and API keys.
    ///
    /// # Errors
    /// `Missing`; `Invalid` for the only owner.
    pub fn remove_user(&self, actor: Actor, email: &str) -> Result<(), AccountsError> {
        let (email, now_ms) = (fold(email), self.now_ms());
        self.with(|db| {
            let tx = db.transaction()?;
            let user = by_email(&tx, &email)?.ok_or_else(|| missing(&email))?;
            let owners = "SELECT count(*) FROM users WHERE owner = 1 AND id <> ?1";
            let others: i64 = tx.query_row(owners, [user.id.0], |row| row.get(0))?;
            if user.owner && others == 0 {
                let problem = format!("{email} is the only owner; add another owner first");
                return Err(AccountsError::invalid("email", problem));
            }
            tx.execute("DELETE FROM users WHERE id = ?1", [user.id.0])?;
            audit::record(&tx, now_ms, actor, "remove user", &email)?;
            Ok(tx.commit()?)
        })
    }

    /// Every role given: user, domain of the site, role; by domain.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn roles(&self) -> Result<Vec<(UserId, String, Role)>, AccountsError> {
        let sql = "SELECT r.user_id, s.domain, r.role FROM roles r JOIN sites s ON s.id = r.site_id
                   ORDER BY s.domain";
        self.with(|db| {
            let mut select = db.prepare(sql)?;
            let mut rows = select.query([])?;
            let mut roles = Vec::new();
            while let Some(row) = rows.next()? {
                let name: String = row.get(2)?;
                let role = Role::named(&name)
                    .ok_or_else(|| AccountsError::Damaged(format!("a role `{name}`")))?;
                roles.push((UserId(row.get(0)?), row.get(1)?, role));
            }
            Ok(roles)
        })
    }

    /// Gives a user a role on a site, or takes it (`None`).
    ///
    /// # Errors
    /// `Missing` user or site.
    pub fn grant(
        &self,
        actor: Actor,
        user: UserId,
        site: SiteId,
        role: Option<Role>,
    ) -> Result<(), AccountsError> {
        let now_ms = self.now_ms();
        self.with(|db| {
            let tx = db.transaction()?;
            let done = match role {
                None => tx.execute(
                    "DELETE FROM roles WHERE user_id = ?1 AND site_id = ?2",
                    params![user.0, site.0],
                ),
                Some(role) => tx.execute(
                    "INSERT INTO roles (user_id, site_id, role) VALUES (?1, ?2, ?3)
                     ON CONFLICT (user_id, site_id) DO UPDATE SET role = ?3",
                    params![user.0, site.0, role.as_str()],
                ),
            };
            match done {
                Err(e) if e.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => {
                    return Err(AccountsError::Missing("such user or site".to_owned()));
                }
                done => done?,
            };
            let subject =
                format!("user {}, site {}: {}", user.0, site.0, role.map_or("none", Role::as_str));
            audit::record(&tx, now_ms, actor, "set role", &subject)?;
            Ok(tx.commit()?)
        })
    }
}

/// Adds the row. `phc` is the hashed password.
pub(super) fn insert(
    db: &Connection,
    now_ms: i64,
    new: &NewUser,
    phc: Option<&str>,
) -> Result<User, AccountsError> {
    let email = checked_email(&new.email)?;
    let name = match new.name.trim() {
        "" => email.split('@').next().unwrap_or(&email),
        name => name,
    };
    let sql = "INSERT INTO users (email, name, password, owner, created)
               VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING";
    if db.execute(sql, params![email, name, phc, new.owner, now_ms])? == 0 {
        return Err(AccountsError::Taken(format!("a user {email}")));
    }
    Ok(User {
        id: UserId(db.last_insert_rowid()),
        name: name.to_owned(),
        owner: new.owner,
        active: phc.is_some(),
        email,
    })
}

pub(super) fn by_email(db: &Connection, folded: &str) -> rusqlite::Result<Option<User>> {
    let sql = format!("SELECT {COLUMNS} FROM users u WHERE u.email = ?1");
    db.query_row(&sql, [folded], from_row).optional()
}

/// Addresses are compared in lower case: nobody has two that differ in case only.
pub(super) fn fold(email: &str) -> String {
    email.trim().to_lowercase()
}

/// The folded address, if it can be one.
pub(super) fn checked_email(email: &str) -> Result<String, AccountsError> {
    let folded = fold(email);
    let plain =
        folded.len() <= 254 && !folded.contains(|c: char| c.is_whitespace() || c.is_control());
    match folded.split_once('@') {
        Some((local, host))
            if plain && !local.is_empty() && !host.is_empty() && !host.contains('@') =>
        {
            Ok(folded)
        }
        _ => Err(AccountsError::invalid(
            "email",
            "this is not an email address, such as ann@example.org",
        )),
    }
}

pub(super) fn missing(email: &str) -> AccountsError {
    AccountsError::Missing(format!("user {email}"))
}
