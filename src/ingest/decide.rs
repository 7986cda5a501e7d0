//! The phases of one post, from headers and body to encoded rows. No waiting, so the client's
//! address and user agent cannot outlive it.

use std::net::IpAddr;
use std::sync::Arc;

use http::header::ACCEPT_LANGUAGE;

use crate::accounts::directory::Site;
use crate::event::row::Rows;
use crate::event::{Bot, Device, Event, Place, Stamp, Traffic};
use crate::ingest::client::ClientIp;
use crate::ingest::enrich::agent::Agent;
use crate::ingest::enrich::channel::road;
use crate::ingest::enrich::network::Network;
use crate::ingest::enrich::referrer::Referrer;
use crate::ingest::enrich::url::Page;
use crate::ingest::enrich::{Language, screen, sources};
use crate::ingest::identity::NoKey;
use crate::ingest::payload::{self, Malformed, Payload};
use crate::ingest::reply::{self, Outcome, Refused, Reply};
use crate::ingest::rules::{self, Facts, Signals};
use crate::ingest::seen::SeenId;
use crate::ingest::{Hit, Ingest, Tables, gate};
use crate::limits::EVENTS_PER_POST_MAX;
use crate::wal::Admission;

const DEBUG_REQUEST: &str = "x-debug-request";

/// What a post comes to.
pub(super) enum Decision {
    Answer(Reply),
    Append(Batch),
}

/// Rows for the log, and what to answer once they are durable.
pub(super) struct Batch {
    pub(super) admission: Admission,
    pub(super) rows: Rows,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) listed: bool,
    /// Event ids to forget if the rows are certainly not stored.
    pub(super) claims: Vec<SeenId>,
}

/// Who sends: the same for all events of a post.
struct Sender<'a> {
    client: ClientIp,
    user_agent: &'a str,
    agent: Arc<Agent>,
    network: Network,
    signals: Signals,
    place: Place<'a>,
    language: Language,
    now_ms: i64,
    /// A question what would happen; nothing is remembered.
    debug: bool,
}

impl Sender<'_> {
    fn address(&self) -> IpAddr {
        self.client.address()
    }
}

/// One event as sent, its addresses taken apart.
struct Item<'a> {
    payload: &'a Payload<'a>,
    page: Page<'a>,
    referrer: Option<Referrer<'a>>,
}

/// One event of one site that will be kept.
struct Ready<'a> {
    site: &'a Site,
    item: &'a Item<'a>,
    /// Only another site's.
    referrer: Option<&'a Referrer<'a>>,
    bot: Bot,
    claim: Option<SeenId>,
}

impl<'a> Item<'a> {
    fn read(payload: &'a Payload<'a>) -> Result<Item<'a>, Malformed> {
        let page = Page::parse(&payload.url, payload.hash_mode)?;
        Ok(Item { payload, page, referrer: Referrer::parse(&payload.referrer) })
    }

    fn domains(&self) -> impl Iterator<Item = &str> {
        self.payload.domain.split(',').map(str::trim).filter(|domain| !domain.is_empty())
    }
}

impl Ingest {
    pub(super) fn decide(&self, hit: &Hit<'_>) -> Decision {
        let refuse = |outcome: Outcome| {
            reply::count(&[outcome]);
            Decision::Answer(Reply::not_stored(&[outcome], false))
        };
        let tables = self.tables();
        let sender = match self.sender(hit, &tables) {
            Ok(sender) => sender,
            Err(outcome) => return refuse(outcome),
        };
        match payload::parse(&hit.body) {
            Ok(post) => self.decide_post(&post, &sender, &tables),
            Err(fault) => refuse(Outcome::Refused(Refused::Malformed(fault))),
        }
    }

    /// Gate and address limit, then what the headers tell.
    fn sender<'a>(&self, hit: &Hit<'a>, tables: &'a Tables) -> Result<Sender<'a>, Outcome> {
        let headers = hit.headers;
        let user_agent = gate::pass(headers).map_err(Outcome::Dropped)?;
        let client = ClientIp::find(hit.peer, headers, &self.trusted_proxies);
        let network = tables.networks.of(client.address());
        // A carrier's gateway is counted for each site, which the body names.
        if network != Network::Carrier {
            self.limits.address(&client).map_err(limited)?;
        }
        let language = headers.get(ACCEPT_LANGUAGE).map_or(&b""[..], |value| value.as_bytes());
        Ok(Sender {
            place: tables.places.place(client.address()),
            client,
            user_agent,
            agent: self.agents.find(user_agent),
            network,
            signals: Signals::read(headers),
            language: Language::preferred(language),
            now_ms: self.clock.now_ms(),
            debug: headers.get(DEBUG_REQUEST).is_some_and(|value| value == "true"),
        })
    }

    fn decide_post(
        &self,
        post: &payload::Post<'_>,
        sender: &Sender<'_>,
        tables: &Tables,
    ) -> Decision {
        let sent = post.events.iter().map(|event| event.as_ref().map_err(|fault| *fault));
        let items: Vec<_> = sent.map(|event| event.and_then(Item::read)).collect();
        let (mut outcomes, mut ready) = (Vec::with_capacity(items.len()), Vec::new());
        for item in &items {
            match item {
                Ok(item) => self.judge(sender, tables, item, &mut |verdict| match verdict {
                    Ok(event) => {
                        outcomes.push(Outcome::Kept(event.bot));
                        ready.push(event);
                    }
                    Err(outcome) => outcomes.push(outcome),
                }),
                Err(fault) => outcomes.push(Outcome::Refused(Refused::Malformed(*fault))),
            }
        }
        // A list of domains is answered as a list too.
        let listed = post.listed || outcomes.len() > 1;
        if sender.debug {
            let address = sender.client.for_the_client_itself();
            return Decision::Answer(Reply::debug(address, sender.place.country, &outcomes));
        }
        reply::count(&outcomes);
        if ready.is_empty() {
            return Decision::Answer(Reply::not_stored(&outcomes, listed));
        }
        let claims = ready.iter().filter_map(|event| event.claim).collect();
        match self.encode(&ready, sender) {
            Some((admission, rows)) => {
                Decision::Append(Batch { admission, rows, outcomes, listed, claims })
            }
            None => Decision::Answer(self.not_taken(claims)),
        }
    }

    /// Asks every site that an event names.
    fn judge<'a>(
        &self,
        sender: &Sender<'_>,
        tables: &'a Tables,
        item: &'a Item<'a>,
        tell: &mut impl FnMut(Result<Ready<'a>, Outcome>),
    ) {
        const NO_DOMAIN: Malformed = Malformed { field: "domain", message: "is missing" };
        const MANY_DOMAINS: Malformed =
            Malformed { field: "domain", message: "names too many sites; name at most 10" };
        let refused = |fault| Err(Outcome::Refused(Refused::Malformed(fault)));
        match item.domains().take(EVENTS_PER_POST_MAX + 1).count() {
            0 => tell(refused(NO_DOMAIN)),
            count if count > EVENTS_PER_POST_MAX => tell(refused(MANY_DOMAINS)),
            _ => {
                for domain in item.domains() {
                    let unknown = Outcome::Refused(Refused::UnknownSite);
                    let site = tables.directory.by_domain(domain).ok_or(unknown);
                    tell(site.and_then(|site| self.judge_for(site, sender, item)));
                }
            }
        }
    }

    /// Limits, rules, marks, repeats: of one event for one site.
    fn judge_for<'a>(
        &self,
        site: &'a Site,
        sender: &Sender<'_>,
        item: &'a Item<'a>,
    ) -> Result<Ready<'a>, Outcome> {
        if sender.network == Network::Carrier {
            self.limits.carrier(&sender.client, site.id).map_err(limited)?;
        }
        self.limits.site(site.id).map_err(limited)?;
        let facts = Facts {
            address: sender.address(),
            signals: sender.signals,
            country: sender.place.country,
            hostname: &item.page.hostname,
            pathname: &item.page.pathname,
        };
        rules::pass(site, &facts).map_err(Outcome::Dropped)?;
        let from_elsewhere = |referrer: &&Referrer<'_>| {
            !rules::is_internal(site, &item.page.hostname, referrer.host())
        };
        let referrer = item.referrer.as_ref().filter(from_elsewhere);
        let spam = referrer.is_some_and(|referrer| sources::is_spam(referrer.host()));
        let bot = rules::mark(site, sender.agent.bot, sender.network, spam);
        let claim = match &item.payload.id {
            Some(id) if !sender.debug => {
                let claim = self.seen.claim(site.id, id, sender.now_ms);
                Some(claim.ok_or(Outcome::Dropped(reply::Dropped::Duplicate))?)
            }
            _ => None,
        };
        Ok(Ready { site, item, referrer, bot, claim })
    }

    /// Takes the time and encodes. `None`: the log takes nothing now, or the clock is far off.
    fn encode(&self, ready: &[Ready<'_>], sender: &Sender<'_>) -> Option<(Admission, Rows)> {
        let count = u32::try_from(ready.len()).expect("a post holds few events");
        let admission = self.wal.admit(count).ok()?;
        let mut rows = Rows::default();
        for (event, index) in ready.iter().zip(0..) {
            self.push(&mut rows, event, sender, admission.stamp(index)).ok()?;
        }
        Some((admission, rows))
    }

    fn push(
        &self,
        rows: &mut Rows,
        event: &Ready<'_>,
        sender: &Sender<'_>,
        stamp: Stamp,
    ) -> Result<(), NoKey> {
        let (site, payload, page) = (event.site, event.item.payload, &event.item.page);
        let local = site.zone.local(stamp.ts_ms);
        let address = sender.client.octets();
        let visitor =
            self.identity.visitor(site.id, local.day, address.as_bytes(), sender.user_agent)?;
        let road = road(&page.tags, event.referrer);
        let props: Vec<(&str, &str)> = payload.props.iter().map(|(k, v)| (&**k, &**v)).collect();
        let agent = &*sender.agent;
        rows.push(&Event {
            site: site.id,
            stamp,
            local,
            visitor,
            name: &payload.name,
            interactive: payload.interactive,
            hostname: &page.hostname,
            pathname: &page.pathname,
            traffic: Traffic {
                source: road.source,
                referrer: event.referrer.map_or("", Referrer::text),
                channel: road.channel,
                utm: std::array::from_fn(|at| &*page.tags.utm[at]),
            },
            place: sender.place.clone(),
            device: Device {
                browser: &agent.browser,
                browser_version: &agent.browser_version,
                os: &agent.os,
                os_version: &agent.os_version,
                kind: agent.kind,
                screen: screen(payload.width),
                language: sender.language.as_str(),
            },
            engaged_ms: payload.engaged_ms,
            scroll: payload.scroll,
            revenue: payload.revenue.as_ref().map(payload::Money::revenue),
            props: &props,
            bot: event.bot,
            expires_day: local.day.0.saturating_add(site.retention_days),
        });
        Ok(())
    }
}

fn limited(limited: crate::ingest::limit::Limited) -> Outcome {
    Outcome::Refused(Refused::Limited { retry_after_s: limited.retry_after_s })
}
