//! What a site's settings must look like; each problem says what would do.

use std::str::FromStr;

use ipnet::IpNet;

use super::{AccountsError, Site, SiteChange};
use crate::config::hint;
use crate::hours::Zone;

/// Most entries of one list of a site.
const LIST_MAX: usize = 1_000;
const RETENTION_DAYS_MAX: u16 = 3_650;

/// Changes the settings that are named, or none.
pub(super) fn apply(site: &mut Site, change: &SiteChange) -> Result<(), AccountsError> {
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

pub(super) fn checked_domain(domain: &str) -> Result<String, AccountsError> {
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
