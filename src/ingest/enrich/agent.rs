//! Browser, system and kind of device by user agent. Patterns: uap-core as shipped in `ua-parser`, read
//! by the `ua-parser` crate; a parse costs 4 µs, so the results are kept under a hash of the user
//! agent.

use std::borrow::Cow;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, LazyLock};

use quick_cache::sync::Cache;
use ua_parser::{os, user_agent};

use crate::event::{Bot, DeviceKind};
use crate::ingest::enrich::{bot, cut};
use crate::limits::AGENTS_MAX;

/// Longest name or version kept; some patterns copy a name out of the user agent.
const NAME_BYTES_MAX: usize = 40;

/// What a user agent says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::ingest) struct Agent {
    pub(in crate::ingest) browser: Cow<'static, str>,
    /// Major version.
    pub(in crate::ingest) browser_version: String,
    pub(in crate::ingest) os: Cow<'static, str>,
    /// Major version.
    pub(in crate::ingest) os_version: String,
    pub(in crate::ingest) kind: DeviceKind,
    pub(in crate::ingest) bot: Bot,
}

/// The parser and its memory. User agents themselves are not kept.
pub(in crate::ingest) struct Agents {
    cache: Cache<u64, Arc<Agent>>,
    hasher: RandomState,
}

struct Patterns {
    browsers: user_agent::Extractor<'static>,
    systems: os::Extractor<'static>,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let (mut browsers, mut systems) = (user_agent::Builder::new(), os::Builder::new());
    for line in lines_as_they_are(include_str!(concat!(env!("OUT_DIR"), "/agents.tsv"))) {
        let mut columns = line.split('\t');
        let sort = columns.next().unwrap_or("");
        let regex = Cow::Borrowed(columns.next().expect("every line has a pattern"));
        let mut next = || columns.next().filter(|text| !text.is_empty()).map(Cow::Borrowed);
        let (name, version) = (next(), next());
        if sort == "ua" {
            let parser = user_agent::Parser {
                regex,
                family_replacement: name,
                v1_replacement: version,
                ..Default::default()
            };
            browsers = browsers.push(parser).expect("the patterns in the source tree compile");
        } else {
            let parser = os::Parser {
                regex,
                os_replacement: name,
                os_v1_replacement: version,
                ..Default::default()
            };
            systems = systems.push(parser).expect("the patterns in the source tree compile");
        }
    }
    let browsers = browsers.build().expect("the patterns in the source tree compile");
    let systems = systems.build().expect("the patterns in the source tree compile");
    Patterns { browsers, systems }
});

/// A pattern may end in a blank that matters.
fn lines_as_they_are(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.lines().filter(|line| !line.starts_with('#') && !line.is_empty())
}

impl Agents {
    /// Compiles the patterns (about 0.2 s in a release build).
    pub(in crate::ingest) fn new() -> Agents {
        LazyLock::force(&PATTERNS);
        bot::classify("");
        Agents { cache: Cache::new(AGENTS_MAX), hasher: RandomState::new() }
    }

    /// Looks a user agent up.
    pub(in crate::ingest) fn find(&self, agent: &str) -> Arc<Agent> {
        let key = self.hasher.hash_one(agent);
        if let Some(known) = self.cache.get(&key) {
            return known;
        }
        let parsed = Arc::new(Agent::parse(agent));
        self.cache.insert(key, Arc::clone(&parsed));
        parsed
    }
}

impl Agent {
    fn parse(agent: &str) -> Agent {
        let browser = PATTERNS.browsers.extract(agent).unwrap_or_default();
        let system = PATTERNS.systems.extract(agent).unwrap_or_default();
        Agent {
            browser: browser_name(&browser.family),
            browser_version: version(browser.major),
            os: os_name(&system.os),
            os_version: version(system.major.as_deref()),
            kind: device_kind(agent),
            bot: bot::classify(agent),
        }
    }
}

fn version(text: Option<&str>) -> String {
    cut(text.unwrap_or(""), NAME_BYTES_MAX).to_owned()
}

/// One name for a browser on every device; engines inside apps keep the app's name.
fn browser_name(family: &str) -> Cow<'static, str> {
    Cow::Borrowed(match family {
        "Chrome Mobile" | "Chrome Mobile iOS" | "Chromium" => "Chrome",
        "Chrome Mobile WebView" => "Android WebView",
        "HeadlessChrome" => "Headless Chrome",
        "Mobile Safari" | "Mobile Safari UI/WKWebView" => "Safari",
        "Firefox Mobile" | "Firefox iOS" | "Firefox Focus" | "Firefox Klar" => "Firefox",
        "Edge Mobile" | "Edge (Chromium)" => "Edge",
        "Opera Mobile" | "Opera Coast" | "Opera Touch" => "Opera",
        "IE" | "IE Mobile" => "Internet Explorer",
        "Android" => "Android Browser",
        "QQ Browser Mobile" => "QQ Browser",
        "UC Browser Mobile" => "UC Browser",
        "Brave Mobile" => "Brave",
        "DuckDuckGo Mobile" => "DuckDuckGo",
        "Vivaldi Mobile" => "Vivaldi",
        "Amazon Silk" => "Silk",
        "MiuiBrowser" => "Miui Browser",
        "Google" | "GSA" => "Google App",
        "Other" | "" => "",
        other => return Cow::Owned(cut(other, NAME_BYTES_MAX).to_owned()),
    })
}

fn os_name(name: &str) -> Cow<'static, str> {
    Cow::Borrowed(match name {
        "Mac OS X" | "Mac OS" => "macOS",
        "ATV OS X" => "tvOS",
        "Android" => "Android",
        "iOS" => "iOS",
        "Windows" => "Windows",
        "Linux" => "Linux",
        "Web0S" => "webOS",
        "Other" | "" => "",
        other => return Cow::Owned(cut(other, NAME_BYTES_MAX).to_owned()),
    })
}

/// First match wins: what is rarer and says so plainly stands before what everything claims to be.
fn device_kind(agent: &str) -> DeviceKind {
    let has = |words: &[&str]| words.iter().any(|word| agent.contains(word));
    if has(&["PlayStation", "Xbox", "Nintendo"]) {
        DeviceKind::Console
    } else if is_tv(agent) {
        DeviceKind::Tv
    } else if has(&[
        "Apple Watch",
        "AppleWatch",
        "watchOS",
        "Wear OS",
        "Galaxy Watch",
        "SM-R8",
        "SM-R9",
    ]) {
        DeviceKind::Wearable
    } else if has(&["iPad", "PlayBook", "Kindle", "KFAPWI", "Nexus 7", "Nexus 9", "Nexus 10"])
        || (has(&["Tablet"]) && !has(&["Tablet PC"]))
    {
        DeviceKind::Tablet
    } else if has(&["iPhone", "iPod", "Windows Phone", "Opera Mini", "BlackBerry", "BB10", "KAIOS"])
    {
        DeviceKind::Mobile
    } else if has(&["Android"]) {
        // Android's browsers say `Mobile` on telephones and leave it out on tablets.
        if has(&["Mobile", "Mobi"]) { DeviceKind::Mobile } else { DeviceKind::Tablet }
    } else if has(&["Mobile", "MIDP", "Symbian"]) {
        DeviceKind::Mobile
    } else if has(&["Windows", "Macintosh", "X11", "Linux", "CrOS"]) {
        DeviceKind::Desktop
    } else {
        DeviceKind::Unknown
    }
}

fn is_tv(agent: &str) -> bool {
    const MARKS: [&str; 21] = [
        "SmartTV",
        "SMART-TV",
        "Smart-TV",
        "Smart TV",
        "SmartTv",
        "AppleTV",
        "Apple TV",
        "tvOS",
        "GoogleTV",
        "Google TV",
        "Android TV",
        "AndroidTV",
        "HbbTV",
        "NetCast",
        "Web0S",
        "BRAVIA",
        "Roku",
        "CrKey",
        "Opera TV",
        "VIERA",
        "Chromecast",
    ];
    // Fire TV sticks: AFT and a letter or more.
    let fire_tv = || {
        agent.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
            word.strip_prefix("AFT").is_some_and(|model| {
                !model.is_empty()
                    && model.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            })
        })
    };
    MARKS.iter().any(|mark| agent.contains(mark)) || fire_tv()
}

#[cfg(test)]
mod tests {
    use super::{Agent, Agents, lines_as_they_are};

    #[test]
    fn user_agents_are_read_as_expected() {
        for line in lines_as_they_are(include_str!("../data/agents_expected.tsv")) {
            let columns: Vec<&str> = line.split('\t').collect();
            let (agent, expected) = columns.split_last().unwrap();
            let parsed = Agent::parse(agent);
            let Agent { browser, browser_version, os, os_version, kind, .. } = &parsed;
            let found = [browser, browser_version.as_str(), os, os_version.as_str(), kind.as_str()];
            let found = found.iter().zip(expected).map(|(f, e)| if *e == "*" { "*" } else { f });
            assert_eq!(found.collect::<Vec<_>>(), expected, "{agent}");
        }
    }

    #[test]
    fn a_parse_is_remembered() {
        let agents = Agents::new();
        let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";
        let first = agents.find(agent);
        assert!(std::sync::Arc::ptr_eq(&first, &agents.find(agent)));
        assert_eq!(first.browser, "Firefox");
    }
}
