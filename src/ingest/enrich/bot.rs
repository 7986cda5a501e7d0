//! Programs by their user agents. Data: `data/bots.txt`. Looked at once per user agent (`agent`
//! keeps the result), so the list may be long.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::event::Bot;
use crate::ingest::enrich::lines;

#[derive(Default)]
struct Rules {
    words: HashSet<&'static str>,
    endings: Vec<&'static str>,
    beginnings: Vec<&'static str>,
    parts: Vec<&'static str>,
    innocent: HashSet<&'static str>,
    headless: HashSet<&'static str>,
}

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    let mut rules = Rules::default();
    for line in lines(include_str!("../data/bots.txt")) {
        if let Some(words) = line.strip_prefix("headless:") {
            rules.headless.extend(words.split_whitespace());
        } else if let Some(word) = line.strip_prefix('!') {
            rules.innocent.insert(word);
        } else if let Some(ending) = line.strip_prefix('*') {
            rules.endings.push(ending);
        } else if let Some(beginning) = line.strip_suffix('*') {
            rules.beginnings.push(beginning);
        } else if line.bytes().all(|b| b.is_ascii_alphanumeric()) {
            rules.words.insert(line);
        } else {
            rules.parts.push(line.trim_matches('"'));
        }
    }
    rules
});

/// Whether this user agent is a program's, and of what sort.
pub(in crate::ingest) fn classify(agent: &str) -> Bot {
    let agent = agent.to_ascii_lowercase();
    let words = || agent.split(|c: char| !c.is_ascii_alphanumeric()).filter(|w| !w.is_empty());
    if words().any(|word| RULES.headless.contains(word)) {
        return Bot::Headless;
    }
    if words().any(is_bots_word) || RULES.parts.iter().any(|part| agent.contains(part)) {
        return Bot::UserAgent;
    }
    Bot::No
}

fn is_bots_word(word: &str) -> bool {
    let listed = RULES.words.contains(word)
        || RULES.endings.iter().any(|ending| word.ends_with(ending))
        || RULES.beginnings.iter().any(|beginning| word.starts_with(beginning));
    listed && !RULES.innocent.contains(word)
}

#[cfg(test)]
mod tests {
    use super::classify;
    use crate::ingest::enrich::lines;

    #[test]
    fn programs_are_told_from_people() {
        for line in lines(include_str!("../data/bots_expected.tsv")) {
            let (mark, agent) = line.split_once('\t').unwrap();
            assert_eq!(classify(agent).as_str(), mark.trim_matches('-'), "{agent}");
        }
    }
}
