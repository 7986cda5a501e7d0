//! The body of a post: Plausible's public event shape, long or short names, one object or a few in
//! an array. Text is borrowed from the body unless JSON escapes force a copy. Unknown fields are
//! ignored; a field of the wrong kind refuses its own event only.

use std::borrow::Cow;

use crate::ingest::payload::json::{Loose, Scalar, Top};
use crate::limits::{
    EVENTS_PER_POST_MAX, NAME_BYTES_MAX, PROP_VALUE_BYTES_MAX, PROPS_MAX, URL_BYTES_MAX,
};

mod json;
mod money;

pub(super) use money::Money;

/// Longest event id.
const ID_BYTES_MAX: usize = 64;
/// Nobody looks at one page for longer: one day.
const ENGAGED_MS_MAX: u32 = 86_400_000;

/// Why an event is refused with 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub(super) struct Malformed {
    pub(super) field: &'static str,
    pub(super) message: &'static str,
}

/// Names and values.
type Props<'a> = Vec<(Cow<'a, str>, Cow<'a, str>)>;

/// One event as it was sent.
#[derive(Debug, PartialEq)]
pub(super) struct Payload<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) url: Cow<'a, str>,
    /// One domain, or several with commas between.
    pub(super) domain: Cow<'a, str>,
    pub(super) referrer: Cow<'a, str>,
    pub(super) props: Props<'a>,
    pub(super) revenue: Option<Money>,
    pub(super) interactive: bool,
    /// The site routes by the part behind `#`.
    pub(super) hash_mode: bool,
    pub(super) id: Option<Cow<'a, str>>,
    pub(super) engaged_ms: u32,
    /// Percent.
    pub(super) scroll: u8,
    /// Viewport width in CSS pixels; 0 when not sent.
    pub(super) width: u32,
}

/// A parsed body.
#[derive(Debug)]
pub(super) struct Post<'a> {
    pub(super) events: Vec<Result<Payload<'a>, Malformed>>,
    /// An array was sent, so every outcome is listed.
    pub(super) listed: bool,
}

/// Reads a body.
///
/// # Errors
/// Not JSON, neither an object nor an array, no event, or too many.
pub(super) fn parse(body: &[u8]) -> Result<Post<'_>, Malformed> {
    let not_json = |_| refuse("body", "is not JSON");
    match serde_json::from_slice::<Top<'_>>(body).map_err(not_json)? {
        Top::Events { more: true, .. } => {
            Err(refuse("body", "holds too many events; send at most 10"))
        }
        Top::Events { raws, .. } if raws.is_empty() => Err(refuse("body", "holds no event")),
        Top::Events { raws, listed, .. } => {
            debug_assert!(raws.len() <= EVENTS_PER_POST_MAX);
            let event = |raw: Option<_>| raw.ok_or(NOT_AN_OBJECT).and_then(read);
            Ok(Post { events: raws.into_iter().map(event).collect(), listed })
        }
        Top::Other => Err(NOT_AN_OBJECT),
    }
}

const NOT_AN_OBJECT: Malformed =
    Malformed { field: "body", message: "must be a JSON object or an array of JSON objects" };

const fn refuse(field: &'static str, message: &'static str) -> Malformed {
    Malformed { field, message }
}

fn read(raw: json::Raw<'_>) -> Result<Payload<'_>, Malformed> {
    Ok(Payload {
        name: required("name", text("name", raw.name)?, NAME_BYTES_MAX)?,
        // Only what is kept of a page's address is bounded tightly, see `enrich::url`.
        url: required("url", text("url", raw.url)?, 4 * URL_BYTES_MAX)?,
        domain: required("domain", text("domain", raw.domain)?, 10 * NAME_BYTES_MAX)?,
        referrer: text("referrer", raw.referrer)?.unwrap_or_default(),
        props: props(raw.props)?,
        revenue: money::read(raw.revenue)?,
        interactive: switch("interactive", raw.interactive)?.unwrap_or(true),
        hash_mode: switch("h", raw.hash)?.unwrap_or(false),
        id: bounded("k", text("k", raw.id)?, ID_BYTES_MAX)?,
        engaged_ms: whole("e", raw.engaged)?.min(ENGAGED_MS_MAX),
        scroll: whole("sd", raw.scroll)?.min(100) as u8,
        width: whole("w", raw.width)?,
    })
}

type Text<'a> = Option<Cow<'a, str>>;

fn text<'a>(field: &'static str, value: Loose<'a>) -> Result<Text<'a>, Malformed> {
    match value {
        Loose::Scalar(Scalar::Missing) => Ok(None),
        Loose::Scalar(Scalar::Text(text)) => Ok(Some(text)),
        _ => Err(refuse(field, "must be a string")),
    }
}

fn bounded<'a>(
    field: &'static str,
    text: Text<'a>,
    bytes_max: usize,
) -> Result<Text<'a>, Malformed> {
    match text {
        Some(text) if text.len() > bytes_max => Err(refuse(field, "is too long")),
        Some(text) if text.is_empty() => Ok(None),
        other => Ok(other),
    }
}

fn required<'a>(
    field: &'static str,
    text: Text<'a>,
    bytes_max: usize,
) -> Result<Cow<'a, str>, Malformed> {
    bounded(field, text, bytes_max)?.ok_or(refuse(field, "is missing"))
}

fn switch(field: &'static str, value: Loose<'_>) -> Result<Option<bool>, Malformed> {
    match value {
        Loose::Scalar(Scalar::Missing) => Ok(None),
        Loose::Scalar(Scalar::Bool(on)) => Ok(Some(on)),
        Loose::Scalar(Scalar::Int(number @ (0 | 1))) => Ok(Some(number == 1)),
        Loose::Scalar(Scalar::Text(text)) if text == "true" || text == "false" => {
            Ok(Some(text == "true"))
        }
        _ => Err(refuse(field, "must be true or false")),
    }
}

/// A number of milliseconds, percent or pixels, rounded; 0 when missing.
fn whole(field: &'static str, value: Loose<'_>) -> Result<u32, Malformed> {
    let number = match value {
        Loose::Scalar(Scalar::Missing) => return Ok(0),
        Loose::Scalar(Scalar::Int(number)) => number as f64,
        Loose::Scalar(Scalar::Float(number)) => number,
        Loose::Scalar(Scalar::Text(text)) => text.trim().parse().unwrap_or(f64::NAN),
        _ => f64::NAN,
    };
    if number.is_finite() && number >= 0.0 {
        // `as` stops at the largest u32.
        return Ok(number.round() as u32);
    }
    Err(refuse(field, "must be a number that is not negative"))
}

/// Pairs of names and scalars; whatever is no scalar, and what is empty, is left out.
fn props(value: Loose<'_>) -> Result<Props<'_>, Malformed> {
    const WRONG: Malformed = refuse("props", "must be a JSON object, or one in a string");
    let pairs = match value {
        Loose::Scalar(Scalar::Missing) => return Ok(Vec::new()),
        Loose::Scalar(Scalar::Text(text)) if text.trim().is_empty() => return Ok(Vec::new()),
        Loose::Scalar(Scalar::Text(text)) => json::object_in(text).ok_or(WRONG)?,
        Loose::Object(pairs) => pairs,
        _ => return Err(WRONG),
    };
    let mut props: Props<'_> = Vec::with_capacity(pairs.len().min(PROPS_MAX));
    for (key, value) in pairs {
        let Some(value) = value.into_text().filter(|v| !v.is_empty() && !key.is_empty()) else {
            continue;
        };
        if key.len() > NAME_BYTES_MAX || value.len() > PROP_VALUE_BYTES_MAX {
            return Err(refuse("props", "has a name over 120 or a value over 2000 bytes"));
        }
        // JSON allows a name twice; the last one counts, as in every browser.
        match props.iter().position(|(known, _)| *known == key) {
            Some(at) => props[at].1 = value,
            None if props.len() == PROPS_MAX => {
                return Err(refuse("props", "has more than 30 pairs"));
            }
            None => props.push((key, value)),
        }
    }
    Ok(props)
}

#[cfg(test)]
mod tests;
