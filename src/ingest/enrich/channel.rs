//! Source and channel of a hit: the public default channel groups of Google Analytics 4 in the
//! order Plausible documents them, with AI assistants as a group of their own.
//! <https://support.google.com/analytics/answer/9756891>,
//! <https://plausible.io/docs/acquisition-channels>

use crate::event::Channel;
use crate::ingest::enrich::referrer::Referrer;
use crate::ingest::enrich::sources::{self, Kind, Known};
use crate::ingest::enrich::url::{Click, Tags};

/// Where a hit came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Road<'a> {
    /// A name, or empty for a direct visit.
    pub(in crate::ingest) source: &'a str,
    pub(in crate::ingest) channel: Channel,
}

/// Decides source and channel. `referrer` is only given if it is another site.
pub(in crate::ingest) fn road<'a>(
    tags: &'a Tags<'_>,
    referrer: Option<&'a Referrer<'_>>,
) -> Road<'a> {
    let [utm_source, medium, campaign, ..] = &tags.utm;
    let tag = if utm_source.is_empty() { &*tags.reference } else { &**utm_source };
    let (source, known) = source(tag, tags.click, referrer);
    if source.is_empty() && tags.utm.iter().all(|tag| tag.is_empty()) {
        return Road { source, channel: Channel::Direct };
    }
    let clues = Clues {
        source: source.to_ascii_lowercase(),
        tag: tag.to_ascii_lowercase(),
        kind: known.map(|known| known.kind),
        medium: medium.to_ascii_lowercase(),
        campaign: campaign.to_ascii_lowercase(),
        click: tags.click,
    };
    Road { source, channel: clues.channel() }
}

/// The tag counts first, since it was put there on purpose; then the referrer; then a click id.
fn source<'a>(
    tag: &'a str,
    click: Option<Click>,
    referrer: Option<&'a Referrer<'_>>,
) -> (&'a str, Option<Known>) {
    if !tag.is_empty() {
        let known = sources::by_tag(tag);
        return (known.map_or(tag, |known| known.name), known);
    }
    if let Some(referrer) = referrer {
        let known = sources::by_host(referrer.host());
        return (known.map_or(referrer.host(), |known| known.name), known);
    }
    let known = click.and_then(|click| sources::by_host(click.host()));
    (known.map_or("", |known| known.name), known)
}

impl Click {
    /// A host of whoever set the id.
    fn host(self) -> &'static str {
        match self {
            Click::GoogleAds => "google.com",
            Click::GoogleDisplay => "doubleclick.net",
            Click::MicrosoftAds => "bing.com",
            Click::TikTokAds => "tiktok.com",
            Click::XAds => "x.com",
            Click::LinkedInAds => "linkedin.com",
            Click::RedditAds => "reddit.com",
            Click::PinterestAds => "pinterest.com",
            Click::SnapchatAds => "snapchat.com",
            Click::YandexAds => "yandex.ru",
            Click::Facebook => "facebook.com",
        }
    }

    fn is_paid(self) -> bool {
        self != Click::Facebook
    }
}

/// What the rules look at, in lower case.
struct Clues {
    source: String,
    tag: String,
    kind: Option<Kind>,
    medium: String,
    campaign: String,
    click: Option<Click>,
}

impl Clues {
    fn channel(&self) -> Channel {
        let medium = self.medium.as_str();
        if self.campaign.contains("cross-network") || medium == "cross-network" {
            return Channel::CrossNetwork;
        }
        if let Some(paid) = self.paid() {
            return paid;
        }
        let is = |kind: Kind| self.kind == Some(kind);
        if is(Kind::Shopping) || is_shopping(&self.campaign) {
            Channel::OrganicShopping
        } else if is(Kind::Ai) || medium == "ai-assistant" {
            Channel::AiAssistants
        } else if is(Kind::Email) || self.says_email() {
            Channel::Email
        } else if is(Kind::Social) || is_social(medium) {
            Channel::OrganicSocial
        } else if is(Kind::Video) || medium.contains("video") {
            Channel::OrganicVideo
        } else if is(Kind::Search) || medium == "organic" {
            Channel::OrganicSearch
        } else if matches!(medium, "affiliate" | "affiliates") {
            Channel::Affiliates
        } else if is(Kind::Audio) || medium == "audio" {
            Channel::Audio
        } else if is(Kind::Sms) || self.tag == "sms" || medium == "sms" {
            Channel::Sms
        } else if is(Kind::Push) || is_push(medium) {
            Channel::MobilePush
        } else {
            Channel::Referral
        }
    }

    fn paid(&self) -> Option<Channel> {
        let medium = self.medium.as_str();
        let display =
            matches!(medium, "display" | "banner" | "expandable" | "interstitial" | "cpm")
                || self.click == Some(Click::GoogleDisplay);
        let clicked = self.click.is_some_and(Click::is_paid);
        if !is_paid(medium) && !clicked {
            return display.then_some(Channel::Display);
        }
        let is = |kind: Kind| self.kind == Some(kind);
        Some(if is(Kind::Shopping) || is_shopping(&self.campaign) {
            Channel::PaidShopping
        } else if is(Kind::Search) {
            Channel::PaidSearch
        } else if is(Kind::Social) || medium.contains("social") {
            Channel::PaidSocial
        } else if is(Kind::Video) || medium.contains("video") {
            Channel::PaidVideo
        } else if display {
            Channel::Display
        } else if matches!(self.click, Some(Click::GoogleAds | Click::MicrosoftAds)) {
            Channel::PaidSearch
        } else {
            Channel::PaidOther
        })
    }

    fn says_email(&self) -> bool {
        let says =
            |text: &str| matches!(text, "email" | "e-mail" | "e_mail" | "e mail" | "newsletter");
        says(&self.source) || says(&self.tag) || says(&self.medium)
    }
}

/// `cpc`, `cpm`, `ppc`, `retargeting`, `paid…`.
fn is_paid(medium: &str) -> bool {
    medium.contains("cp") || matches!(medium, "ppc" | "retargeting") || medium.starts_with("paid")
}

/// A campaign named after a shop: the word at a start, and not inside `workshop`.
fn is_shopping(campaign: &str) -> bool {
    campaign.contains("shopping")
        || campaign
            .match_indices("shop")
            .any(|(at, _)| !campaign[..at].ends_with(|c: char| c.is_ascii_lowercase()))
}

fn is_social(medium: &str) -> bool {
    matches!(
        medium,
        "social" | "social-network" | "social-media" | "sm" | "social network" | "social media"
    )
}

fn is_push(medium: &str) -> bool {
    medium.ends_with("push") || medium.contains("mobile") || medium.contains("notification")
}
