//! The dashboard's API: who asks, what they may, and which handler answers. The contract is docs/api.md.

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;

use crate::accounts::{
    Accounts, AccountsError, Actor, Caller, Denied, Scope, Session, Site, SiteChange,
};
use crate::dashboard::{Dashboard, Question};
use crate::server::body;
use crate::server::reply::{self, Answer};
use crate::tenant::SiteId;

/// Account requests are short.
const BODY_BYTES_MAX: usize = 16 * 1024;
const COOKIE_NAME: &str = "tallyhouse_session";

/// What the API needs.
pub(super) struct Api {
    pub(super) accounts: Accounts,
    pub(super) dashboard: Dashboard,
    /// Where browsers reach this server, for the snippet; empty: where they asked.
    pub(super) public_url: String,
    /// Whether cookies must travel over TLS only.
    pub(super) secure_cookies: bool,
}

type Handled = Result<Answer, Denied>;

impl Api {
    /// Answers a request below `/api/`.
    pub(super) async fn answer(&self, request: http::Request<Incoming>) -> Answer {
        let (head, incoming) = request.into_parts();
        let parts: Vec<&str> = head.uri.path().split('/').skip(2).collect();
        let handled = match (&head.method, parts.as_slice()) {
            (&Method::GET, ["me"]) => {
                self.caller(&head.headers).and_then(|caller| self.me(&caller))
            }
            (&Method::POST, ["login"]) => self.login(incoming).await,
            (&Method::POST, ["logout"]) => self.logout(&head.headers),
            (&Method::GET, ["setup"]) => self.look_at_link(head.uri.query().unwrap_or("")),
            (&Method::POST, ["setup"]) => self.set_up(incoming).await,
            (&Method::POST, ["sites"]) => self.add_site(&head.headers, incoming).await,
            (&Method::GET, ["sites", id, "snippet"]) => self.snippet(&head.headers, id),
            (&Method::GET, ["sites", id, report]) => self.report(&head, id, report).await,
            (_, ["me" | "login" | "logout" | "setup" | "sites"] | ["sites", _, _]) => {
                return reply::method_not_allowed();
            }
            _ => return reply::not_found(),
        };
        handled.unwrap_or_else(|denied| refusal(&denied))
    }

    fn me(&self, caller: &Caller) -> Handled {
        let sites: Vec<_> = self
            .accounts
            .sites_of(caller)?
            .iter()
            .map(|(site, role)| {
                serde_json::json!({ "id": site.id, "domain": site.domain, "timezone": site.timezone,
                    "role": role, "demo": site.demo })
            })
            .collect();
        let user = caller.user().map(
            |user| serde_json::json!({ "id": user.id.0, "email": user.email, "owner": user.owner }),
        );
        let me = serde_json::json!({ "user": user, "csrf": caller.csrf(), "sites": sites });
        Ok(reply::json(StatusCode::OK, me.to_string().into_bytes()))
    }

    async fn login(&self, incoming: Incoming) -> Handled {
        let Credentials { email, password, .. } = parse(incoming).await?;
        let accounts = self.accounts.clone();
        let session = blocking(move || accounts.sign_in(&email, &password)).await?;
        self.signed_in(&session)
    }

    fn logout(&self, headers: &HeaderMap) -> Handled {
        let caller = self.caller(headers)?;
        caller.check_csrf(csrf(headers))?;
        if let Some(token) = session_cookie(headers) {
            self.accounts.sign_out(token)?;
        }
        let mut answer = reply::text(StatusCode::NO_CONTENT, "");
        let cookie = self.cookie("", 0);
        answer.headers_mut().insert(SET_COOKIE, cookie);
        Ok(answer)
    }

    fn look_at_link(&self, query: &str) -> Handled {
        let token = Question::new(query).get("token").unwrap_or_default();
        let body = match self.accounts.link(&token) {
            Ok(link) => serde_json::json!({ "valid": true, "email": link.email }),
            Err(Denied::BadLink) => serde_json::json!({ "valid": false, "email": null }),
            Err(other) => return Err(other),
        };
        Ok(reply::json(StatusCode::OK, body.to_string().into_bytes()))
    }

    async fn set_up(&self, incoming: Incoming) -> Handled {
        let Credentials { token, email, password } = parse(incoming).await?;
        let accounts = self.accounts.clone();
        let session = blocking(move || accounts.complete_setup(&token, &email, &password)).await?;
        self.signed_in(&session)
    }

    async fn add_site(&self, headers: &HeaderMap, incoming: Incoming) -> Handled {
        let caller = self.caller(headers)?;
        caller.check_csrf(csrf(headers))?;
        caller.check_scope(Scope::SitesWrite)?;
        let owner = caller.user().filter(|user| user.owner).ok_or(Denied::Forbidden)?;
        let NewSite { domain, timezone } = parse(incoming).await?;
        let change = SiteChange { timezone, ..SiteChange::default() };
        let site = self.accounts.add_site(Actor::User(owner.id), &domain, &change)?;
        let body = serde_json::json!({ "id": site.id, "domain": site.domain,
            "timezone": site.timezone, "role": "owner", "demo": site.demo });
        Ok(reply::json(StatusCode::CREATED, body.to_string().into_bytes()))
    }

    fn snippet(&self, headers: &HeaderMap, id: &str) -> Handled {
        let caller = self.caller(headers)?;
        let site = self.site(&caller, id)?;
        let host = headers.get("host").and_then(|h| h.to_str().ok()).unwrap_or("localhost");
        let origin = match self.public_url.as_str() {
            "" => format!("http://{host}"),
            url => url.trim_end_matches('/').to_owned(),
        };
        // The second line is the function a page calls for custom events; see tracker/README.md.
        let html = format!(
            r#"<script defer src="{origin}/tracker.js" data-domain="{}"></script>
<script>window.tallyhouse=window.tallyhouse||function(){{(tallyhouse.q=tallyhouse.q||[]).push(arguments)}}</script>"#,
            site.domain
        );
        let body = serde_json::json!({ "html": html });
        Ok(reply::json(StatusCode::OK, body.to_string().into_bytes()))
    }

    async fn report(&self, head: &http::request::Parts, id: &str, report: &str) -> Handled {
        let caller = self.caller(&head.headers)?;
        let site = self.site(&caller, id)?;
        let tenant = self.accounts.tenant(&caller, site.id)?;
        let question = Question::new(head.uri.query().unwrap_or(""));
        let found = self.dashboard.report(&site, tenant, report, &question).await;
        Ok(super::report::answer(found, &head.headers))
    }

    fn site(&self, caller: &Caller, id: &str) -> Result<Site, Denied> {
        let id = id.parse().map(SiteId).map_err(|_| Denied::NoSuchSite)?;
        self.accounts.role(caller, id)?;
        let directory = self.accounts.directory();
        directory.iter().find(|site| site.id == id).cloned().ok_or(Denied::NoSuchSite)
    }

    fn caller(&self, headers: &HeaderMap) -> Result<Caller, Denied> {
        if let Some(header) = headers.get(AUTHORIZATION) {
            let bearer = header.to_str().ok().and_then(|text| text.strip_prefix("Bearer "));
            return self.accounts.caller_by_key(bearer.ok_or(Denied::NotSignedIn)?.trim());
        }
        self.accounts.caller_by_session(session_cookie(headers).ok_or(Denied::NotSignedIn)?)
    }

    fn signed_in(&self, session: &Session) -> Handled {
        let mut answer = self.me(&session.caller)?;
        let cookie = self.cookie(session.token.reveal(), Session::MAX_AGE.as_secs());
        answer.headers_mut().insert(SET_COOKIE, cookie);
        Ok(answer)
    }

    fn cookie(&self, token: &str, max_age_s: u64) -> HeaderValue {
        let secure = if self.secure_cookies { "; Secure" } else { "" };
        let cookie = format!(
            "{COOKIE_NAME}={token}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}"
        );
        HeaderValue::try_from(cookie).expect("a token is hexadecimal")
    }
}

#[derive(Deserialize)]
struct Credentials {
    #[serde(default)]
    token: String,
    #[serde(default)]
    email: String,
    password: String,
}

#[derive(Deserialize)]
struct NewSite {
    domain: String,
    timezone: Option<String>,
}

async fn parse<T: for<'a> Deserialize<'a>>(incoming: Incoming) -> Result<T, AccountsError> {
    let body: Bytes = body::read(incoming, BODY_BYTES_MAX)
        .await
        .map_err(|_| AccountsError::invalid("body", "is too large or was not sent in time"))?;
    serde_json::from_slice(&body).map_err(|error| {
        AccountsError::invalid("body", format!("is not the JSON expected: {error}"))
    })
}

/// Hashing a password takes tens of milliseconds: not on a thread that serves requests.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Denied> + Send + 'static,
) -> Result<T, Denied> {
    tokio::task::spawn_blocking(work).await.expect("it does not panic and is never cancelled")
}

fn csrf(headers: &HeaderMap) -> Option<&str> {
    headers.get("x-csrf-token").and_then(|value| value.to_str().ok())
}

fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    cookies.flat_map(|line| line.split(';')).find_map(|pair| {
        pair.trim().strip_prefix(COOKIE_NAME)?.strip_prefix('=').filter(|token| !token.is_empty())
    })
}

/// The one table from a denial to an answer.
fn refusal(denied: &Denied) -> Answer {
    let message = denied.to_string();
    let error = |status, word| reply::error(status, word, &message, None);
    match denied {
        Denied::NotSignedIn => error(StatusCode::UNAUTHORIZED, "not_signed_in"),
        Denied::WrongCredentials => error(StatusCode::UNAUTHORIZED, "wrong_credentials"),
        Denied::Throttled(wait) => {
            let seconds = wait.as_secs().max(1);
            reply::retry(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", &message, seconds)
        }
        Denied::NoSuchSite => error(StatusCode::NOT_FOUND, "no_such_site"),
        Denied::Csrf => error(StatusCode::FORBIDDEN, "csrf"),
        Denied::Forbidden => error(StatusCode::FORBIDDEN, "forbidden"),
        Denied::BadLink => error(StatusCode::BAD_REQUEST, "bad_link"),
        Denied::Failed(AccountsError::Invalid { field, .. }) => {
            reply::error(StatusCode::BAD_REQUEST, "invalid", &message, Some(field))
        }
        Denied::Failed(AccountsError::Taken(_)) => error(StatusCode::CONFLICT, "taken"),
        Denied::Failed(AccountsError::Missing(_)) => error(StatusCode::NOT_FOUND, "missing"),
        Denied::Failed(failure) => {
            tracing::error!(%failure, "api: the accounts failed");
            let message = "the accounts database failed; the server's log says why";
            reply::error(StatusCode::INTERNAL_SERVER_ERROR, "internal", message, None)
        }
    }
}
