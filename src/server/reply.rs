//! Answers that do not come from ingest: texts, JSON, errors, and the headers all of them share.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;

/// Any answer of the server.
pub(super) type Answer = Response<Full<Bytes>>;

/// A plain text.
pub(super) fn text(status: StatusCode, body: &'static str) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from_static(body.as_bytes())));
    *response.status_mut() = status;
    let head = response.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    harden(head);
    response
}

/// A JSON body that must not be kept.
pub(super) fn json(status: StatusCode, body: Vec<u8>) -> Answer {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    let head = response.headers_mut();
    head.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    head.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    harden(head);
    response
}

/// The error body of docs/api.md.
pub(super) fn error(status: StatusCode, word: &str, message: &str, field: Option<&str>) -> Answer {
    let mut body = serde_json::json!({ "error": word, "message": message });
    if let Some(field) = field {
        body["field"] = field.into();
    }
    json(status, body.to_string().into_bytes())
}

/// As [`error`], for a refusal that may be tried again.
pub(super) fn retry(status: StatusCode, word: &str, message: &str, after_s: u64) -> Answer {
    let mut response = error(status, word, message, None);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(after_s));
    response
}

/// Nothing here.
pub(super) fn not_found() -> Answer {
    error(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address", None)
}

/// The path exists, the method does not.
pub(super) fn method_not_allowed() -> Answer {
    let message = "this address does not answer that method";
    error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message, None)
}

/// Headers every answer carries.
pub(super) fn harden(head: &mut HeaderMap) {
    head.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    head.insert("referrer-policy", HeaderValue::from_static("same-origin"));
}

/// Whether an If-None-Match list names this tag.
pub(super) fn etag_matches(header: &HeaderValue, etag: &str) -> bool {
    header.to_str().is_ok_and(|list| {
        list.split(',').map(str::trim).any(|tag| tag == "*" || tag.trim_start_matches("W/") == etag)
    })
}
