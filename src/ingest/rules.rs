//! What a site's owner does not want counted, and what a report must not count.

use std::net::IpAddr;

use http::HeaderMap;

use crate::accounts::directory::Site;
use crate::event::Bot;
use crate::ingest::enrich::network::Network;
use crate::ingest::enrich::referrer::without_www;
use crate::ingest::reply::Dropped;

/// The privacy signals of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Signals {
    do_not_track: bool,
    privacy_control: bool,
}

impl Signals {
    pub(super) fn read(headers: &HeaderMap) -> Signals {
        let is_on = |name| headers.get(name).is_some_and(|value| value.as_bytes() == b"1");
        Signals { do_not_track: is_on("dnt"), privacy_control: is_on("sec-gpc") }
    }
}

/// What is known of a hit when the rules are asked.
#[derive(Clone, Copy)]
pub(super) struct Facts<'a> {
    pub(super) address: IpAddr,
    pub(super) signals: Signals,
    pub(super) country: &'a str,
    pub(super) hostname: &'a str,
    pub(super) pathname: &'a str,
}

/// Lets a hit pass, or says by which rule of the site it is dropped.
pub(super) fn pass(site: &Site, hit: &Facts<'_>) -> Result<(), Dropped> {
    if site.respect_dnt && hit.signals.do_not_track {
        return Err(Dropped::DoNotTrack);
    }
    if site.respect_gpc && hit.signals.privacy_control {
        return Err(Dropped::PrivacyControl);
    }
    if !is_hostname_of(site, hit.hostname) {
        return Err(Dropped::Hostname);
    }
    if site.excluded_addresses.iter().any(|net| net.contains(&hit.address)) {
        return Err(Dropped::Address);
    }
    if site.excluded_countries.iter().any(|country| country == hit.country) {
        return Err(Dropped::Country);
    }
    if site.excluded_pages.iter().any(|pattern| matches(pattern, hit.pathname)) {
        return Err(Dropped::Page);
    }
    Ok(())
}

/// Whether a page of this host may count for the site. With no list: the domain and everything
/// below it. With a list: the domain, its `www.`, and what the list names; `*.example.org` is what
/// stands below example.org, and `*` is every host.
pub(super) fn is_hostname_of(site: &Site, hostname: &str) -> bool {
    // A domain may have a path, as in `example.org/blog`: two sites on one host.
    let domain = site.domain.split('/').next().unwrap_or("");
    let (domain, bare) = (without_www(domain), without_www(hostname));
    if bare == domain {
        return true;
    }
    if site.hostnames.is_empty() {
        return is_below(hostname, domain);
    }
    site.hostnames.iter().any(|allowed| match allowed.strip_prefix("*.") {
        Some(parent) => is_below(hostname, parent),
        None => allowed == "*" || allowed == hostname,
    })
}

fn is_below(hostname: &str, parent: &str) -> bool {
    hostname.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.'))
}

/// Whether a referring host is the site itself, so that the visitor came from nowhere else.
pub(super) fn is_internal(site: &Site, page_host: &str, referrer_host: &str) -> bool {
    let everywhere = site.hostnames.iter().any(|allowed| allowed == "*");
    without_www(page_host) == without_www(referrer_host)
        || (!everywhere && is_hostname_of(site, referrer_host))
}

/// Why a hit is kept raw but not counted.
pub(super) fn mark(site: &Site, agent: Bot, network: Network, spam: bool) -> Bot {
    if agent != Bot::No {
        agent
    } else if spam {
        Bot::SpamReferrer
    } else if site.mark_data_centres && network == Network::DataCentre {
        Bot::DataCentre
    } else {
        Bot::No
    }
}

/// Whether a pattern covers the whole text; `*` stands for any characters, any number of them.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where the last star stands, and how much of the text it has eaten.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            star = Some((p, t));
            p += 1;
        } else if p < pattern.len() && pattern[p] == text[t] {
            p += 1;
            t += 1;
        } else if let Some((at, eaten)) = star {
            star = Some((at, eaten + 1));
            p = at + 1;
            t = eaten + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::{Facts, Signals, is_hostname_of, is_internal, mark, matches, pass};
    use crate::accounts::directory::Site;
    use crate::event::Bot;
    use crate::ingest::enrich::network::Network;
    use crate::ingest::reply::Dropped;
    use crate::tenant::SiteId;

    fn site(domain: &str, hostnames: &[&str]) -> Site {
        let hostnames = hostnames.iter().map(|h| (*h).to_owned()).collect();
        Site { hostnames, ..Site::new(SiteId(1), domain) }
    }

    #[test]
    fn hostnames() {
        for (domain, list, host, expected) in [
            ("example.org", &[][..], "example.org", true),
            ("example.org", &[], "www.example.org", true),
            ("example.org", &[], "a.b.example.org", true),
            ("example.org", &[], "notexample.org", false),
            ("example.org", &[], "example.org.evil.example", false),
            ("example.org", &[], "localhost", false),
            ("www.example.org", &[], "example.org", true),
            ("example.org/blog", &[], "example.org", true),
            ("example.org", &["shop.example.net"], "shop.example.net", true),
            ("example.org", &["shop.example.net"], "www.example.org", true),
            ("example.org", &["shop.example.net"], "a.example.org", false),
            ("example.org", &["*.example.net"], "a.b.example.net", true),
            ("example.org", &["*.example.net"], "example.net", false),
            ("rollup", &["*"], "anything.example", true),
        ] {
            assert_eq!(is_hostname_of(&site(domain, list), host), expected, "{domain} {host}");
        }
    }

    #[test]
    fn a_site_does_not_refer_to_itself() {
        let plain = site("example.org", &[]);
        assert!(is_internal(&plain, "www.example.org", "example.org"));
        assert!(is_internal(&plain, "example.org", "shop.example.org"));
        assert!(!is_internal(&plain, "example.org", "example.com"));
        let rollup = site("rollup", &["*"]);
        assert!(is_internal(&rollup, "a.example", "www.a.example"));
        assert!(!is_internal(&rollup, "a.example", "b.example"));
    }

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("/admin", "/admin", true),
            ("/admin", "/admin/x", false),
            ("/admin*", "/admin/x/y", true),
            ("/*/edit", "/a/b/edit", true),
            ("/*/edit", "/edit", false),
            ("*", "", true),
            ("**", "/x", true),
            ("", "", true),
            ("", "/", false),
            ("/a*b*c", "/a-b-b-c", true),
            ("/a*b*c", "/a-b-c-d", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
        // The classic trap of matchers that try every way.
        assert!(!matches(&"*a".repeat(50), &"a".repeat(2_000).replace('a', "b")));
    }

    #[test]
    fn each_rule_has_its_reason() {
        let headers = |name: &'static str, value: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().unwrap());
            Signals::read(&headers)
        };
        let hit = Facts {
            address: "198.51.100.7".parse().unwrap(),
            signals: Signals::default(),
            country: "DE",
            hostname: "example.org",
            pathname: "/admin/users",
        };
        let with = |change: fn(&mut Site)| {
            let mut site = site("example.org", &[]);
            change(&mut site);
            site
        };
        let strict = with(|s| (s.respect_dnt, s.respect_gpc) = (true, true));
        let dnt = Facts { signals: headers("dnt", "1"), ..hit };
        let gpc = Facts { signals: headers("sec-gpc", "1"), ..hit };
        assert_eq!(pass(&strict, &hit), Ok(()));
        assert_eq!(pass(&strict, &Facts { signals: headers("dnt", "0"), ..hit }), Ok(()));
        assert_eq!(pass(&strict, &dnt), Err(Dropped::DoNotTrack));
        assert_eq!(pass(&strict, &gpc), Err(Dropped::PrivacyControl));
        assert_eq!(pass(&with(|_| {}), &dnt), Ok(()));
        assert_eq!(pass(&with(|_| {}), &gpc), Ok(()));
        let excluded = |change| pass(&with(change), &hit);
        let address = excluded(|s| s.excluded_addresses = vec!["198.51.100.0/24".parse().unwrap()]);
        assert_eq!(address, Err(Dropped::Address));
        assert_eq!(excluded(|s| s.excluded_countries = vec!["DE".into()]), Err(Dropped::Country));
        assert_eq!(excluded(|s| s.excluded_countries = vec!["".into()]), Ok(()));
        assert_eq!(excluded(|s| s.excluded_pages = vec!["/admin/*".into()]), Err(Dropped::Page));
        assert_eq!(excluded(|s| s.domain = "other.example".into()), Err(Dropped::Hostname));
    }

    #[test]
    fn marks() {
        let mut site = site("example.org", &[]);
        assert_eq!(mark(&site, Bot::No, Network::DataCentre, false), Bot::No);
        site.mark_data_centres = true;
        assert_eq!(mark(&site, Bot::No, Network::DataCentre, false), Bot::DataCentre);
        assert_eq!(mark(&site, Bot::No, Network::Carrier, true), Bot::SpamReferrer);
        assert_eq!(mark(&site, Bot::Headless, Network::DataCentre, true), Bot::Headless);
    }
}
