//! `tallyhouse site …`

use serde_json::json;

use super::table::table;
use super::{Exit, Failure, accounts, print, print_json};
use crate::accounts::{Actor, Site, SiteChange};
use crate::cli::{SiteCommand, SiteRules};
use crate::config::Config;

pub(super) fn run(config: &Config, command: SiteCommand) -> Result<(), Failure> {
    let accounts = accounts(config)?;
    match command {
        SiteCommand::Add { domain, rules } => {
            let site = accounts.add_site(Actor::CommandLine, &domain, &change(rules))?;
            let Site { domain, timezone, .. } = &site;
            print(&format!("added site {}: {domain}, time zone {timezone}\n", site.id.0))
        }
        SiteCommand::List { json } => {
            let sites = accounts.sites()?;
            match json {
                true => print_json(&sites.iter().map(as_json).collect()),
                false => {
                    let rows: Vec<_> = sites.iter().map(as_row).collect();
                    let header = ["ID", "DOMAIN", "TIME ZONE", "RAW EVENTS", "RULES"];
                    let none = "there are no sites; add one with `tallyhouse site add DOMAIN`";
                    print(&table(&header, &rows, none))
                }
            }
        }
        SiteCommand::Set { domain, rules } => {
            let site = accounts.site(&domain)?;
            let site = accounts.set_site(Actor::CommandLine, site.id, &change(rules))?;
            print(&format!("changed site {}: {}\n", site.id.0, site.domain))
        }
        SiteCommand::Rm { domain, yes } => {
            let site = accounts.site(&domain)?;
            if !yes {
                let message = format!("removing {domain} cannot be undone; add --yes to do it");
                return Err(Failure::new(Exit::Usage, message));
            }
            accounts.remove_site(Actor::CommandLine, site.id)?;
            print(&format!("removed site {}: {}\n", site.id.0, site.domain))
        }
    }
}

fn change(rules: SiteRules) -> SiteChange {
    SiteChange {
        timezone: rules.timezone,
        hostnames: rules.hostnames,
        excluded_addresses: rules.exclude_addresses,
        excluded_countries: rules.exclude_countries,
        excluded_pages: rules.exclude_pages,
        respect_dnt: rules.respect_dnt,
        respect_gpc: rules.respect_gpc,
        retention_days: rules.retention_days,
        mark_data_centres: rules.mark_data_centres,
        demo: None,
    }
}

fn as_row(site: &Site) -> Vec<String> {
    let lists = [
        ("hostnames", site.hostnames.len()),
        ("excluded addresses", site.excluded_addresses.len()),
        ("excluded countries", site.excluded_countries.len()),
        ("excluded pages", site.excluded_pages.len()),
    ];
    let switches = [
        ("demo", site.demo),
        ("DNT", site.respect_dnt),
        ("GPC", site.respect_gpc),
        ("data centres marked", site.mark_data_centres),
    ];
    let on = switches.iter().filter(|(_, on)| *on).map(|(name, _)| (*name).to_owned());
    let counts = lists.iter().filter(|(_, n)| *n > 0).map(|(name, n)| format!("{n} {name}"));
    let rules: Vec<String> = on.chain(counts).collect();
    vec![
        site.id.0.to_string(),
        site.domain.clone(),
        site.timezone.clone(),
        format!("{} days", site.retention_days),
        rules.join(", "),
    ]
}

fn as_json(site: &Site) -> serde_json::Value {
    let addresses: Vec<String> = site.excluded_addresses.iter().map(ToString::to_string).collect();
    json!({
        "id": site.id,
        "domain": site.domain,
        "timezone": site.timezone,
        "demo": site.demo,
        "hostnames": site.hostnames,
        "excluded_addresses": addresses,
        "excluded_countries": site.excluded_countries,
        "excluded_pages": site.excluded_pages,
        "respect_dnt": site.respect_dnt,
        "respect_gpc": site.respect_gpc,
        "retention_days": site.retention_days,
        "mark_data_centres": site.mark_data_centres,
    })
}
