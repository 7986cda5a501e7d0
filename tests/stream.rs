//! Random traffic: several sites and zones, gaps around 30 minutes, visits over hours and midnights.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use tallyhouse::event::{Bot, Channel, DeviceKind, Screen, Stamp};
use tallyhouse::hours::{HOUR_MS, Hour, Zone};

use crate::reference::{Hit, Look};

/// Sites 1 to 7. Whole, half and quarter hours; both directions of daylight saving, by an hour and by
/// half an hour.
pub const ZONES: [&str; 7] = [
    "UTC",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Europe/Berlin",
    "America/St_Johns",
    "Pacific/Kiritimati",
];

/// Silences that matter: none, within an hour, and around the limit of a visit.
const GAPS_MS: &[i64] = &[
    0, 0, 1, 400, 9_000, 61_000, 400_000, 899_999, 900_000, 1_500_000, 1_799_999, 1_800_000,
    1_800_001, 1_900_000, 3_600_000, 7_300_000,
];

#[allow(clippy::print_stdout)] // a failure can then be repeated
pub fn seed() -> u64 {
    let seed = std::env::var("SEED").ok().and_then(|s| s.parse().ok()).unwrap_or_else(rand::random);
    println!("SEED={seed}");
    seed
}

/// Events of `hours` hours from `from` on, by about `visitors` people a site, sorted by time.
pub fn hits(seed: u64, from: Hour, hours: u32, visitors: u32) -> Vec<Hit> {
    let mut rng = SmallRng::seed_from_u64(seed);
    let zones = ZONES.map(|name| Zone::named(name).unwrap());
    let end_ms = from.start_ms() + i64::from(hours) * HOUR_MS;
    let mut hits = Vec::new();
    for (i, zone) in zones.iter().enumerate() {
        for person in 0..visitors {
            let mut ts_ms = from.start_ms() + rng.random_range(0..i64::from(hours) * HOUR_MS);
            // Often at the very edge of an hour.
            if rng.random_bool(0.3) {
                ts_ms = ts_ms / HOUR_MS * HOUR_MS + pick(&mut rng, &[-1, 0, 1, 1_800_000]);
            }
            let look = look(&mut rng);
            for _ in 0..rng.random_range(1..12) {
                if (from.start_ms()..end_ms).contains(&ts_ms) {
                    hits.push(hit(&mut rng, (i as u32 + 1, zone), (person, &look), ts_ms));
                }
                ts_ms += pick(&mut rng, GAPS_MS);
            }
        }
    }
    hits.sort_by_key(|h| h.stamp.ts_ms);
    for (seq, hit) in hits.iter_mut().enumerate() {
        hit.stamp.seq = seq as u64;
        hit.stamp.node = 1 + (seq % 2) as u32;
    }
    hits
}

fn hit(
    rng: &mut SmallRng,
    (site, zone): (u32, &Zone),
    (person, look): (u32, &Look),
    ts_ms: i64,
) -> Hit {
    let local = zone.local(ts_ms);
    let hash = format!("{site}/{person}/{}", local.day);
    let visitor = blake3::hash(hash.as_bytes()).as_bytes()[..16].try_into().unwrap();
    let names = ["pageview", "pageview", "pageview", "engagement", "Signup", "Purchase"];
    let name = pick(rng, &names).to_owned();
    let engagement = name == "engagement";
    let mut look = look.clone();
    if rng.random_bool(0.2) {
        look.source = pick(rng, &["Google", "Bing", ""]).to_owned(); // later events may differ
    }
    Hit {
        site,
        stamp: Stamp { ts_ms, node: 1, seq: 0 },
        local,
        visitor,
        interactive: rng.random_bool(0.7),
        pathname: format!("/{}", pick(rng, &["", "a", "b", "c", "Ärger", "%"])),
        look,
        engaged_ms: if engagement { rng.random_range(0..60_000) } else { 0 },
        scroll: if engagement { rng.random_range(0..=100) } else { 0 },
        revenue: (name == "Purchase" && rng.random_bool(0.7))
            .then(|| (pick(rng, &["EUR", "USD"]).to_owned(), rng.random_range(-5_000..90_000))),
        props: props(rng),
        bot: if rng.random_bool(0.05) { Bot::UserAgent } else { Bot::No },
        name,
    }
}

fn look(rng: &mut SmallRng) -> Look {
    let mut text = |all: &[&str]| pick(rng, all).to_owned();
    Look {
        hostname: text(&["example.org", "www.example.org"]),
        source: text(&["Google", "Hacker News", ""]),
        referrer: text(&["google.com/", "news.ycombinator.com/item", ""]),
        utm: [
            text(&["", "", "letter"]),
            text(&["", "mail"]),
            text(&["", "spring", "Frühling"]),
            text(&["", "top"]),
            text(&["", "shoes"]),
        ],
        place: [
            text(&["DE", "IN", ""]),
            text(&["DE-BE", "IN-KA", ""]),
            text(&["Berlin", "Pune", ""]),
        ],
        device: [
            text(&["Firefox", "Chrome", ""]),
            text(&["140", "141"]),
            text(&["Linux", "Android"]),
            text(&["6", ""]),
            text(&["de", "en", ""]),
        ],
        channel: pick(rng, Channel::ALL),
        kind: pick(rng, DeviceKind::ALL),
        screen: pick(rng, Screen::ALL),
    }
}

fn props(rng: &mut SmallRng) -> Vec<(String, String)> {
    let mut props = Vec::new();
    for key in ["plan", "size"] {
        if rng.random_bool(0.4) {
            props.push((key.to_owned(), pick(rng, &["pro", "free", ""]).to_owned()));
        }
    }
    props
}

fn pick<T: Copy>(rng: &mut SmallRng, all: &[T]) -> T {
    all[rng.random_range(0..all.len())]
}
