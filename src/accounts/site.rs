//! Sites and their settings. A domain and a time zone are checked here, once; the directory holds
//! the result.

use std::str::FromStr;

use ipnet::IpNet;
use rusqlite::{Connection, Row, params};

use super::rules::{apply, checked_domain};
use super::{Accounts, AccountsError, Actor, Site, audit};
use crate::config::hint;
use crate::hours::Zone;
use crate::tenant::SiteId;

/// Settings to change; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct SiteChange {
    /// An IANA name.
    pub timezone: Option<String>,
    pub hostnames: Option<Vec<String>>,
    /// Addresses or networks (CIDR).
    pub excluded_addresses: Option<Vec<String>>,
    pub excluded_countries: Option<Vec<String>>,
    pub excluded_pages: Option<Vec<String>>,
    pub respect_dnt: Option<bool>,
    pub respect_gpc: Option<bool>,
    pub retention_days: Option<u16>,
    pub mark_data_centres: Option<bool>,
    pub demo: Option<bool>,
}

const COLUMNS: &str = "id, domain, timezone, hostnames, excluded_addresses, excluded_countries,
    excluded_pages, respect_dnt, respect_gpc, retention_days, mark_data_centres, demo";

impl Accounts {
    /// Adds a site and publishes the directory. The time zone is UTC unless given.
    ///
    /// # Errors
    /// `Invalid` with the field; `Taken`.
    pub fn add_site(
        &self,
        actor: Actor,
        domain: &str,
        change: &SiteChange,
    ) -> Result<Site, AccountsError> {
        let mut site = Site::new(SiteId(0), &checked_domain(domain)?);
        apply(&mut site, change)?;
        let now_ms = self.now_ms();
        self.with(|db| {
            let tx = db.transaction()?;
            if save(&tx, &site, Some(now_ms))? == 0 {
                return Err(AccountsError::Taken(format!("a site {}", site.domain)));
            }
            let id = u32::try_from(tx.last_insert_rowid()).expect("the table checks the range");
            site.id = SiteId(id);
            audit::record(&tx, now_ms, actor, "add site", &site.domain)?;
            Ok(tx.commit()?)
        })?;
        self.publish()?;
        Ok(site)
    }

    /// Changes a site's settings and publishes the directory.
    ///
    /// # Errors
    /// `Missing`; `Invalid` with the field.
    pub fn set_site(
        &self,
        actor: Actor,
        id: SiteId,
        change: &SiteChange,
    ) -> Result<Site, AccountsError> {
        let now_ms = self.now_ms();
        let site = self.with(|db| {
            let tx = db.transaction()?;
            let mut site = load(&tx, "WHERE id = ?1", [id.0])?
                .pop()
                .ok_or_else(|| AccountsError::Missing(format!("site {}", id.0)))?;
            apply(&mut site, change)?;
            save(&tx, &site, None)?;
            audit::record(&tx, now_ms, actor, "set site", &site.domain)?;
            tx.commit()?;
            Ok::<_, AccountsError>(site)
        })?;
        self.publish()?;
        Ok(site)
    }

    /// Removes a site with its roles and API keys; its number is never given again.
    ///
    /// # Errors
    /// `Missing`.
    pub fn remove_site(&self, actor: Actor, id: SiteId) -> Result<(), AccountsError> {
        let now_ms = self.now_ms();
        self.with(|db| {
            let tx = db.transaction()?;
            if tx.execute("DELETE FROM sites WHERE id = ?1", [id.0])? == 0 {
                return Err(AccountsError::Missing(format!("site {}", id.0)));
            }
            audit::record(&tx, now_ms, actor, "remove site", &id.0.to_string())?;
            Ok(tx.commit()?)
        })?;
        self.publish()
    }

    /// All sites, by domain.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn sites(&self) -> Result<Vec<Site>, AccountsError> {
        self.with(|db| load_all(db))
    }

    /// Finds a site by its domain.
    ///
    /// # Errors
    /// `Missing`, with the nearest domain there is.
    pub fn site(&self, domain: &str) -> Result<Site, AccountsError> {
        let wanted = domain.trim().trim_end_matches('.').to_ascii_lowercase();
        let sites = self.sites()?;
        sites.iter().find(|site| site.domain == wanted).cloned().ok_or_else(|| {
            let hint = hint(&wanted, sites.iter().map(|site| &site.domain));
            AccountsError::Missing(format!("site {wanted}{hint}"))
        })
    }
}

pub(super) fn load_all(db: &Connection) -> Result<Vec<Site>, AccountsError> {
    load(db, "ORDER BY domain", [])
}

fn load(
    db: &Connection,
    rest: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<Site>, AccountsError> {
    let mut select = db.prepare_cached(&format!("SELECT {COLUMNS} FROM sites {rest}"))?;
    let mut rows = select.query(params)?;
    let mut sites = Vec::new();
    while let Some(row) = rows.next()? {
        sites.push(from_row(row)?);
    }
    Ok(sites)
}

fn from_row(row: &Row<'_>) -> Result<Site, AccountsError> {
    let (domain, timezone): (String, String) = (row.get(1)?, row.get(2)?);
    let damaged = |what: String| AccountsError::Damaged(format!("site {domain}: {what}"));
    let list = |column: usize| {
        let json: String = row.get(column)?;
        serde_json::from_str::<Vec<String>>(&json).map_err(|e| damaged(e.to_string()))
    };
    let addresses = list(4)?.iter().map(|a| IpNet::from_str(a)).collect::<Result<_, _>>();
    Ok(Site {
        id: SiteId(row.get(0)?),
        zone: Zone::named(&timezone).map_err(damaged)?,
        hostnames: list(3)?,
        excluded_addresses: addresses.map_err(|e| damaged(e.to_string()))?,
        excluded_countries: list(5)?,
        excluded_pages: list(6)?,
        respect_dnt: row.get(7)?,
        respect_gpc: row.get(8)?,
        retention_days: row.get(9)?,
        mark_data_centres: row.get(10)?,
        demo: row.get(11)?,
        domain,
        timezone,
    })
}

/// Writes a row: a new one if it has a time of creation. Returns the rows changed; 0: taken.
fn save(db: &Connection, site: &Site, created_ms: Option<i64>) -> rusqlite::Result<usize> {
    let list = |texts: &[String]| serde_json::Value::from(texts).to_string();
    let addresses: Vec<String> = site.excluded_addresses.iter().map(IpNet::to_string).collect();
    let sql = match created_ms {
        Some(_) => {
            "INSERT INTO sites (domain, timezone, hostnames, excluded_addresses,
                excluded_countries, excluded_pages, respect_dnt, respect_gpc, retention_days,
                mark_data_centres, demo, created)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING"
        }
        None => {
            "UPDATE sites SET timezone = ?2, hostnames = ?3, excluded_addresses = ?4,
                excluded_countries = ?5, excluded_pages = ?6, respect_dnt = ?7, respect_gpc = ?8,
                retention_days = ?9, mark_data_centres = ?10, demo = ?11
             WHERE domain = ?1 AND ?12 IS NULL"
        }
    };
    db.execute(
        sql,
        params![
            site.domain,
            site.timezone,
            list(&site.hostnames),
            list(&addresses),
            list(&site.excluded_countries),
            list(&site.excluded_pages),
            site.respect_dnt,
            site.respect_gpc,
            site.retention_days,
            site.mark_data_centres,
            site.demo,
            created_ms,
        ],
    )
}
