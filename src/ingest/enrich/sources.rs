//! Names for the hosts and tags by which sources are known. Data: `data/sources.txt`,
//! `data/spam.txt`.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::ingest::enrich::lines;

/// The kind of a source, as channels are told apart by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) enum Kind {
    Search,
    Social,
    Video,
    Shopping,
    Email,
    Ai,
    Audio,
    Sms,
    Push,
    Other,
}

/// A source with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Known {
    pub(in crate::ingest) name: &'static str,
    pub(in crate::ingest) kind: Kind,
}

struct Tables {
    hosts: HashMap<&'static str, Known>,
    /// Hosts with any country ending, by what stands before it.
    brands: HashMap<&'static str, Known>,
    words: HashMap<&'static str, Known>,
    spam: HashSet<&'static str>,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let spam = lines(include_str!("../data/spam.txt")).collect();
    let (hosts, brands, words) = (HashMap::new(), HashMap::new(), HashMap::new());
    let mut tables = Tables { hosts, brands, words, spam };
    for line in lines(include_str!("../data/sources.txt")) {
        let (key, known) = entry(line).expect("the list in the source tree is well formed");
        let table = match key.strip_prefix('=') {
            Some(_) => &mut tables.words,
            None if key.ends_with(".*") => &mut tables.brands,
            None => &mut tables.hosts,
        };
        let key = key.trim_start_matches('=').trim_end_matches(".*");
        let twice = table.insert(key, known);
        assert!(twice.is_none(), "`{key}` stands twice in the list");
    }
    tables
});

fn entry(line: &'static str) -> Option<(&'static str, Known)> {
    let (key, rest) = line.split_once(' ')?;
    let (kind, name) = rest.split_once(' ')?;
    let kind = match kind {
        "search" => Kind::Search,
        "social" => Kind::Social,
        "video" => Kind::Video,
        "shopping" => Kind::Shopping,
        "email" => Kind::Email,
        "ai" => Kind::Ai,
        "audio" => Kind::Audio,
        "sms" => Kind::Sms,
        "push" => Kind::Push,
        "other" => Kind::Other,
        _ => return None,
    };
    Some((key, Known { name, kind }))
}

/// Loads the tables now instead of at the first hit.
pub(in crate::ingest) fn load() {
    LazyLock::force(&TABLES);
}

/// The source behind a host, in lower case.
pub(in crate::ingest) fn by_host(host: &str) -> Option<Known> {
    parents(host).find_map(|host| {
        let known = TABLES.hosts.get(host).copied();
        known.or_else(|| brand(host).and_then(|brand| TABLES.brands.get(brand).copied()))
    })
}

/// `amazon` of `amazon.co.uk`, `google` of `google.de`.
fn brand(host: &str) -> Option<&str> {
    let (brand, ending) = host.split_once('.')?;
    let country_like = ending.split('.').all(|label| matches!(label.len(), 2 | 3));
    (country_like && ending.split('.').count() <= 2).then_some(brand)
}

/// The source behind the value of a tag such as utm_source.
pub(in crate::ingest) fn by_tag(tag: &str) -> Option<Known> {
    let tag = tag.to_ascii_lowercase();
    let known = TABLES.words.get(tag.as_str()).copied();
    known.or_else(|| by_host(&tag).filter(|_| tag.contains('.')))
}

/// Whether this host sends made-up visits.
pub(in crate::ingest) fn is_spam(host: &str) -> bool {
    parents(host).any(|host| TABLES.spam.contains(host))
}

/// `a.b.c`, `b.c`, `c`.
fn parents(host: &str) -> impl Iterator<Item = &str> {
    let hosts = std::iter::successors(Some(host), |host| host.split_once('.').map(|(_, up)| up));
    hosts.filter(|host| host.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::{Kind, by_host, by_tag, is_spam};

    #[test]
    fn the_longest_match_wins() {
        let name = |host: &str| by_host(host).map_or("", |known| known.name);
        assert_eq!(name("google.com"), "Google");
        assert_eq!(name("www.google.co.uk"), "Google");
        assert_eq!(name("mail.google.com"), "Gmail");
        assert_eq!(name("l.facebook.com"), "Facebook");
        assert_eq!(name("old.reddit.com"), "Reddit");
        assert_eq!(name("google.evil-example.com"), "");
        assert_eq!(name("notgoogle.com"), "");
        assert_eq!(name("amazon.com.br"), "Amazon");
        assert_eq!(name("com"), "");
        assert_eq!(name(""), "");
    }

    #[test]
    fn tags_are_words_or_hosts() {
        assert_eq!(by_tag("FB").map(|k| (k.name, k.kind)), Some(("Facebook", Kind::Social)));
        assert_eq!(by_tag("chatgpt.com").map(|k| k.kind), Some(Kind::Ai));
        assert_eq!(by_tag("news.ycombinator.com").map(|k| k.name), Some("Hacker News"));
        assert_eq!(by_tag("spring sale"), None);
    }

    #[test]
    fn spam_counts_with_everything_below_it() {
        assert!(is_spam("semalt.com") && is_spam("site5.semalt.com"));
        assert!(!is_spam("notsemalt.com") && !is_spam("example.org"));
    }
}
