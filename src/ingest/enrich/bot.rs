//! Programs by their user agents. Data: `data/bots.txt`. Looked at once per user agent (`agent` keeps
//! the result), so the list may be long.

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
    use crate::event::Bot;

    #[test]
    fn programs() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0; +https://openai.com/bot",
            "Mozilla/5.0 (compatible; ClaudeBot/1.0; +claudebot@anthropic.com)",
            "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
            "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
            "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Twitterbot/1.0 like Gecko",
            "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
            "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
            "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
            "TelegramBot (like TwitterBot)",
            "WhatsApp/2.23.20.0 A",
            "Mozilla/5.0 (compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)",
            "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0.0.0 Safari/537.36 Chrome-Lighthouse",
            "Mozilla/5.0 (compatible; Bytespider; spider-feedback@bytedance.com)",
            "Baiduspider+(+http://www.baidu.com/search/spider.htm)",
            "Sogou web spider/4.0(+http://www.sogou.com/docs/help/webmasters.htm#07)",
            "DuckDuckBot/1.1; (+http://duckduckgo.com/duckduckbot.html)",
            "Mozilla/5.0 (Macintosh) AppleWebKit/600 Safari/600 (Applebot/0.1)",
            "curl/8.12.1 (x86_64-pc-linux-gnu)",
            "python-requests/2.32.3",
            "Python/3.12 aiohttp/3.9.5",
            "Go-http-client/2.0 fetching",
            "axios/1.7.2 on node 22",
            "Wget/1.21.4 (linux-gnu)",
            "Java/17.0.9 runtime library",
            "okhttp/4.12.0 for android",
            "PostmanRuntime/7.39.0",
            "node-fetch/1.0 (+https://github.com/bitinn/node-fetch)",
            "Scrapy/2.11.2 (+https://scrapy.org)",
            "GuzzleHttp/7 curl-less",
            "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org/book/nse.html)",
            "Feedly/1.0 (+http://www.feedly.com/fetcher.html; like FeedFetcher-Google)",
            "CCBot/2.0 (https://commoncrawl.org/faq/)",
            "Mozilla/5.0 (compatible; PerplexityBot/1.0; +https://perplexity.ai/perplexitybot)",
            "meta-externalagent/1.1 (+https://developers.facebook.com/docs/sharing/webmasters/crawler)",
        ] {
            assert_eq!(classify(agent), Bot::UserAgent, "{agent}");
        }
    }

    #[test]
    fn automated_browsers() {
        for agent in [
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/125.0.0.0 Safari/537.36",
            "Mozilla/5.0 (Unknown; Linux x86_64) AppleWebKit/538.1 (KHTML, like Gecko) PhantomJS/2.1.1 Safari/538.1",
            "Mozilla/5.0 (linux) AppleWebKit/537.36 (KHTML, like Gecko) jsdom/20.0.3",
        ] {
            assert_eq!(classify(agent), Bot::Headless, "{agent}");
        }
    }

    #[test]
    fn people_are_not_taken_for_programs() {
        for agent in [
            "Mozilla/5.0 (Linux; Android 11; CUBOT X50) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Linux; U; Android 5.1; CUBOT_NOTE_S Build/LMY47I) AppleWebKit/537.36 Chrome/58.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 [FBAN/FBIOS;FBAV/465.0.0.39.103;FBDV/iPhone14,5]",
            "Mozilla/5.0 (Linux; Android 14; SM-S911B Build/UP1A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/125.0 Mobile Safari/537.36 Instagram 333.0.0.42.91 Android",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) GSA/317.0.634488990 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 DuckDuckGo/7 Safari/605.1.15",
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36 [Pinterest/Android]",
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0",
            "Opera/9.80 (J2ME/MIDP; Opera Mini/8.0/191.274; U; en) Presto/2.12 Version/12.16",
            "Mozilla/5.0 (Linux; Android 9; AFTMM Build/PS7633) AppleWebKit/537.36 (KHTML, like Gecko) Silk/120.1 like Chrome/120.0 Safari/537.36",
        ] {
            assert_eq!(classify(agent), Bot::No, "{agent}");
        }
    }
}
