//! What the made-up company's visitors are like: pages, sources, places, devices and hours, each with
//! a weight.

use crate::event::{Channel, DeviceKind, Screen};

/// Pages by popularity; the n-th is read about 1/n as often as the first.
pub(super) const PAGES: &[&str] = &[
    "/",
    "/pricing",
    "/features",
    "/docs",
    "/blog/counting-without-cookies",
    "/docs/quick-start",
    "/signup",
    "/blog",
    "/docs/tracker",
    "/about",
    "/blog/how-we-measure-speed",
    "/docs/events",
    "/features/privacy",
    "/docs/self-hosting",
    "/compare",
    "/changelog",
    "/docs/api",
    "/blog/a-year-in-numbers",
    "/features/funnels",
    "/docs/import",
    "/customers",
    "/contact",
    "/docs/goals",
    "/blog/why-one-binary",
    "/docs/reverse-proxy",
    "/careers",
    "/docs/backup",
    "/blog/utc-hours",
    "/security",
    "/docs/users",
    "/features/rollups",
    "/docs/docker",
    "/blog/small-trackers",
    "/docs/upgrade",
    "/privacy",
    "/docs/metrics",
    "/blog/fsync-and-friends",
    "/terms",
    "/imprint",
    "/docs/faq",
];

/// Index in [`PAGES`] of the page that got popular for two days.
pub(super) const SPIKE_PAGE: usize = 4;

/// Where visits come from.
pub(super) struct Origin {
    pub(super) weight: u32,
    pub(super) source: &'static str,
    pub(super) referrer: &'static str,
    pub(super) channel: Channel,
    pub(super) utm: [&'static str; 5],
}

const fn plain(weight: u32, names: [&'static str; 2], channel: Channel) -> Origin {
    Origin { weight, source: names[0], referrer: names[1], channel, utm: [""; 5] }
}

const fn tagged(
    weight: u32,
    source: &'static str,
    channel: Channel,
    utm: [&'static str; 5],
) -> Origin {
    Origin { weight, source, referrer: "", channel, utm }
}

pub(super) const ORIGINS: &[Origin] = &[
    plain(300, ["", ""], Channel::Direct),
    plain(260, ["Google", "google.com"], Channel::OrganicSearch),
    plain(34, ["Bing", "bing.com"], Channel::OrganicSearch),
    plain(38, ["DuckDuckGo", "duckduckgo.com"], Channel::OrganicSearch),
    plain(12, ["Ecosia", "ecosia.org/search"], Channel::OrganicSearch),
    plain(45, ["GitHub", "github.com/topics/analytics"], Channel::Referral),
    plain(36, ["Hacker News", "news.ycombinator.com/item"], Channel::OrganicSocial),
    plain(30, ["Reddit", "reddit.com/r/selfhosted"], Channel::OrganicSocial),
    plain(18, ["LinkedIn", "linkedin.com/feed"], Channel::OrganicSocial),
    plain(14, ["YouTube", "youtube.com/watch"], Channel::OrganicVideo),
    plain(26, ["ChatGPT", "chatgpt.com"], Channel::AiAssistants),
    plain(11, ["Perplexity", "perplexity.ai"], Channel::AiAssistants),
    plain(9, ["notes.example", "notes.example/self-hosted-tools"], Channel::Referral),
    plain(7, ["weekly.example", "weekly.example/issues/118"], Channel::Referral),
    tagged(55, "newsletter", Channel::Email, ["newsletter", "email", "monthly-letter", "", ""]),
    tagged(24, "newsletter", Channel::Email, ["newsletter", "email", "release-2", "button", ""]),
    tagged(
        42,
        "Google",
        Channel::PaidSearch,
        ["google", "cpc", "brand", "text-a", "web analytics"],
    ),
    tagged(
        21,
        "Google",
        Channel::PaidSearch,
        ["google", "cpc", "brand", "text-b", "self-hosted analytics"],
    ),
    tagged(
        15,
        "LinkedIn",
        Channel::PaidSocial,
        ["linkedin", "paid_social", "privacy-first", "", ""],
    ),
    tagged(
        8,
        "partner.example",
        Channel::Affiliates,
        ["partner.example", "affiliate", "autumn", "", ""],
    ),
];

/// Index in [`ORIGINS`] of the source of the spike.
pub(super) const SPIKE_ORIGIN: usize = 6;

/// Country, its preferred language, its weight, and cities with their regions.
pub(super) struct Country {
    pub(super) weight: u32,
    pub(super) code: &'static str,
    pub(super) language: &'static str,
    /// Region and city, the larger ones first.
    pub(super) cities: &'static [(&'static str, &'static str)],
}

const fn country(
    weight: u32,
    names: [&'static str; 2],
    cities: &'static [(&'static str, &'static str)],
) -> Country {
    Country { weight, code: names[0], language: names[1], cities }
}

pub(super) const COUNTRIES: &[Country] = &[
    country(
        250,
        ["US", "en"],
        &[
            ("California", "San Francisco"),
            ("New York", "New York"),
            ("Washington", "Seattle"),
            ("Texas", "Austin"),
            ("Illinois", "Chicago"),
            ("Massachusetts", "Boston"),
        ],
    ),
    country(
        190,
        ["DE", "de"],
        &[
            ("Berlin", "Berlin"),
            ("Bavaria", "Munich"),
            ("Hamburg", "Hamburg"),
            ("North Rhine-Westphalia", "Cologne"),
            ("Saxony", "Leipzig"),
        ],
    ),
    country(
        90,
        ["GB", "en"],
        &[("England", "London"), ("England", "Manchester"), ("Scotland", "Edinburgh")],
    ),
    country(70, ["FR", "fr"], &[("Île-de-France", "Paris"), ("Auvergne-Rhône-Alpes", "Lyon")]),
    country(60, ["NL", "nl"], &[("North Holland", "Amsterdam"), ("Utrecht", "Utrecht")]),
    country(
        55,
        ["IN", "en"],
        &[("Karnataka", "Bengaluru"), ("Maharashtra", "Mumbai"), ("Delhi", "New Delhi")],
    ),
    country(45, ["CA", "en"], &[("Ontario", "Toronto"), ("Quebec", "Montreal")]),
    country(40, ["CH", "de"], &[("Zurich", "Zurich"), ("Geneva", "Geneva")]),
    country(38, ["AT", "de"], &[("Vienna", "Vienna"), ("Styria", "Graz")]),
    country(35, ["ES", "es"], &[("Madrid", "Madrid"), ("Catalonia", "Barcelona")]),
    country(32, ["SE", "sv"], &[("Stockholm County", "Stockholm")]),
    country(30, ["PL", "pl"], &[("Mazovia", "Warsaw"), ("Lesser Poland", "Krakow")]),
    country(28, ["BR", "pt"], &[("São Paulo", "São Paulo")]),
    country(25, ["JP", "ja"], &[("Tokyo", "Tokyo"), ("Osaka", "Osaka")]),
    country(22, ["AU", "en"], &[("New South Wales", "Sydney"), ("Victoria", "Melbourne")]),
    country(12, ["", ""], &[("", "")]),
];

/// Browser, operating system and device that go together.
pub(super) struct Machine {
    pub(super) weight: u32,
    pub(super) browser: &'static str,
    pub(super) browser_versions: &'static [&'static str],
    pub(super) os: &'static str,
    pub(super) os_versions: &'static [&'static str],
    pub(super) kind: DeviceKind,
    pub(super) screens: &'static [Screen],
}

const CHROME: &[&str] = &["141", "140", "139", "138"];
const FIREFOX: &[&str] = &["144", "143", "140"];
const SAFARI: &[&str] = &["26", "18", "17"];
const LARGE: &[Screen] = &[Screen::Desktop, Screen::Laptop, Screen::Desktop];
const SMALL: &[Screen] = &[Screen::Mobile];

macro_rules! machine {
    ($weight:literal, $browser:literal $browser_versions:expr, $os:literal $os_versions:expr, $kind:ident $screens:expr) => {
        Machine {
            weight: $weight,
            browser: $browser,
            browser_versions: $browser_versions,
            os: $os,
            os_versions: &$os_versions,
            kind: DeviceKind::$kind,
            screens: $screens,
        }
    };
}

pub(super) const MACHINES: &[Machine] = &[
    machine!(250, "Chrome" CHROME, "Windows" ["11", "10"], Desktop LARGE),
    machine!(130, "Chrome" CHROME, "Mac OS X" ["15", "14"], Desktop LARGE),
    machine!(90, "Safari" SAFARI, "Mac OS X" ["15", "14"], Desktop LARGE),
    machine!(80, "Firefox" FIREFOX, "Linux" [""], Desktop LARGE),
    machine!(55, "Firefox" FIREFOX, "Windows" ["11", "10"], Desktop LARGE),
    machine!(45, "Edge" CHROME, "Windows" ["11"], Desktop LARGE),
    machine!(30, "Chrome" CHROME, "Linux" [""], Desktop LARGE),
    machine!(170, "Mobile Safari" SAFARI, "iOS" ["26", "18", "17"], Mobile SMALL),
    machine!(140, "Chrome Mobile" CHROME, "Android" ["16", "15", "14"], Mobile SMALL),
    machine!(20, "Samsung Internet" &["28", "27"], "Android" ["15", "14"], Mobile SMALL),
    machine!(30, "Mobile Safari" SAFARI, "iOS" ["26", "18"], Tablet &[Screen::Tablet, Screen::Laptop]),
];

/// Weight of each hour of a working day, and of a day off.
pub(super) const WORKDAY: [u32; 24] =
    [14, 10, 8, 7, 8, 12, 22, 38, 58, 72, 78, 74, 66, 70, 78, 80, 76, 66, 52, 44, 42, 38, 30, 20];
/// See [`WORKDAY`].
pub(super) const DAY_OFF: [u32; 24] =
    [20, 15, 11, 9, 8, 9, 13, 20, 30, 40, 47, 50, 50, 49, 50, 51, 52, 53, 54, 56, 57, 52, 42, 30];
