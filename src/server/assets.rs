//! The dashboard's files and the tracker, embedded and precompressed at build time.

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;

use crate::server::reply;

struct File {
    path: &'static str,
    etag: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Where the tracker lies among the embedded files.
pub(super) const TRACKER: &str = "/tracker/tracker.js";
const INDEX: &str = "/index.html";
/// Browsers ask again after an hour, so a new release reaches every page the same day.
const TRACKER_CACHE: &str = "public, max-age=3600";
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// What the page may do: its own files and its own API, nothing else (I16).
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; \
    form-action 'self'; frame-ancestors 'none'";

/// The tracker, for any of its script paths. Other sites' pages load it, hence the open CORS header.
pub(super) fn tracker(headers: &HeaderMap) -> Response<Full<Bytes>> {
    let mut response = serve(TRACKER, headers, TRACKER_CACHE).unwrap_or_else(not_built);
    let head = response.headers_mut();
    head.insert("access-control-allow-origin", HeaderValue::from_static("*"));
    head.insert("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    response
}

/// An embedded file by its path; the dashboard's page for any path that could be one of its views.
pub(super) fn file(path: &str, headers: &HeaderMap) -> Response<Full<Bytes>> {
    let hashed = path.starts_with("/assets/");
    let cache = if hashed { IMMUTABLE } else { "no-cache" };
    if path != INDEX
        && !path.starts_with("/tracker/")
        && let Some(response) = serve(path, headers, cache)
    {
        return response;
    }
    if hashed || path.rsplit('/').next().is_some_and(looks_like_file) {
        return reply::not_found();
    }
    let mut response = serve(INDEX, headers, "no-cache").unwrap_or_else(not_built);
    let head = response.headers_mut();
    head.insert("content-security-policy", HeaderValue::from_static(CONTENT_SECURITY_POLICY));
    head.insert("x-frame-options", HeaderValue::from_static("DENY"));
    response
}

/// A site's domain has dots too; only the endings a browser asks for by itself are files.
fn looks_like_file(name: &str) -> bool {
    [".js", ".css", ".map", ".ico", ".png", ".svg", ".txt", ".webmanifest", ".json"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

fn serve(path: &str, headers: &HeaderMap, cache: &'static str) -> Option<Response<Full<Bytes>>> {
    let file = FILES.iter().find(|file| file.path == path)?;
    let mut response = Response::new(Full::default());
    let head = response.headers_mut();
    head.insert(ETAG, HeaderValue::from_static(file.etag));
    head.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    head.insert(VARY, HeaderValue::from_static("accept-encoding"));
    reply::harden(head);
    if headers.get(IF_NONE_MATCH).is_some_and(|tag| reply::etag_matches(tag, file.etag)) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return Some(response);
    }
    head.insert(CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    let accepts = headers.get(ACCEPT_ENCODING).and_then(|v| v.to_str().ok()).unwrap_or("");
    let (body, encoding) = match (file.brotli, file.gzip) {
        (Some(body), _) if accepts.contains("br") => (body, Some("br")),
        (_, Some(body)) if accepts.contains("gzip") => (body, Some("gzip")),
        _ => (file.plain, None),
    };
    if let Some(encoding) = encoding {
        head.insert(CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    *response.body_mut() = Full::new(Bytes::from_static(body));
    Some(response)
}

fn not_built() -> Response<Full<Bytes>> {
    let text =
        "this build holds no dashboard and no tracker: run `make web tracker`, then build again\n";
    reply::text(StatusCode::NOT_IMPLEMENTED, text)
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("json" | "webmanifest") => "application/json",
        _ => "application/octet-stream",
    }
}
