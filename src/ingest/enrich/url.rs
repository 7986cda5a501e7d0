//! A page's address, taken apart: host, path, and of the query only what says where a visitor came
//! from. Everything else in the query, and the fragment, is dropped here and never stored.
//!
//! Browsers send addresses already in the form the URL standard gives them, so a plain scan is
//! enough for nearly all; anything unusual goes through the `url` crate.

use std::borrow::Cow;

use url::Url;

use crate::ingest::enrich::cut;
use crate::ingest::payload::Malformed;
use crate::limits::{NAME_BYTES_MAX, URL_BYTES_MAX};

/// Longest attribution tag kept; longer ones are cut.
const TAG_BYTES_MAX: usize = 200;

/// Parameters whose presence says that an advertisement was clicked, and whose.
const CLICK_IDS: [(&str, Click); 14] = [
    ("gclid", Click::GoogleAds),
    ("gbraid", Click::GoogleAds),
    ("wbraid", Click::GoogleAds),
    ("gad_source", Click::GoogleAds),
    ("dclid", Click::GoogleDisplay),
    ("msclkid", Click::MicrosoftAds),
    ("ttclid", Click::TikTokAds),
    ("twclid", Click::XAds),
    ("li_fat_id", Click::LinkedInAds),
    ("rdt_cid", Click::RedditAds),
    ("epik", Click::PinterestAds),
    ("sccid", Click::SnapchatAds),
    ("yclid", Click::YandexAds),
    ("fbclid", Click::Facebook),
];

/// Who put a click id on the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Click {
    GoogleAds,
    GoogleDisplay,
    MicrosoftAds,
    TikTokAds,
    XAds,
    LinkedInAds,
    RedditAds,
    PinterestAds,
    SnapchatAds,
    YandexAds,
    /// Facebook marks every link that leaves it, paid or not.
    Facebook,
}

/// What an address says about the road here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::ingest) struct Tags<'a> {
    /// utm_source, utm_medium, utm_campaign, utm_content, utm_term.
    pub(in crate::ingest) utm: [Cow<'a, str>; 5],
    /// `ref`, `source` or `via`, where there is no utm_source.
    pub(in crate::ingest) reference: Cow<'a, str>,
    pub(in crate::ingest) click: Option<Click>,
}

/// A page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Page<'a> {
    /// Lower case, no port, no trailing dot.
    pub(in crate::ingest) hostname: Cow<'a, str>,
    /// As the browser sent it; with `#/…` behind it in hash mode.
    pub(in crate::ingest) pathname: Cow<'a, str>,
    pub(in crate::ingest) tags: Tags<'a>,
}

impl<'a> Page<'a> {
    /// Takes an address apart.
    ///
    /// # Errors
    /// It is no absolute address with a host, or its host or path is too long.
    pub(in crate::ingest) fn parse(text: &'a str, hash_mode: bool) -> Result<Page<'a>, Malformed> {
        const NO_URL: Malformed =
            Malformed { field: "url", message: "must be an address like https://example.org/page" };
        const TOO_LONG: Malformed =
            Malformed { field: "url", message: "has a host over 120 or a path over 2000 bytes" };
        let parts = match Parts::scan(text) {
            Some(parts) => parts,
            None => Parts::reference(text).ok_or(NO_URL)?,
        };
        let mut pathname = parts.pathname;
        if hash_mode && let Some(route) = route(&parts.fragment) {
            pathname = Cow::Owned(format!("{pathname}#{route}"));
        }
        if parts.hostname.len() > NAME_BYTES_MAX || pathname.len() > URL_BYTES_MAX {
            return Err(TOO_LONG);
        }
        let tags = match parts.query {
            Cow::Borrowed(query) => Tags::read(query),
            Cow::Owned(query) => Tags::read(&query).into_owned(),
        };
        Ok(Page { hostname: parts.hostname, pathname, tags })
    }
}

/// The path inside a fragment, without a query of its own.
fn route(fragment: &str) -> Option<&str> {
    let end = fragment.find('?').unwrap_or(fragment.len());
    Some(&fragment[..end]).filter(|route| !route.is_empty())
}

struct Parts<'a> {
    hostname: Cow<'a, str>,
    pathname: Cow<'a, str>,
    query: Cow<'a, str>,
    fragment: Cow<'a, str>,
}

impl<'a> Parts<'a> {
    /// The plain scan; `None` if anything is unusual.
    fn scan(text: &'a str) -> Option<Parts<'a>> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        let host_end = rest.bytes().position(|b| matches!(b, b'/' | b'?' | b'#' | b':'));
        let (host, rest) = rest.split_at(host_end.unwrap_or(rest.len()));
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
        // A host whose last label starts with a digit may be an address in odd clothes; `xn--` may
        // be wrong punycode.
        let last = host.trim_end_matches('.').rsplit('.').next().unwrap_or("");
        let odd = last.is_empty() || last.as_bytes()[0].is_ascii_digit() || host.contains("xn--");
        if odd || !host.bytes().all(plain) || host.ends_with("..") {
            return None;
        }
        let rest = match rest.strip_prefix(':') {
            Some(rest) => {
                let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                let port = &rest[..digits];
                port.parse::<u16>().ok()?;
                Some(&rest[digits..]).filter(|r| r.is_empty() || r.starts_with(['/', '?', '#']))?
            }
            None => rest,
        };
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
        if !path.bytes().all(is_plain_in_path) || path.contains("/.") || has_escaped_dot(path) {
            return None;
        }
        if !query.bytes().chain(fragment.bytes()).all(|b| b.is_ascii_graphic()) {
            return None;
        }
        Some(Parts {
            hostname: host.strip_suffix('.').unwrap_or(host).into(),
            pathname: if path.is_empty() { "/" } else { path }.into(),
            query: query.into(),
            fragment: fragment.into(),
        })
    }

    /// The URL standard's reading.
    fn reference(text: &str) -> Option<Parts<'static>> {
        let url = Url::parse(text).ok()?;
        let host = url.host_str().filter(|host| !host.is_empty())?.to_ascii_lowercase();
        let path = if url.path().is_empty() { "/" } else { url.path() };
        Some(Parts {
            hostname: host.strip_suffix('.').unwrap_or(&host).to_owned().into(),
            pathname: path.to_owned().into(),
            query: url.query().unwrap_or("").to_owned().into(),
            fragment: url.fragment().unwrap_or("").to_owned().into(),
        })
    }
}

fn is_plain_in_path(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,;=:@%|[]".contains(&byte)
}

/// `%2e` may be half of a `..` for the URL standard.
fn has_escaped_dot(path: &str) -> bool {
    path.as_bytes().windows(3).any(|w| w[0] == b'%' && w[1] == b'2' && (w[2] | 0x20) == b'e')
}

impl<'a> Tags<'a> {
    fn read(query: &'a str) -> Tags<'a> {
        let mut tags = Tags::default();
        let mut reference_rank = usize::MAX;
        for pair in query.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            if value.is_empty() {
                continue;
            }
            const UTM: [&str; 5] = ["source", "medium", "campaign", "content", "term"];
            const REFERENCE: [&str; 3] = ["source", "ref", "via"];
            if let Some(rest) = name.strip_prefix("utm_") {
                if let Some(at) = UTM.iter().position(|tag| *tag == rest)
                    && tags.utm[at].is_empty()
                {
                    tags.utm[at] = decoded(value);
                }
            } else if let Some(rank) = REFERENCE.iter().position(|tag| *tag == name) {
                if rank < reference_rank {
                    (tags.reference, reference_rank) = (decoded(value), rank);
                }
            } else if let Some((_, click)) = CLICK_IDS.iter().find(|(id, _)| *id == name) {
                // An advertisement's id says more than the mark of every link.
                if tags.click.is_none_or(|known| known == Click::Facebook) {
                    tags.click = Some(*click);
                }
            }
        }
        tags
    }

    fn into_owned(self) -> Tags<'static> {
        let own = |text: Cow<'a, str>| Cow::Owned(text.into_owned());
        Tags { utm: self.utm.map(own), reference: own(self.reference), click: self.click }
    }
}

/// `a+b%20c` is `a b c`, without blanks around it, cut to the limit.
fn decoded(value: &str) -> Cow<'_, str> {
    if !value.bytes().any(|b| b == b'%' || b == b'+') {
        return Cow::Borrowed(cut(value, TAG_BYTES_MAX));
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        bytes.push(match (byte, escaped(after)) {
            (b'+', _) => b' ',
            (b'%', Some(byte)) => {
                rest = &after[2..];
                byte
            }
            _ => byte,
        });
    }
    let text = String::from_utf8_lossy(&bytes);
    Cow::Owned(cut(text.trim(), TAG_BYTES_MAX).to_owned())
}

fn escaped(after: &[u8]) -> Option<u8> {
    let digit = |at: usize| (*after.get(at)? as char).to_digit(16);
    Some((digit(0)? * 16 + digit(1)?) as u8)
}

#[cfg(test)]
mod tests;
