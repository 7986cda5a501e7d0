//! (method, path) → handler: the table of contents of everything the listener answers.

use std::net::SocketAddr;

use http::{HeaderValue, Method, StatusCode};
use hyper::Request;
use hyper::body::Incoming;

use crate::accounts::Accounts;
use crate::config::Config;
use crate::dashboard::Dashboard;
use crate::ingest::Ingest;
use crate::metrics::METRICS;
use crate::server::api::Api;
use crate::server::reply::{self, Answer};
use crate::server::{assets, collect};
use crate::wal::Wal;

/// Everything a request may need.
pub struct App {
    pub(super) ingest: Ingest,
    wal: Wal,
    api: Api,
    event_paths: Vec<String>,
    script_paths: Vec<String>,
}

impl App {
    /// Joins the parts.
    pub fn new(
        config: &Config,
        ingest: Ingest,
        wal: Wal,
        dashboard: Dashboard,
        accounts: Accounts,
    ) -> App {
        let server = &config.server;
        let public_url = server.public_url.as_ref().map_or_else(String::new, |_| config.base_url());
        App {
            ingest,
            wal,
            api: Api { accounts, dashboard, public_url, secure_cookies: config.is_https() },
            event_paths: with(&["/api/event"], &server.event_paths),
            script_paths: with(&["/tracker.js"], &server.script_paths),
        }
    }

    /// What is to be done now and then; see [`Ingest::housekeep`].
    pub fn housekeep(&self) {
        if let Err(error) = self.ingest.housekeep() {
            tracing::error!(%error, "ingest: housekeeping failed; trying again");
        }
    }

    /// Answers one request. The hot path is the first comparison.
    pub(super) async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> Answer {
        let path = request.uri().path();
        if self.event_paths.iter().any(|known| known == path) {
            return match *request.method() {
                Method::POST => collect::post(&self.ingest, &self.wal, request, peer.ip()).await,
                Method::OPTIONS => collect::preflight(),
                _ => reply::method_not_allowed(),
            };
        }
        if path.starts_with("/api/") {
            return self.api.answer(request).await;
        }
        match (request.method(), path) {
            (&Method::GET | &Method::HEAD, "/healthz") => reply::text(StatusCode::OK, "ok\n"),
            (&Method::GET | &Method::HEAD, "/readyz") => self.ready(),
            (&Method::GET | &Method::HEAD, _) if self.is_script(path) => {
                assets::tracker(request.headers())
            }
            (&Method::GET | &Method::HEAD, _) => assets::file(path, request.headers()),
            _ => reply::method_not_allowed(),
        }
    }

    fn ready(&self) -> Answer {
        match self.wal.accepting() {
            Ok(()) => reply::text(StatusCode::OK, "ready\n"),
            Err(reason) => {
                let message = format!("not accepting events: {reason}");
                reply::retry(StatusCode::SERVICE_UNAVAILABLE, "unavailable", &message, 5)
            }
        }
    }

    /// Our own names and those that installed Plausible snippets ask for.
    fn is_script(&self, path: &str) -> bool {
        let plausible = path.strip_prefix("/js/").is_some_and(|name| {
            name == "script.js"
                || name == "plausible.js"
                || (name.starts_with("script.") && name.ends_with(".js"))
        });
        plausible || self.script_paths.iter().any(|known| known == path)
    }
}

/// The metrics listener's only answer.
pub(super) fn metrics(request: &Request<Incoming>) -> Answer {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/metrics") => {
            let mut answer = reply::json(StatusCode::OK, METRICS.render());
            let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
            answer.headers_mut().insert(http::header::CONTENT_TYPE, kind);
            answer
        }
        _ => reply::not_found(),
    }
}

fn with(fixed: &[&str], more: &[String]) -> Vec<String> {
    fixed.iter().map(ToString::to_string).chain(more.iter().cloned()).collect()
}
