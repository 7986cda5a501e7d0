//! Events and segments for tests, different in every field.

use tallyhouse::drain::Batch;
use tallyhouse::event::row::Rows;
use tallyhouse::event::{
    Bot, Channel, Device, DeviceKind, Event, Place, Revenue, Screen, Stamp, Traffic, VisitorId,
};
use tallyhouse::hours::{Hour, Zone};
use tallyhouse::tenant::SiteId;

/// A segment as the log hands it over.
pub struct Segment {
    pub id: [u8; 16],
    pub first: Stamp,
    pub records: Vec<u8>,
}

impl Segment {
    pub fn batch(&self) -> Batch<'_> {
        Batch {
            id: self.id,
            hour: Hour::of_ms(self.first.ts_ms),
            first: self.first,
            records: &self.records,
        }
    }
}

/// An hour of some days ago, so that nothing expires under a test; the same for the whole run.
pub fn hour() -> Hour {
    static HOUR: std::sync::OnceLock<Hour> = std::sync::OnceLock::new();
    *HOUR.get_or_init(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Hour((now.as_secs() / 3600) as u32 - 72)
    })
}

/// A segment of `count` events of node 7 from `first_seq` on. `path` gives each its page.
pub fn segment(first_seq: u64, count: u64, path: impl Fn(u64) -> String) -> Segment {
    let mut rows = Rows::default();
    let stamp =
        |seq: u64| Stamp { ts_ms: hour().start_ms() + (seq % 3_600_000) as i64, node: 7, seq };
    for seq in first_seq..first_seq + count {
        push(&mut rows, stamp(seq), &path(seq));
    }
    let mut id = [0xa5; 16];
    id[..8].copy_from_slice(&first_seq.to_be_bytes());
    Segment { id, first: stamp(first_seq), records: rows.bytes().to_vec() }
}

fn push(rows: &mut Rows, stamp: Stamp, path: &str) {
    let mut visitor = [0; 16];
    visitor[..8].copy_from_slice(&(stamp.seq / 3).to_le_bytes());
    let zone = Zone::named("Asia/Kolkata").unwrap();
    let text = format!("ä{}", stamp.seq);
    rows.push(&Event {
        site: SiteId(1 + (stamp.seq % 3) as u32),
        stamp,
        local: zone.local(stamp.ts_ms),
        visitor: VisitorId(visitor),
        name: "pageview",
        interactive: true,
        hostname: "example.org",
        pathname: path,
        traffic: Traffic {
            source: "Google",
            referrer: "google.com/search",
            channel: Channel::OrganicSearch,
            utm: ["a", "b", "c", "d", &text],
        },
        place: Place { country: "DE", region: "DE-BE", city: "Berlin" },
        device: Device {
            browser: "Firefox",
            browser_version: "140",
            os: "Linux",
            os_version: "6",
            kind: DeviceKind::Desktop,
            screen: Screen::Laptop,
            language: "de",
        },
        engaged_ms: 1_234,
        scroll: 80,
        revenue: Some(Revenue { currency: "EUR", milli: -12_345 }),
        props: &[("plan", "pro"), ("size", &text)],
        bot: Bot::No,
        expires_day: u16::MAX,
    });
}
