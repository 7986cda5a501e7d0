//! What a post is answered, and how it is counted. One table; a 202 needs the log's [`Durable`].
//! 503 means certainly not stored; whatever may have been stored is a 500 (I2).

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use http::{HeaderName, Response, StatusCode};
use serde_json::{Value, json};

use crate::event::Bot;
use crate::ingest::payload::Malformed;
use crate::limits::BODY_BYTES_MAX;
use crate::metrics::METRICS;
use crate::wal::Durable;

const DROPPED: HeaderName = HeaderName::from_static("x-tallyhouse-dropped");
/// What clients written for Plausible look at.
const PLAUSIBLE_DROPPED: HeaderName = HeaderName::from_static("x-plausible-dropped");

/// Seconds after which a refused client may try again when the log is full or closing.
const UNAVAILABLE_RETRY_S: u32 = 5;

/// Why an event is on purpose not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    UserAgent,
    Prefetch,
    DoNotTrack,
    PrivacyControl,
    Address,
    Country,
    Page,
    Hostname,
    Duplicate,
}

impl Dropped {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Dropped::UserAgent => "junk_user_agent",
            Dropped::Prefetch => "prefetch",
            Dropped::DoNotTrack => "dnt",
            Dropped::PrivacyControl => "gpc",
            Dropped::Address => "excluded_address",
            Dropped::Country => "excluded_country",
            Dropped::Page => "excluded_page",
            Dropped::Hostname => "hostname",
            Dropped::Duplicate => "duplicate",
        }
    }
}

/// Why an event is not accepted, through the client's fault or ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Malformed(Malformed),
    UnknownSite,
    TooLarge,
    Limited { retry_after_s: u32 },
    Unavailable,
    Internal,
}

impl Refused {
    /// The table: status, tag (metric label and `error` in the body), sentence.
    const fn row(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Refused::Malformed(fault) => (StatusCode::BAD_REQUEST, "malformed", fault.message),
            Refused::UnknownSite => {
                (StatusCode::NOT_FOUND, "unknown_site", "no site has this domain; add it first")
            }
            Refused::TooLarge => {
                (StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is over 8 KiB; send less")
            }
            Refused::Limited { .. } => {
                (StatusCode::TOO_MANY_REQUESTS, "limited", "too many events; slow down")
            }
            Refused::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "not stored; try again later")
            }
            Refused::Internal => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "it is unknown whether it is stored",
            ),
        }
    }

    const fn retry_after_s(self) -> Option<u32> {
        match self {
            Refused::Limited { retry_after_s } => Some(retry_after_s),
            Refused::Unavailable => Some(UNAVAILABLE_RETRY_S),
            _ => None,
        }
    }

    fn body(self) -> Value {
        let (_, tag, message) = self.row();
        match self {
            Refused::Malformed(fault) => {
                let message = format!("`{}` {message}", fault.field);
                json!({ "error": tag, "message": message, "field": fault.field })
            }
            _ => json!({ "error": tag, "message": message }),
        }
    }
}

const _: () = assert!(BODY_BYTES_MAX == 8 * 1024, "the sentence above says 8 KiB");

/// What became of one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// To be kept; a bot's event is kept too, marked, and left out of every report.
    Kept(Bot),
    Dropped(Dropped),
    Refused(Refused),
}

impl Outcome {
    /// The reason for the header: also for what is kept but not counted.
    fn dropped_reason(self) -> Option<&'static str> {
        match self {
            Outcome::Kept(Bot::No) | Outcome::Refused(_) => None,
            Outcome::Kept(Bot::UserAgent | Bot::Headless) => Some("bot"),
            Outcome::Kept(bot) => Some(bot.as_str()),
            Outcome::Dropped(reason) => Some(reason.as_str()),
        }
    }

    fn listed(self) -> Value {
        match self {
            Outcome::Kept(Bot::No) => json!({ "status": "accepted" }),
            Outcome::Kept(_) => {
                json!({ "status": "accepted", "not_counted": self.dropped_reason() })
            }
            Outcome::Dropped(reason) => json!({ "status": "dropped", "reason": reason.as_str() }),
            Outcome::Refused(refused) => {
                let mut value = refused.body();
                value["status"] = "refused".into();
                value
            }
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Outcome::Kept(_) => self.dropped_reason().unwrap_or("accepted"),
            Outcome::Dropped(reason) => reason.as_str(),
            Outcome::Refused(refused) => refused.row().1,
        }
    }
}

/// An answer, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    status: StatusCode,
    retry_after_s: Option<u32>,
    dropped: Option<&'static str>,
    body: Bytes,
}

impl Reply {
    /// Nothing of a post reached the log, for these reasons.
    pub(super) fn not_stored(outcomes: &[Outcome], listed: bool) -> Reply {
        let refused = outcomes.iter().find_map(|outcome| match outcome {
            Outcome::Refused(refused) => Some(*refused),
            _ => None,
        });
        match refused {
            Some(refused) if listed => Reply { body: list(outcomes), ..Reply::refused(refused) },
            Some(refused) => Reply::refused(refused),
            None => Reply {
                status: StatusCode::NO_CONTENT,
                retry_after_s: None,
                dropped: outcomes.iter().find_map(|outcome| outcome.dropped_reason()),
                body: Bytes::new(),
            },
        }
    }

    /// At least one event of a post is durable. The witness is the log's alone to make.
    pub(super) fn stored(_durable: &Durable, outcomes: &[Outcome], listed: bool) -> Reply {
        Reply::accepted(outcomes, listed)
    }

    fn accepted(outcomes: &[Outcome], listed: bool) -> Reply {
        const ACCEPTED: Bytes = Bytes::from_static(b"{\"status\":\"accepted\"}");
        Reply {
            status: StatusCode::ACCEPTED,
            retry_after_s: outcomes.iter().find_map(|outcome| match outcome {
                Outcome::Refused(refused) => refused.retry_after_s(),
                _ => None,
            }),
            dropped: outcomes.iter().find_map(|outcome| outcome.dropped_reason()),
            body: if listed { list(outcomes) } else { ACCEPTED },
        }
    }

    /// One refusal of a whole request.
    pub(super) fn refused(refused: Refused) -> Reply {
        let (status, ..) = refused.row();
        let body = refused.body().to_string().into();
        Reply { status, retry_after_s: refused.retry_after_s(), dropped: None, body }
    }

    /// `X-Debug-Request`: what the server sees. Nothing is stored.
    pub(super) fn debug(address: String, country: &str, outcomes: &[Outcome]) -> Reply {
        let words: Vec<_> = outcomes.iter().map(|outcome| outcome.word()).collect();
        let body = json!({ "ip": address, "country": country, "outcomes": words, "stored": false });
        let body = body.to_string().into();
        Reply { status: StatusCode::OK, retry_after_s: None, dropped: None, body }
    }

    /// 413, for a server that stopped reading at the limit; counted.
    pub fn too_large() -> Reply {
        count_refused(Refused::TooLarge);
        Reply::refused(Refused::TooLarge)
    }

    /// 503, for a server that does not even read the body; counted.
    pub fn unavailable() -> Reply {
        count_refused(Refused::Unavailable);
        Reply::refused(Refused::Unavailable)
    }

    /// The status, for logs and tests.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The HTTP response; `Access-Control-*` and `Date` are the server's business.
    pub fn into_response(self) -> Response<Bytes> {
        let mut response = Response::new(self.body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if self.status != StatusCode::NO_CONTENT {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, seconds.into());
        }
        if let Some(reason) = self.dropped {
            headers.insert(DROPPED, HeaderValue::from_static(reason));
            headers.insert(PLAUSIBLE_DROPPED, HeaderValue::from_static("1"));
        }
        response
    }
}

fn list(outcomes: &[Outcome]) -> Bytes {
    let events: Vec<_> = outcomes.iter().map(|outcome| outcome.listed()).collect();
    json!({ "events": events }).to_string().into()
}

/// Counts what was decided without the log. What is kept is counted when it is handed to the log.
pub(super) fn count(outcomes: &[Outcome]) {
    for outcome in outcomes {
        match outcome {
            Outcome::Kept(_) => {}
            Outcome::Dropped(reason) => {
                METRICS.received.inc();
                METRICS.dropped.with_label_values(&[reason.as_str()]).inc();
            }
            Outcome::Refused(refused) => count_refused(*refused),
        }
    }
}

pub(super) fn count_refused(refused: Refused) {
    METRICS.refused.with_label_values(&[refused.row().1]).inc();
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::Response;

    use super::{Dropped, Outcome, Refused, Reply};
    use crate::event::Bot;
    use crate::ingest::payload::Malformed;

    const KEPT: Outcome = Outcome::Kept(Bot::No);
    const SPAM: Outcome = Outcome::Kept(Bot::SpamReferrer);
    const DROP: Outcome = Outcome::Dropped(Dropped::Country);
    const LIMIT: Outcome = Outcome::Refused(Refused::Limited { retry_after_s: 2 });

    fn header<'a>(response: &'a Response<Bytes>, name: &str) -> &'a str {
        response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }

    #[track_caller]
    fn check(reply: Reply, status: u16, headers: [&str; 3], body: &str) {
        let response = reply.into_response();
        assert_eq!(response.status(), status);
        let names = ["retry-after", "x-tallyhouse-dropped", "x-plausible-dropped"];
        assert_eq!(names.map(|name| header(&response, name)), headers);
        assert_eq!(std::str::from_utf8(response.body()).unwrap(), body);
    }

    #[test]
    fn one_event() {
        let accepted = "{\"status\":\"accepted\"}";
        check(Reply::accepted(&[KEPT], false), 202, ["", "", ""], accepted);
        check(Reply::accepted(&[SPAM], false), 202, ["", "spam_referrer", "1"], accepted);
        check(Reply::not_stored(&[DROP], false), 204, ["", "excluded_country", "1"], "");
        let malformed = Refused::Malformed(Malformed { field: "url", message: "is missing" });
        let body = r#"{"error":"malformed","field":"url","message":"`url` is missing"}"#;
        check(Reply::not_stored(&[Outcome::Refused(malformed)], false), 400, ["", "", ""], body);
    }

    #[test]
    fn every_refusal_has_its_status() {
        let malformed = Refused::Malformed(Malformed { field: "url", message: "is missing" });
        for (refused, status, retry) in [
            (malformed, 400, false),
            (Refused::UnknownSite, 404, false),
            (Refused::TooLarge, 413, false),
            (Refused::Limited { retry_after_s: 7 }, 429, true),
            (Refused::Unavailable, 503, true),
            (Refused::Internal, 500, false),
        ] {
            let response = Reply::refused(refused).into_response();
            assert_eq!(response.status(), status);
            assert_eq!(!header(&response, "retry-after").is_empty(), retry);
            assert_eq!(header(&response, "content-type"), "application/json");
        }
    }

    #[test]
    fn a_list_says_what_became_of_each() {
        let drop = r#"{"reason":"excluded_country","status":"dropped"}"#;
        let limit = concat!(
            r#"{"error":"limited","message":"too many events; slow down","#,
            r#""status":"refused"}"#
        );
        let mixed = format!(r#"{{"events":[{{"status":"accepted"}},{drop},{limit}]}}"#);
        let reply = Reply::accepted(&[KEPT, DROP, LIMIT], true);
        check(reply, 202, ["2", "excluded_country", "1"], &mixed);
        let refused = format!(r#"{{"events":[{drop},{limit}]}}"#);
        check(Reply::not_stored(&[DROP, LIMIT], true), 429, ["2", "", ""], &refused);
        check(Reply::not_stored(&[DROP, DROP], true), 204, ["", "excluded_country", "1"], "");
    }
}
