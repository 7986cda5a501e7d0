//! API keys: `th_` and 32 random bytes. They act for a user, or read one site.

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;

use super::caller::Who;
use super::{
    Accounts, AccountsError, Actor, Caller, Denied, Scope, UserId, audit, best_effort, token, user,
};
use crate::config::Secret;
use crate::hours::{DAY_MS, Day};
use crate::tenant::SiteId;

/// For whom a key acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFor {
    /// A user, within the key's scopes.
    User(UserId),
    /// Nobody: it reads this site.
    Site(SiteId),
}

/// What is known of a key. The key itself is not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApiKey {
    pub id: i64,
    pub label: String,
    pub scopes: Vec<Scope>,
    /// The user's email address, if it is a user's.
    pub user: Option<String>,
    /// The site's domain, if it is a site's.
    pub site: Option<String>,
    /// UTC dates.
    pub created: String,
    pub last_used: Option<String>,
    pub revoked: bool,
}

const LABEL_CHARS_MAX: usize = 100;

impl Accounts {
    /// Makes a key. It is shown this once.
    ///
    /// # Errors
    /// `Invalid` label or scopes; `Missing` user or site.
    pub fn create_key(
        &self,
        actor: Actor,
        label: &str,
        scopes: &[Scope],
        of: KeyFor,
    ) -> Result<Secret, AccountsError> {
        let label = label.trim();
        if label.is_empty() || label.chars().count() > LABEL_CHARS_MAX {
            let problem = format!("use 1 to {LABEL_CHARS_MAX} characters that tell what it is for");
            return Err(AccountsError::invalid("label", problem));
        }
        if scopes.is_empty() || (matches!(of, KeyFor::Site(_)) && scopes != [Scope::StatsRead]) {
            let problem = "a user's key needs one at least; a site's key has stats:read only";
            return Err(AccountsError::invalid("scopes", problem));
        }
        let (user, site) = match of {
            KeyFor::User(id) => (Some(id.0), None),
            KeyFor::Site(id) => (None, Some(id.0)),
        };
        let (key, now_ms) = (token::random("th_"), self.now_ms());
        let scopes = serde_json::json!(scopes).to_string();
        self.with(|db| {
            let tx = db.transaction()?;
            let sql = "INSERT INTO api_keys (hash, label, scopes, user_id, site_id, created)
                       SELECT ?1, ?2, ?3, ?4, ?5, ?6
                       WHERE ?4 IN (SELECT id FROM users) OR ?5 IN (SELECT id FROM sites)";
            let hash = token::hash(key.reveal());
            if tx.execute(sql, params![hash, label, scopes, user, site, now_ms])? == 0 {
                return Err(AccountsError::Missing("such user or site".to_owned()));
            }
            let subject = format!("key {}: {label}", tx.last_insert_rowid());
            audit::record(&tx, now_ms, actor, "create API key", &subject)?;
            tx.commit()?;
            Ok(key)
        })
    }

    /// All keys, revoked ones too, oldest first.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn keys(&self) -> Result<Vec<ApiKey>, AccountsError> {
        let sql = "SELECT k.id, k.label, k.scopes, u.email, s.domain, k.created, k.last_used_day,
                       k.revoked IS NOT NULL
                   FROM api_keys k LEFT JOIN users u ON u.id = k.user_id
                   LEFT JOIN sites s ON s.id = k.site_id ORDER BY k.id";
        self.with(|db| {
            let mut select = db.prepare_cached(sql)?;
            Ok(select.query_map([], from_row)?.collect::<Result<_, _>>()?)
        })
    }

    /// Ends a key for good.
    ///
    /// # Errors
    /// `Missing`: no such key, or revoked before.
    pub fn revoke_key(&self, actor: Actor, id: i64) -> Result<(), AccountsError> {
        let now_ms = self.now_ms();
        self.with(|db| {
            let tx = db.transaction()?;
            let sql = "UPDATE api_keys SET revoked = ?2 WHERE id = ?1 AND revoked IS NULL";
            if tx.execute(sql, [id, now_ms])? == 0 {
                return Err(AccountsError::Missing(format!("API key {id} in force")));
            }
            audit::record(&tx, now_ms, actor, "revoke API key", &format!("key {id}"))?;
            Ok(tx.commit()?)
        })
    }

    /// For whom a key acts; with or without `Bearer` in front. Notes the day of its use.
    ///
    /// # Errors
    /// `NotSignedIn`: unknown or revoked.
    pub fn caller_by_key(&self, bearer: &str) -> Result<Caller, Denied> {
        let key = bearer.strip_prefix("Bearer ").unwrap_or(bearer).trim();
        let (hash, today) = (token::hash(key), self.now_ms().div_euclid(DAY_MS));
        let sql = format!(
            "SELECT {}, k.id, k.scopes, k.site_id, k.last_used_day
             FROM api_keys k LEFT JOIN users u ON u.id = k.user_id
             WHERE k.hash = ?1 AND k.revoked IS NULL",
            user::COLUMNS
        );
        self.with(|db| {
            let mut select = db.prepare_cached(&sql)?;
            let found = select.query_row(params![hash], |row| {
                let site: Option<u32> = row.get(7)?;
                let who = match site {
                    Some(site) => Who::Site(SiteId(site)),
                    None => Who::User(user::from_row(row)?),
                };
                let caller = Caller { who, csrf: None, scopes: Some(scopes(row, 6)?) };
                Ok((caller, row.get::<_, i64>(5)?, row.get::<_, Option<i64>>(8)?))
            });
            let Some((caller, id, last_used)) = found.optional()? else {
                return Err(Denied::NotSignedIn);
            };
            if last_used != Some(today) {
                let sql = "UPDATE api_keys SET last_used_day = ?2 WHERE id = ?1";
                best_effort(db.execute(sql, [id, today]));
            }
            Ok(caller)
        })
    }
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ApiKey> {
    let last_used: Option<u16> = row.get(6)?;
    Ok(ApiKey {
        id: row.get(0)?,
        label: row.get(1)?,
        scopes: scopes(row, 2)?,
        user: row.get(3)?,
        site: row.get(4)?,
        created: Day::of_ms(row.get(5)?).to_string(),
        last_used: last_used.map(|day| Day(day).to_string()),
        revoked: row.get(7)?,
    })
}

/// A scope this version does not know grants nothing.
fn scopes(row: &Row<'_>, column: usize) -> rusqlite::Result<Vec<Scope>> {
    let json: String = row.get(column)?;
    let names: Vec<String> = serde_json::from_str(&json).unwrap_or_default();
    Ok(names.iter().filter_map(|name| Scope::named(name)).collect())
}
