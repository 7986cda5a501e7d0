//! Hits of the past, out of a web server's log: the same gate, rules and enrichment as live ones. The
//! address and the user agent end here, as they do in `decide` (I4).

use std::net::{IpAddr, Ipv4Addr};

use crate::accounts::directory::Site;
use crate::event::{Bot, Device, Event, Place, Stamp, Traffic, VisitorId};
use crate::ingest::enrich::agent::Agents;
use crate::ingest::enrich::channel::road;
use crate::ingest::enrich::geo::Geo;
use crate::ingest::enrich::referrer::Referrer;
use crate::ingest::enrich::url::Page;
use crate::ingest::{gate, rules};

/// The tables that turn a line of a log into an event.
pub struct Enricher {
    agents: Agents,
    places: Geo,
}

/// One page view as a log has it.
pub(crate) struct PastHit<'a> {
    /// An address, or a name where the server looked names up.
    pub(crate) address: &'a str,
    pub(crate) agent: &'a str,
    /// Absolute.
    pub(crate) url: &'a str,
    pub(crate) referrer: &'a str,
    pub(crate) stamp: Stamp,
    pub(crate) expires_day: u16,
    /// Keys the visitor hash.
    pub(crate) secret: &'a [u8; 32],
}

/// Why a hit of the past is not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotCounted {
    Junk,
    Bot,
    /// The page's address is too long, or none.
    Url,
    /// By a rule of the site.
    Excluded,
}

impl Enricher {
    /// Compiles the tables (about 0.2 s in a release build).
    pub fn new(places: Geo) -> Enricher {
        crate::ingest::enrich::sources::load();
        Enricher { agents: Agents::new(), places }
    }

    /// Gives the hit's event to `tell`, or says why it is none. Data-centre and spam rules are for
    /// live hits only: what a log counts must be told by the log and the list of bots alone.
    pub(crate) fn read(
        &self,
        site: &Site,
        hit: &PastHit<'_>,
        tell: impl FnOnce(&Event<'_>),
    ) -> Result<(), NotCounted> {
        let user_agent = hit.agent.trim();
        if !gate::is_browser_like(user_agent) {
            return Err(NotCounted::Junk);
        }
        let agent = self.agents.find(user_agent);
        if agent.bot != Bot::No {
            return Err(NotCounted::Bot);
        }
        let page = Page::parse(hit.url, false).map_err(|_| NotCounted::Url)?;
        let address: Option<IpAddr> = hit.address.parse().ok();
        let place = address.map_or_else(Place::default, |address| self.places.place(address));
        let facts = rules::Facts {
            address: address.unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
            signals: rules::Signals::default(),
            country: place.country,
            hostname: &page.hostname,
            pathname: &page.pathname,
        };
        rules::pass(site, &facts).map_err(|_| NotCounted::Excluded)?;
        let referrer = Referrer::parse(hit.referrer);
        let referrer = referrer.filter(|r| !rules::is_internal(site, &page.hostname, r.host()));
        let road = road(&page.tags, referrer.as_ref());
        let local = site.zone.local(hit.stamp.ts_ms);
        tell(&Event {
            site: site.id,
            stamp: hit.stamp,
            local,
            visitor: visitor(site, hit, local.day.0),
            name: "pageview",
            interactive: true,
            hostname: &page.hostname,
            pathname: &page.pathname,
            traffic: Traffic {
                source: road.source,
                referrer: referrer.as_ref().map_or("", Referrer::text),
                channel: road.channel,
                utm: std::array::from_fn(|at| &*page.tags.utm[at]),
            },
            place,
            device: Device {
                browser: &agent.browser,
                browser_version: &agent.browser_version,
                os: &agent.os,
                os_version: &agent.os_version,
                kind: agent.kind,
                ..Device::default()
            },
            engaged_ms: 0,
            scroll: 0,
            revenue: None,
            props: &[],
            bot: Bot::No,
            expires_day: hit.expires_day,
        });
        Ok(())
    }
}

/// The visitors of two days, and of two imports, have nothing in common.
fn visitor(site: &Site, hit: &PastHit<'_>, day: u16) -> VisitorId {
    let mut hash = blake3::Hasher::new_keyed(hit.secret);
    let (day, site) = (day.to_le_bytes(), site.id.0.to_le_bytes());
    for part in [&day[..], hit.address.as_bytes(), hit.agent.trim().as_bytes(), &site[..]] {
        hash.update(&(part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut visitor = [0; 16];
    visitor.copy_from_slice(&hash.finalize().as_bytes()[..16]);
    VisitorId(visitor)
}
