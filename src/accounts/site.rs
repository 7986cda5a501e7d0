//! Sites and their settings. A domain and a time zone are checked here, once; the directory holds
//! the result.

use std::str::FromStr;

use ipnet::IpNet;
use rusqlite::{Connection, Row, params};

use super::{Accounts, AccountsError, Actor, Site, audit};
use crate::config::hint;
use crate::hours::Zone;
use crate::tenant::SiteId;

/// Most entries of one list of a site.
const LIST_MAX: usize = 1_000;
const RETENTION_DAYS_MAX: u16 = 3_650;

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

fn apply(site: &mut Site, change: &SiteChange) -> Result<(), AccountsError> {
    if let Some(name) = &change.timezone {
        site.timezone = checked_zone(name)?;
        site.zone =
            Zone::named(&site.timezone).map_err(|e| AccountsError::invalid("timezone", e))?;
    }
    if let Some(texts) = &change.hostnames {
        site.hostnames = checked_list("hostnames", texts, |t| match t.strip_prefix("*.") {
            Some(rest) => Ok(format!("*.{}", checked_host(rest)?)),
            None => checked_host(t),
        })?;
    }
    if let Some(texts) = &change.excluded_addresses {
        site.excluded_addresses = checked_list("excluded_addresses", texts, network)?;
    }
    if let Some(texts) = &change.excluded_countries {
        site.excluded_countries = checked_list("excluded_countries", texts, country)?;
    }
    if let Some(texts) = &change.excluded_pages {
        site.excluded_pages = checked_list("excluded_pages", texts, page)?;
    }
    if let Some(days) = change.retention_days {
        if !(1..=RETENTION_DAYS_MAX).contains(&days) {
            let problem = format!("{days} is out of range; use 1 to {RETENTION_DAYS_MAX} days");
            return Err(AccountsError::invalid("retention_days", problem));
        }
        site.retention_days = days;
    }
    site.respect_dnt = change.respect_dnt.unwrap_or(site.respect_dnt);
    site.respect_gpc = change.respect_gpc.unwrap_or(site.respect_gpc);
    site.mark_data_centres = change.mark_data_centres.unwrap_or(site.mark_data_centres);
    site.demo = change.demo.unwrap_or(site.demo);
    Ok(())
}

/// The zone's name as the IANA spells it.
fn checked_zone(name: &str) -> Result<String, AccountsError> {
    let name = name.trim();
    let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.to_string()).collect();
    known.iter().find(|zone| zone.eq_ignore_ascii_case(name)).cloned().ok_or_else(|| {
        let hint = match hint(name, &known) {
            hint if hint.is_empty() => "; use an IANA name such as Europe/Berlin or UTC".to_owned(),
            hint => hint,
        };
        AccountsError::invalid("timezone", format!("`{name}` is not a time zone{hint}"))
    })
}

fn checked_domain(domain: &str) -> Result<String, AccountsError> {
    checked_host(domain).map_err(|problem| AccountsError::invalid("domain", problem))
}

/// A host name in lower case; names in other scripts in their ASCII form.
fn checked_host(text: &str) -> Result<String, String> {
    let text = text.trim().trim_end_matches('.');
    let bare = text.rsplit_once("://").map_or(text, |(_, rest)| rest);
    let bare = bare.split(['/', ':', '?', '#']).next().unwrap_or(bare);
    if bare != text {
        return Err(format!("`{text}` is not a domain; use only the name: `{bare}`"));
    }
    match url::Host::parse(text) {
        Ok(url::Host::Domain(name)) if name.len() <= 253 && name.bytes().all(is_host_byte) => {
            Ok(name)
        }
        _ => Err(format!("`{text}` is not a domain name such as example.org")),
    }
}

fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.' | b'_')
}

fn network(text: &str) -> Result<IpNet, String> {
    let network = IpNet::from_str(text).ok();
    network
        .or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
        .map(|n| n.trunc())
        .ok_or_else(|| format!("`{text}` is not an address or network such as 192.0.2.0/24"))
}

fn country(text: &str) -> Result<String, String> {
    match text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic()) {
        true => Ok(text.to_ascii_uppercase()),
        false => Err(format!("`{text}` is not a country code of two letters such as DE")),
    }
}

fn page(text: &str) -> Result<String, String> {
    match text.starts_with(['/', '*']) && text.len() <= crate::limits::URL_BYTES_MAX {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not a path such as /admin/* (`*` stands for anything)")),
    }
}

/// Checks each entry; empty ones are skipped, so that one empty text clears the list.
fn checked_list<T>(
    field: &'static str,
    texts: &[String],
    check: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, AccountsError> {
    let texts: Vec<&str> = texts.iter().map(|t| t.trim()).filter(|t| !t.is_empty()).collect();
    if texts.len() > LIST_MAX {
        return Err(AccountsError::invalid(field, format!("more than {LIST_MAX} entries")));
    }
    let checked = texts.into_iter().map(check).collect::<Result<_, _>>();
    checked.map_err(|problem| AccountsError::invalid(field, problem))
}
