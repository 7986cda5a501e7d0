//! Requests as browsers would send them: about a thousand user agents, addresses by
//! `X-Forwarded-For`, pages by popularity. Rendered before the clock starts, so that the generator
//! costs as little as it can of the machine it shares with the daemon.

use std::fmt::Write as _;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Sites the load is spread over: one site takes at most 25,000 events a second.
pub const SITES: usize = 8;

pub fn domain(site: usize) -> String {
    format!("soak{site}.example")
}

/// Whole requests, each of another visitor.
pub fn requests(seed: u64, count: usize, per_post: usize) -> Vec<Vec<u8>> {
    let mut rng = StdRng::seed_from_u64(seed);
    let agents = agents(&mut rng);
    (0..count)
        .map(|i| {
            let agent = &agents[rng.random_range(0..agents.len())];
            let site = i % SITES;
            let events: Vec<String> = (0..per_post).map(|_| view(&mut rng, site)).collect();
            let body =
                if per_post == 1 { events[0].clone() } else { format!("[{}]", events.join(",")) };
            post(&address(i as u32), agent, &body)
        })
        .collect()
}

/// A request with one custom event that carries `id`, to be found again in ClickHouse.
pub fn marked(rng: &mut StdRng, agent: &str, id: u64) -> Vec<u8> {
    let site = domain((id % SITES as u64) as usize);
    let body =
        format!(r#"{{"n":"Soak","u":"https://{site}/checkout","d":"{site}","p":{{"id":"{id}"}}}}"#);
    post(&address(rng.random_range(0..30_000)), agent, &body)
}

pub fn agents(rng: &mut StdRng) -> Vec<String> {
    (0..1000).map(|_| agent(rng)).collect()
}

fn agent(rng: &mut StdRng) -> String {
    let major = rng.random_range(96..140);
    const CHROME: &str = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome";
    const WEBKIT: &str = "AppleWebKit/605.1.15 (KHTML, like Gecko) Version";
    let build = rng.random_range(4000..7000);
    let (ios, minor) = (rng.random_range(14..19), rng.random_range(0..7));
    let form = match rng.random_range(0..10) {
        0..=3 => {
            format!("(Windows NT 10.0; Win64; x64) {CHROME}/{major}.0.{build}.0 Safari/537.36")
        }
        4..=5 => {
            let (android, phone) = (rng.random_range(9..15), rng.random_range(900..999));
            let device = format!("(Linux; Android {android}; SM-G{phone}B)");
            format!("{device} {CHROME}/{major}.0.0.0 Mobile Safari/537.36")
        }
        6..=7 => {
            let device = format!("(iPhone; CPU iPhone OS {ios}_{minor} like Mac OS X)");
            format!("{device} {WEBKIT}/{ios}.{minor} Mobile/15E148 Safari/604.1")
        }
        8 => {
            let device = format!("(Macintosh; Intel Mac OS X 10_15_{minor})");
            format!("{device} {WEBKIT}/{ios}.{minor} Safari/605.1.15")
        }
        _ => format!("(X11; Linux x86_64; rv:{major}.0) Gecko/20100101 Firefox/{major}.0"),
    };
    format!("Mozilla/5.0 {form}")
}

/// A page view of one of 200 pages, the first ones most often.
fn view(rng: &mut StdRng, site: usize) -> String {
    let page = (200.0 * rng.random::<f64>().powi(3)) as u32;
    let referrer = match rng.random_range(0..5) {
        0 => r#","r":"https://www.google.com/""#,
        1 => r#","r":"https://news.ycombinator.com/item?id=1""#,
        _ => "",
    };
    let tags = if rng.random_range(0..10) == 0 { "?utm_source=mail&utm_campaign=may" } else { "" };
    let site = domain(site);
    format!(
        r#"{{"n":"pageview","u":"https://{site}/docs/page-{page}{tags}","d":"{site}"{referrer}}}"#
    )
}

/// One of 2^22 public-looking addresses.
fn address(i: u32) -> String {
    let i = i.wrapping_mul(2_654_435_761) >> 10;
    format!("{}.{}.{}.{}", 62 + (i >> 20), (i >> 12) & 255, (i >> 4) & 255, 1 + (i & 15) * 15)
}

fn post(address: &str, agent: &str, body: &str) -> Vec<u8> {
    let mut out = String::with_capacity(400 + body.len());
    write!(
        out,
        "POST /api/event HTTP/1.1\r\nHost: t.example\r\nUser-Agent: {agent}\r\nX-Forwarded-For: {address}\r\n\
         Content-Type: text/plain\r\nAccept-Language: en-GB,en;q=0.9\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("writing to a string cannot fail");
    out.into_bytes()
}
