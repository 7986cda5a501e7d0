//! The sites as ingest sees them: an immutable snapshot, swapped whole when a setting changes. It is
//! made by `accounts` and read by `ingest` with no lock and no query.

use std::collections::HashMap;

use ipnet::IpNet;

use crate::hours::Zone;
use crate::tenant::SiteId;

/// One tracked site and the rules its owner set.
#[derive(Clone, Debug)]
pub struct Site {
    pub id: SiteId,
    /// As the tracker sends it: lower case, no scheme, no trailing dot.
    pub domain: String,
    pub zone: Zone,
    /// The IANA name of `zone`.
    pub timezone: String,
    /// Host names that may send events, such as `shop.example.org` or `*.example.net`; lower case.
    /// Empty: the domain and everything below it. Not empty: the domain, its `www.` and these.
    pub hostnames: Vec<String>,
    /// A site with made-up data, to look around in.
    pub demo: bool,
    /// Raw events are kept this many days.
    pub retention_days: u16,
    pub excluded_addresses: Vec<IpNet>,
    /// ISO 3166-1 alpha-2, upper case.
    pub excluded_countries: Vec<String>,
    /// Patterns for paths: `*` stands for any number of any characters.
    pub excluded_pages: Vec<String>,
    /// Drop events of browsers that send `DNT: 1`.
    pub respect_dnt: bool,
    /// Drop events of browsers that send `Sec-GPC: 1`.
    pub respect_gpc: bool,
    /// Leave events from data centres out of the reports (they are kept raw).
    pub mark_data_centres: bool,
}

impl Site {
    /// A site with default rules: UTC, nothing excluded.
    pub fn new(id: SiteId, domain: &str) -> Site {
        Site {
            id,
            domain: domain.trim_end_matches('.').to_ascii_lowercase(),
            zone: Zone::utc(),
            timezone: "UTC".to_owned(),
            hostnames: Vec::new(),
            demo: false,
            retention_days: crate::limits::RETENTION_DAYS,
            excluded_addresses: Vec::new(),
            excluded_countries: Vec::new(),
            excluded_pages: Vec::new(),
            respect_dnt: false,
            respect_gpc: false,
            mark_data_centres: false,
        }
    }
}

/// All sites.
#[derive(Clone, Debug, Default)]
pub struct SiteDirectory {
    by_domain: HashMap<String, Site>,
}

impl SiteDirectory {
    /// A directory of these sites. Of two with the same domain the later one counts.
    pub fn new(sites: impl IntoIterator<Item = Site>) -> SiteDirectory {
        let by_domain = sites.into_iter().map(|site| (site.domain.clone(), site)).collect();
        SiteDirectory { by_domain }
    }

    /// Finds a site by its domain, as sent by the tracker; case does not matter.
    pub fn by_domain(&self, domain: &str) -> Option<&Site> {
        if domain.bytes().any(|b| b.is_ascii_uppercase()) {
            return self.by_domain.get(&domain.to_ascii_lowercase());
        }
        self.by_domain.get(domain)
    }

    /// All sites, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Site> {
        self.by_domain.values()
    }
}

#[cfg(test)]
mod tests {
    use super::{Site, SiteDirectory};
    use crate::tenant::SiteId;

    #[test]
    fn a_site_is_found_by_its_domain_in_any_case() {
        let directory = SiteDirectory::new([Site::new(SiteId(7), "Example.org.")]);
        assert_eq!(directory.by_domain("example.ORG").map(|s| s.id), Some(SiteId(7)));
        assert!(directory.by_domain("example.com").is_none());
        assert_eq!(directory.iter().count(), 1);
    }
}
