//! An event: one accepted hit, ready to be a row. It holds no address and no user agent; those end
//! in `ingest` (I4). [`row`] is its only encoding.

use crate::hours::LocalTime;
use crate::tenant::SiteId;

pub mod row;

/// A salted daily hash of (address, user agent, site): the most that is ever kept of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VisitorId(pub [u8; 16]);

/// Where and when an event entered the log; (node, seq) is its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// Admission time, in milliseconds.
    pub ts_ms: i64,
    /// The ingest node (or import) that took it.
    pub node: u32,
    /// Rises with each event of the node, across restarts.
    pub seq: u64,
}

/// One accepted hit. Text is already cut to its limits.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    pub site: SiteId,
    pub stamp: Stamp,
    pub local: LocalTime,
    pub visitor: VisitorId,
    /// `pageview`, `engagement`, or the name of a custom event.
    pub name: &'a str,
    /// False for a custom event that must not end a bounce.
    pub interactive: bool,
    pub hostname: &'a str,
    pub pathname: &'a str,
    pub traffic: Traffic<'a>,
    pub place: Place<'a>,
    pub device: Device<'a>,
    /// Visible time reported by an engagement event, in milliseconds.
    pub engaged_ms: u32,
    /// Deepest scroll, in percent of the page (0 to 100).
    pub scroll: u8,
    pub revenue: Option<Revenue<'a>>,
    pub props: &'a [(&'a str, &'a str)],
    pub bot: Bot,
    /// The day after which the raw row may go.
    pub expires_day: u16,
}

/// Where a hit came from.
#[derive(Clone, Debug, Default)]
pub struct Traffic<'a> {
    /// Source name, such as `Google`; empty for direct.
    pub source: &'a str,
    /// Referring host and path, without scheme and query.
    pub referrer: &'a str,
    pub channel: Channel,
    /// utm_source, utm_medium, utm_campaign, utm_content, utm_term.
    pub utm: [&'a str; 5],
}

/// Where a visitor is, as far as GeoIP knows.
#[derive(Clone, Debug, Default)]
pub struct Place<'a> {
    /// ISO 3166-1 alpha-2, or empty.
    pub country: &'a str,
    pub region: &'a str,
    pub city: &'a str,
}

/// What a visitor uses.
#[derive(Clone, Debug, Default)]
pub struct Device<'a> {
    pub browser: &'a str,
    /// Major version.
    pub browser_version: &'a str,
    pub os: &'a str,
    /// Major version.
    pub os_version: &'a str,
    pub kind: DeviceKind,
    pub screen: Screen,
    /// ISO 639-1 code of the preferred language, or empty.
    pub language: &'a str,
}

/// Money of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revenue<'a> {
    /// ISO 4217 code.
    pub currency: &'a str,
    /// Thousandths of the currency's unit.
    pub milli: i64,
}

/// Declares an append-only vocabulary. Its numbers are persisted as Int8: an Enum8 would change the
/// column's type, and with it every logged header, whenever a member is added.
macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $number:literal $text:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(i8)]
        pub enum $name { #[default] $($variant = $number,)+ }
        impl $name {
            /// Every member, in the order of its number.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];
            /// The name on screens, in metrics and in ClickHouse.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }
            /// SQL that turns the numbers of `column` into names.
            pub fn names_sql(column: &str) -> String {
                let numbers = [$(stringify!($number),)+].join(", ");
                let names = [$(concat!("'", $text, "'"),)+].join(", ");
                format!("transform({column}, [{numbers}]::Array(Int8), [{names}], '')")
            }
        }
    };
}

vocabulary! {
    /// The public GA4/Plausible channel groups.
    Channel {
        Direct = 0 "Direct",
        OrganicSearch = 1 "Organic Search",
        PaidSearch = 2 "Paid Search",
        OrganicSocial = 3 "Organic Social",
        PaidSocial = 4 "Paid Social",
        OrganicVideo = 5 "Organic Video",
        PaidVideo = 6 "Paid Video",
        OrganicShopping = 7 "Organic Shopping",
        PaidShopping = 8 "Paid Shopping",
        PaidOther = 9 "Paid Other",
        Display = 10 "Display",
        Email = 11 "Email",
        Affiliates = 12 "Affiliates",
        Referral = 13 "Referral",
        AiAssistants = 14 "AI Assistants",
        CrossNetwork = 15 "Cross-network",
        Audio = 16 "Audio",
        Sms = 17 "SMS",
        MobilePush = 18 "Mobile Push Notifications",
    }
}

vocabulary! {
    /// The class of a device.
    DeviceKind {
        Unknown = 0 "",
        Desktop = 1 "Desktop",
        Mobile = 2 "Mobile",
        Tablet = 3 "Tablet",
        Tv = 4 "TV",
        Console = 5 "Console",
        Wearable = 6 "Wearable",
    }
}

vocabulary! {
    /// The class of a viewport's width in CSS pixels: below 576, 992, 1440, and above.
    Screen {
        Unknown = 0 "",
        Mobile = 1 "Mobile",
        Tablet = 2 "Tablet",
        Laptop = 3 "Laptop",
        Desktop = 4 "Desktop",
    }
}

vocabulary! {
    /// Why an event is kept raw but left out of every rollup.
    Bot {
        No = 0 "",
        UserAgent = 1 "user_agent",
        DataCentre = 2 "data_centre",
        Headless = 3 "headless",
        SpamReferrer = 4 "spam_referrer",
    }
}
