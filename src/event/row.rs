//! The bytes of an event: ClickHouse RowBinary, one append-only column list per schema version.
//!
//! ```text
//! record  = version u16le | length u32le | row
//! row     = the columns of the version, in order, each as RowBinary
//! ```
//! A record is encoded once, in `ingest`, and travels unchanged through the log into ClickHouse; the
//! drain only puts [`header`] in front. A released list is never edited: add `V2` behind it (I11).

use crate::event::{Event, Stamp};

/// The version this build writes.
pub const VERSION: u16 = 1;

/// Bytes in front of a row in the log.
pub const RECORD_HEAD_BYTES: usize = 6;

/// One column of `events`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    pub name: &'static str,
    /// As ClickHouse prints it.
    pub kind: &'static str,
}

const fn column(name: &'static str, kind: &'static str) -> Column {
    Column { name, kind }
}

/// Version 1.
pub const V1: &[Column] = &[
    column("site_id", "UInt32"),
    column("ts", "DateTime64(3, 'UTC')"),
    column("hour", "DateTime('UTC')"),
    column("day", "Date"),
    column("node", "UInt32"),
    column("seq", "UInt64"),
    column("visitor", "FixedString(16)"),
    column("name", "String"),
    column("interactive", "UInt8"),
    column("hostname", "String"),
    column("pathname", "String"),
    column("source", "String"),
    column("referrer", "String"),
    column("channel", "Int8"),
    column("utm_source", "String"),
    column("utm_medium", "String"),
    column("utm_campaign", "String"),
    column("utm_content", "String"),
    column("utm_term", "String"),
    column("country", "String"),
    column("region", "String"),
    column("city", "String"),
    column("browser", "String"),
    column("browser_version", "String"),
    column("os", "String"),
    column("os_version", "String"),
    column("device", "Int8"),
    column("screen", "Int8"),
    column("language", "String"),
    column("engaged_ms", "UInt32"),
    column("scroll", "UInt8"),
    column("currency", "String"),
    column("revenue_milli", "Int64"),
    column("props", "Map(String, String)"),
    column("bot", "Int8"),
    column("expires", "Date"),
];

/// The columns of a version, or nothing if this build does not know it.
pub fn columns(version: u16) -> Option<&'static [Column]> {
    match version {
        1 => Some(V1),
        _ => None,
    }
}

/// What stands in front of rows in `FORMAT RowBinaryWithNamesAndTypes`.
pub fn header(columns: &[Column]) -> Vec<u8> {
    let mut out = Writer(Vec::with_capacity(1024));
    out.varint(columns.len() as u64);
    columns.iter().for_each(|c| out.string(c.name));
    columns.iter().for_each(|c| out.string(c.kind));
    out.0
}

/// The encoded events of one request. Its bytes are private: only [`Rows::push`] writes them and
/// only the log reads them (I5).
#[derive(Debug, Default)]
pub struct Rows {
    bytes: Vec<u8>,
    count: u32,
}

impl Rows {
    /// Encodes one event behind the others.
    pub fn push(&mut self, event: &Event<'_>) {
        let at = self.bytes.len();
        self.bytes.extend_from_slice(&VERSION.to_le_bytes());
        self.bytes.extend_from_slice(&[0; 4]);
        let mut row = Writer(std::mem::take(&mut self.bytes));
        encode(&mut row, event);
        self.bytes = row.0;
        let length = (self.bytes.len() - at - RECORD_HEAD_BYTES) as u32;
        self.bytes[at + 2..at + 6].copy_from_slice(&length.to_le_bytes());
        self.count += 1;
    }

    /// How many events.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The records, one behind the other.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

fn encode(row: &mut Writer, e: &Event<'_>) {
    row.raw(&e.site.0.to_le_bytes());
    row.raw(&e.stamp.ts_ms.to_le_bytes());
    row.raw(&e.local.hour_s.to_le_bytes());
    row.raw(&e.local.day.0.to_le_bytes());
    row.raw(&e.stamp.node.to_le_bytes());
    row.raw(&e.stamp.seq.to_le_bytes());
    row.raw(&e.visitor.0);
    row.string(e.name);
    row.raw(&[u8::from(e.interactive)]);
    row.string(e.hostname);
    row.string(e.pathname);
    row.string(e.traffic.source);
    row.string(e.traffic.referrer);
    row.raw(&[e.traffic.channel as u8]);
    e.traffic.utm.iter().for_each(|tag| row.string(tag));
    row.string(e.place.country);
    row.string(e.place.region);
    row.string(e.place.city);
    row.string(e.device.browser);
    row.string(e.device.browser_version);
    row.string(e.device.os);
    row.string(e.device.os_version);
    row.raw(&[e.device.kind as u8, e.device.screen as u8]);
    row.string(e.device.language);
    row.raw(&e.engaged_ms.to_le_bytes());
    row.raw(&[e.scroll]);
    row.string(e.revenue.map_or("", |r| r.currency));
    row.raw(&e.revenue.map_or(0, |r| r.milli).to_le_bytes());
    row.varint(e.props.len() as u64);
    for (key, value) in e.props {
        row.string(key);
        row.string(value);
    }
    row.raw(&[e.bot as u8]);
    row.raw(&e.expires_day.to_le_bytes());
}

/// The row that commits with a block and proves that it is there: site 0, the block's hour, and the
/// block's id in place of a visitor. Readers never see it: no site has number 0.
pub fn marker(block: [u8; 16], stamp: Stamp, expires_day: u16) -> Vec<u8> {
    use crate::event::{Bot, Device, Place, Traffic, VisitorId};
    let zone = crate::hours::Zone::utc();
    let mut row = Writer(Vec::with_capacity(128));
    let event = Event {
        site: crate::tenant::SiteId(0),
        stamp,
        local: zone.local(stamp.ts_ms),
        visitor: VisitorId(block),
        name: "block",
        interactive: false,
        hostname: "",
        pathname: "",
        traffic: Traffic::default(),
        place: Place::default(),
        device: Device::default(),
        engaged_ms: 0,
        scroll: 0,
        revenue: None,
        props: &[],
        bot: Bot::No,
        expires_day,
    };
    encode(&mut row, &event);
    row.0
}

struct Writer(Vec<u8>);

impl Writer {
    fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn string(&mut self, text: &str) {
        self.varint(text.len() as u64);
        self.raw(text.as_bytes());
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
