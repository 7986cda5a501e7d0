//! The event API's edge: from a hyper request to ingest and back, with the headers that let any page
//! post here.

use std::net::IpAddr;

use http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS};
use http::{HeaderValue, Request, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::ingest::{Hit, Ingest, Reply};
use crate::limits;
use crate::server::body::{self, Unread};
use crate::server::reply::{self, Answer};
use crate::wal::Wal;

/// Takes one post. A log that takes nothing is told before the body is read.
pub(super) async fn post(
    ingest: &Ingest,
    wal: &Wal,
    request: Request<Incoming>,
    peer: IpAddr,
) -> Answer {
    if wal.accepting().is_err() {
        return finish(Reply::unavailable());
    }
    let (head, incoming) = request.into_parts();
    match body::read(incoming, limits::BODY_BYTES_MAX).await {
        Ok(body) => finish(ingest.collect(Hit { peer, headers: &head.headers, body }).await),
        Err(Unread::TooLarge) => finish(Reply::too_large()),
        Err(Unread::Broken) => {
            let message = "the body did not arrive whole in time";
            reply::error(StatusCode::REQUEST_TIMEOUT, "incomplete", message, None)
        }
    }
}

/// Clients that send `application/json` ask first.
pub(super) fn preflight() -> Answer {
    let mut answer = reply::text(StatusCode::NO_CONTENT, "");
    let head = answer.headers_mut();
    head.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    head.insert("access-control-allow-methods", HeaderValue::from_static("POST"));
    head.insert("access-control-allow-headers", HeaderValue::from_static("*"));
    head.insert("access-control-max-age", HeaderValue::from_static("86400"));
    answer
}

fn finish(reply: Reply) -> Answer {
    let mut answer = reply.into_response().map(Full::new);
    let head = answer.headers_mut();
    head.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    let exposed =
        HeaderValue::from_static("x-tallyhouse-dropped, x-plausible-dropped, retry-after");
    head.insert(ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
    answer
}
