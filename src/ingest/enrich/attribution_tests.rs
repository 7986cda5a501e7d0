//! Source and channel of visits as they come: what browsers send as referrer, and how links are
//! tagged.

use crate::event::Channel::{self, *};
use crate::ingest::enrich::channel::road;
use crate::ingest::enrich::referrer::Referrer;
use crate::ingest::enrich::url::Page;

/// Referrer, query of the landing page, source, channel.
type Case = (&'static str, &'static str, &'static str, Channel);

#[track_caller]
fn check(cases: &[Case]) {
    for (referrer, query, source, channel) in cases {
        let url = format!("https://example.org/landing?{query}");
        let page = Page::parse(&url, false).unwrap();
        let referrer = Referrer::parse(referrer);
        let road = road(&page.tags, referrer.as_ref());
        assert_eq!((road.source, road.channel), (*source, *channel), "{referrer:?} ?{query}");
    }
}

#[test]
fn direct() {
    check(&[
        ("", "", "", Direct),
        ("", "page=2&lang=de", "", Direct),
        ("about:blank", "", "", Direct),
        ("file:///home/me/index.html", "", "", Direct),
        ("", "utm_source=", "", Direct),
    ]);
}

#[test]
fn search() {
    check(&[
        ("https://www.google.com/", "", "Google", OrganicSearch),
        ("https://www.google.de/", "", "Google", OrganicSearch),
        ("https://www.google.co.uk/search?q=x", "", "Google", OrganicSearch),
        ("https://www.google.com.br/", "", "Google", OrganicSearch),
        ("android-app://com.google.android.googlequicksearchbox/", "", "Google", OrganicSearch),
        ("https://images.google.com/", "", "Google", OrganicSearch),
        ("https://www.bing.com/", "", "Bing", OrganicSearch),
        ("https://cn.bing.com/", "", "Bing", OrganicSearch),
        ("https://duckduckgo.com/", "", "DuckDuckGo", OrganicSearch),
        ("https://html.duckduckgo.com/", "", "DuckDuckGo", OrganicSearch),
        ("https://search.yahoo.com/", "", "Yahoo!", OrganicSearch),
        ("https://r.search.yahoo.com/", "", "Yahoo!", OrganicSearch),
        ("https://fr.search.yahoo.com/", "", "Yahoo!", OrganicSearch),
        ("https://search.yahoo.co.jp/", "", "Yahoo!", OrganicSearch),
        ("https://yandex.ru/", "", "Yandex", OrganicSearch),
        ("https://yandex.com.tr/", "", "Yandex", OrganicSearch),
        ("https://ya.ru/", "", "Yandex", OrganicSearch),
        ("https://www.baidu.com/link?url=x", "", "Baidu", OrganicSearch),
        ("https://m.baidu.com/", "", "Baidu", OrganicSearch),
        ("https://www.ecosia.org/", "", "Ecosia", OrganicSearch),
        ("https://www.qwant.com/", "", "Qwant", OrganicSearch),
        ("https://www.startpage.com/", "", "Startpage", OrganicSearch),
        ("https://search.brave.com/", "", "Brave", OrganicSearch),
        ("https://kagi.com/", "", "Kagi", OrganicSearch),
        ("https://search.seznam.cz/", "", "Seznam", OrganicSearch),
        ("https://search.naver.com/", "", "Naver", OrganicSearch),
        ("https://m.search.naver.com/", "", "Naver", OrganicSearch),
        ("https://www.sogou.com/", "", "Sogou", OrganicSearch),
        ("", "utm_source=google&utm_medium=organic", "Google", OrganicSearch),
        ("", "utm_source=gmb&utm_medium=organic", "gmb", OrganicSearch),
    ]);
}

#[test]
fn paid_search() {
    check(&[
        ("https://www.google.com/", "gclid=Cj0KCQ", "Google", PaidSearch),
        ("", "gclid=Cj0KCQ", "Google", PaidSearch),
        ("", "gbraid=0AAAA", "Google", PaidSearch),
        ("", "wbraid=Cj", "Google", PaidSearch),
        ("", "gad_source=1&gclid=Cj0", "Google", PaidSearch),
        ("https://www.bing.com/", "msclkid=9f", "Bing", PaidSearch),
        ("", "msclkid=9f", "Bing", PaidSearch),
        ("", "yclid=123", "Yandex", PaidSearch),
        ("https://www.google.com/", "utm_source=google&utm_medium=cpc", "Google", PaidSearch),
        ("", "utm_source=Google&utm_medium=PPC", "Google", PaidSearch),
        ("", "utm_source=bing&utm_medium=cpc&utm_campaign=brand", "Bing", PaidSearch),
        ("", "utm_source=adwords&utm_medium=paid", "Google", PaidSearch),
        (
            "https://duckduckgo.com/",
            "utm_source=ddg&utm_medium=paidsearch",
            "DuckDuckGo",
            PaidSearch,
        ),
        ("", "utm_source=partner&utm_medium=cpc&gclid=x", "partner", PaidSearch),
    ]);
}

#[test]
fn social() {
    check(&[
        ("https://www.facebook.com/", "", "Facebook", OrganicSocial),
        ("https://l.facebook.com/", "fbclid=IwAR", "Facebook", OrganicSocial),
        ("https://lm.facebook.com/l.php", "", "Facebook", OrganicSocial),
        ("https://m.facebook.com/", "", "Facebook", OrganicSocial),
        ("", "fbclid=IwAR", "Facebook", OrganicSocial),
        ("android-app://com.facebook.katana/", "", "Facebook", OrganicSocial),
        ("https://l.instagram.com/", "", "Instagram", OrganicSocial),
        ("https://www.threads.net/", "", "Threads", OrganicSocial),
        ("https://t.co/abc", "", "X", OrganicSocial),
        ("https://x.com/", "", "X", OrganicSocial),
        ("https://twitter.com/somebody", "", "X", OrganicSocial),
        ("https://www.linkedin.com/", "", "LinkedIn", OrganicSocial),
        ("https://lnkd.in/x", "", "LinkedIn", OrganicSocial),
        ("android-app://com.linkedin.android/", "", "LinkedIn", OrganicSocial),
        ("https://www.reddit.com/r/rust/", "", "Reddit", OrganicSocial),
        ("https://old.reddit.com/", "", "Reddit", OrganicSocial),
        ("https://out.reddit.com/", "", "Reddit", OrganicSocial),
        ("https://www.pinterest.com/", "", "Pinterest", OrganicSocial),
        ("https://www.pinterest.co.uk/", "", "Pinterest", OrganicSocial),
        ("https://www.tiktok.com/", "", "TikTok", OrganicSocial),
        ("https://bsky.app/", "", "Bluesky", OrganicSocial),
        ("https://go.bsky.app/", "", "Bluesky", OrganicSocial),
        ("https://mastodon.social/@a", "", "Mastodon", OrganicSocial),
        ("https://news.ycombinator.com/", "", "Hacker News", OrganicSocial),
        ("https://lobste.rs/", "", "Lobsters", OrganicSocial),
        ("https://away.vk.com/", "", "VK", OrganicSocial),
        ("https://www.quora.com/", "", "Quora", OrganicSocial),
        ("https://t.me/", "", "Telegram", OrganicSocial),
        ("android-app://org.telegram.messenger/", "", "Telegram", OrganicSocial),
        ("https://web.whatsapp.com/", "", "WhatsApp", OrganicSocial),
        ("https://discord.com/", "", "Discord", OrganicSocial),
        ("https://www.producthunt.com/", "ref=producthunt", "Product Hunt", OrganicSocial),
        ("https://stackoverflow.com/questions/1", "", "Stack Overflow", OrganicSocial),
        ("", "ref=hn", "Hacker News", OrganicSocial),
        ("", "utm_source=ig&utm_medium=social", "Instagram", OrganicSocial),
        ("", "utm_source=buffer&utm_medium=social", "buffer", OrganicSocial),
        ("", "utm_source=x.com", "X", OrganicSocial),
        ("", "utm_source=hootsuite&utm_medium=Social-Media", "hootsuite", OrganicSocial),
    ]);
}

#[test]
fn paid_social() {
    check(&[
        ("https://l.facebook.com/", "utm_source=facebook&utm_medium=cpc", "Facebook", PaidSocial),
        ("", "utm_source=fb&utm_medium=paid", "Facebook", PaidSocial),
        ("", "utm_source=ig&utm_medium=paidsocial", "Instagram", PaidSocial),
        ("", "utm_source=meta&utm_medium=paid_social&fbclid=x", "Facebook", PaidSocial),
        ("", "utm_source=agency&utm_medium=paid-social", "agency", PaidSocial),
        ("", "utm_source=linkedin&utm_medium=retargeting", "LinkedIn", PaidSocial),
        ("", "ttclid=E.C.P", "TikTok", PaidSocial),
        ("", "twclid=2-x", "X", PaidSocial),
        ("", "li_fat_id=x", "LinkedIn", PaidSocial),
        ("", "rdt_cid=5", "Reddit", PaidSocial),
        ("", "epik=dj0y", "Pinterest", PaidSocial),
    ]);
}

#[test]
fn assistants() {
    check(&[
        ("https://chatgpt.com/", "", "ChatGPT", AiAssistants),
        ("https://chatgpt.com/", "utm_source=chatgpt.com", "ChatGPT", AiAssistants),
        ("", "utm_source=chatgpt.com", "ChatGPT", AiAssistants),
        ("https://chat.openai.com/", "", "ChatGPT", AiAssistants),
        ("https://www.perplexity.ai/", "", "Perplexity", AiAssistants),
        ("https://claude.ai/", "", "Claude", AiAssistants),
        ("https://gemini.google.com/", "", "Gemini", AiAssistants),
        ("https://copilot.microsoft.com/", "", "Copilot", AiAssistants),
        ("https://chat.deepseek.com/", "", "DeepSeek", AiAssistants),
        ("https://chat.mistral.ai/", "", "Le Chat", AiAssistants),
        ("https://grok.com/", "", "Grok", AiAssistants),
    ]);
}

#[test]
fn video_audio_and_shops() {
    check(&[
        ("https://www.youtube.com/", "", "YouTube", OrganicVideo),
        ("https://m.youtube.com/", "", "YouTube", OrganicVideo),
        ("https://youtu.be/x", "", "YouTube", OrganicVideo),
        ("android-app://com.google.android.youtube/", "", "YouTube", OrganicVideo),
        ("https://vimeo.com/1", "", "Vimeo", OrganicVideo),
        ("https://www.twitch.tv/", "", "Twitch", OrganicVideo),
        ("", "utm_source=blog&utm_medium=video", "blog", OrganicVideo),
        ("", "utm_source=youtube&utm_medium=cpv", "YouTube", PaidVideo),
        ("", "utm_source=partner&utm_medium=paidvideo", "partner", PaidVideo),
        ("https://open.spotify.com/", "", "Spotify", Audio),
        ("", "utm_source=podcast&utm_medium=audio", "podcast", Audio),
        ("https://www.amazon.com/", "", "Amazon", OrganicShopping),
        ("https://www.amazon.co.jp/", "", "Amazon", OrganicShopping),
        ("https://www.ebay.de/", "", "eBay", OrganicShopping),
        ("https://www.etsy.com/listing/1", "", "Etsy", OrganicShopping),
        ("", "utm_source=newsroom&utm_campaign=summer-shop", "newsroom", OrganicShopping),
        ("", "utm_source=newsroom&utm_campaign=workshop", "newsroom", Referral),
        ("", "utm_source=amazon&utm_medium=cpc", "Amazon", PaidShopping),
        ("", "utm_source=google&utm_medium=cpc&utm_campaign=Shopping+DE", "Google", PaidShopping),
    ]);
}

#[test]
fn email_and_messages() {
    check(&[
        ("https://mail.google.com/", "", "Gmail", Email),
        ("android-app://com.google.android.gm/", "", "Gmail", Email),
        ("https://outlook.live.com/", "", "Outlook", Email),
        ("https://outlook.office365.com/", "", "Outlook", Email),
        ("https://mail.yahoo.com/", "", "Yahoo! Mail", Email),
        ("https://mail.proton.me/", "", "Proton Mail", Email),
        ("", "utm_source=newsletter", "newsletter", Email),
        ("", "utm_source=weekly&utm_medium=email", "weekly", Email),
        ("", "utm_source=weekly&utm_medium=E-Mail", "weekly", Email),
        ("", "utm_medium=email", "", Email),
        ("", "utm_source=mailchimp&utm_campaign=june", "Mailchimp", Email),
        ("https://us1.campaign-archive.com/", "", "Mailchimp", Email),
        ("", "utm_source=sms&utm_campaign=x", "sms", Sms),
        ("", "utm_source=twilio&utm_medium=sms", "twilio", Sms),
        ("", "utm_source=app&utm_medium=webpush", "app", MobilePush),
        ("", "utm_source=firebase", "Firebase", MobilePush),
        ("", "utm_source=app&utm_medium=notification", "app", MobilePush),
    ]);
}

#[test]
fn advertising_of_other_kinds() {
    check(&[
        ("", "utm_source=news.example&utm_medium=display", "news.example", Display),
        ("", "utm_source=adnet&utm_medium=banner", "adnet", Display),
        ("", "utm_source=adnet&utm_medium=cpm", "adnet", Display),
        ("", "dclid=CM", "Google Display", Display),
        ("", "utm_source=adnet&utm_medium=cpc", "adnet", PaidOther),
        ("", "utm_medium=cpc", "", PaidOther),
        ("", "utm_source=bob&utm_medium=affiliate", "bob", Affiliates),
        ("", "utm_source=google&utm_medium=cross-network", "Google", CrossNetwork),
        (
            "",
            "utm_source=google&utm_medium=cpc&utm_campaign=x-cross-network",
            "Google",
            CrossNetwork,
        ),
    ]);
}

#[test]
fn referrals() {
    check(&[
        ("https://blog.example/post?id=1", "", "blog.example", Referral),
        ("https://www.blog.example/post", "", "blog.example", Referral),
        ("https://github.com/a/b", "", "GitHub", Referral),
        ("https://en.wikipedia.org/", "", "Wikipedia", Referral),
        ("https://docs.google.com/", "", "Google Docs", Referral),
        ("https://news.google.com/", "", "Google News", Referral),
        ("https://statics.teams.cdn.office.net/", "", "Microsoft Teams", Referral),
        ("https://app.slack.com/", "", "Slack", Referral),
        ("https://google.evil.example/", "", "google.evil.example", Referral),
        ("https://notfacebook.com/", "", "notfacebook.com", Referral),
        ("", "ref=friend.example", "friend.example", Referral),
        ("", "via=alice", "alice", Referral),
        ("", "source=campus+poster", "campus poster", Referral),
        ("", "utm_source=qr-code&utm_medium=print", "qr-code", Referral),
        ("https://www.google.com/", "utm_source=partner&utm_medium=referral", "partner", Referral),
        ("", "utm_campaign=spring", "", Referral),
    ]);
}
