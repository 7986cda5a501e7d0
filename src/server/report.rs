//! A report as an HTTP answer: cache headers, or the reason there is none.

use http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::dashboard::{Failure, Report};
use crate::server::reply::{self, Answer};

/// Turns a report, or why there is none, into an answer.
pub(super) fn answer(found: Result<Report, Failure>, headers: &HeaderMap) -> Answer {
    match found {
        Ok(report) => fresh(report, headers),
        Err(Failure::BadRequest(bad)) => {
            reply::error(StatusCode::BAD_REQUEST, "bad_request", &bad.message, Some(bad.field))
        }
        Err(Failure::NoSuchReport) => reply::not_found(),
        Err(Failure::Away(error)) => {
            tracing::warn!(%error, "dashboard: a report could not be read");
            let message = "ClickHouse is away; hits are still collected; try again soon";
            reply::retry(StatusCode::SERVICE_UNAVAILABLE, "store_away", message, 5)
        }
        Err(Failure::Refused(error)) => {
            tracing::error!(%error, "dashboard: ClickHouse refused a report");
            let message = "this report failed; the server's log says why";
            reply::error(StatusCode::INTERNAL_SERVER_ERROR, "internal", message, None)
        }
    }
}

fn fresh(report: Report, headers: &HeaderMap) -> Answer {
    let Some(etag) = &report.etag else {
        return reply::json(StatusCode::OK, report.body.into());
    };
    let known = headers.get(IF_NONE_MATCH).is_some_and(|tag| reply::etag_matches(tag, etag));
    let mut answer = if known {
        reply::text(StatusCode::NOT_MODIFIED, "")
    } else {
        reply::json(StatusCode::OK, report.body.into())
    };
    let head = answer.headers_mut();
    head.insert(ETAG, HeaderValue::try_from(etag).expect("a tag is printable"));
    // The answer changes when an hour closes: ask again, and mostly hear 304.
    head.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    answer
}
