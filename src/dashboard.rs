//! The read API's reports: a question and a tenant in, JSON of closed hours out.
//!
//! Every answer is a pure function of (question, horizon, epoch) (I8), which is its ETag and its key in
//! the cache: within an hour a question costs ClickHouse once. Knows no HTTP; `server` does.

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::accounts::Site;
use crate::closer::Horizon;
use crate::hours::Day;
use crate::limits;
use crate::store::query::kinds::{DeviceDimension, PlaceKind, SourceKind};
use crate::store::query::page::{Listing, Page};
use crate::store::query::totals::{totals, totals_before};
use crate::store::query::{Window, devices, events, extent, pages, places, sources, timeseries};
use crate::store::{Class, Store, StoreError};
use crate::tenant::Tenant;

mod cache;
mod question;
mod range;
mod series;

pub use question::Question;

use cache::Cache;
use range::{Interval, Range};

/// An answer.
#[derive(Debug)]
pub struct Report {
    /// JSON.
    pub body: Bytes,
    /// Names the answer's version; none: it must not be kept.
    pub etag: Option<String>,
}

/// A parameter that is missing or wrong.
#[derive(Debug, PartialEq, Eq)]
pub struct BadRequest {
    pub field: &'static str,
    pub message: String,
}

impl BadRequest {
    fn new(field: &'static str, message: &str) -> BadRequest {
        BadRequest { field, message: message.to_owned() }
    }
}

/// Why there is no report.
#[derive(Debug)]
pub enum Failure {
    BadRequest(BadRequest),
    NoSuchReport,
    /// ClickHouse is away or overloaded: try again.
    Away(String),
    /// ClickHouse refused our query: a bug.
    Refused(String),
}

impl From<BadRequest> for Failure {
    fn from(bad: BadRequest) -> Failure {
        Failure::BadRequest(bad)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        match error.class {
            Class::Retry => Failure::Away(error.to_string()),
            Class::Refused | Class::Fatal => Failure::Refused(error.to_string()),
        }
    }
}

/// The reports.
pub struct Dashboard {
    store: Store,
    /// How far the hours are closed; nothing until ClickHouse was asked for the first time.
    horizon: watch::Receiver<Option<Horizon>>,
    cache: Cache,
}

/// What a report is made of, gathered once.
struct Asked<'a> {
    site: &'a Site,
    tenant: Tenant,
    question: &'a Question,
    horizon: Horizon,
}

impl Dashboard {
    /// Reads from `store` up to `horizon`.
    pub fn new(store: Store, horizon: watch::Receiver<Option<Horizon>>) -> Dashboard {
        Dashboard { store, horizon, cache: Cache::new(limits::CACHE_BYTES_MAX) }
    }

    /// Answers one report of docs/api.md.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn report(
        &self,
        site: &Site,
        tenant: Tenant,
        name: &str,
        question: &Question,
    ) -> Result<Report, Failure> {
        let horizon = *self.horizon.borrow();
        let horizon = horizon
            .ok_or_else(|| Failure::Away("ClickHouse has not answered since the start".into()))?;
        let asked = Asked { site, tenant, question, horizon };
        if name == "status" {
            return Ok(Report { body: self.status(&asked).await?, etag: None });
        }
        // The time zone is part of the question: it decides what a day is.
        let key = format!("{}/{name}?{}@{}", site.id.0, question.canonical(), site.timezone);
        let etag = Some(etag(&key, &horizon));
        if let Some(body) = self.cache.get(&horizon, &key) {
            return Ok(Report { body, etag });
        }
        let body = self.compute(name, &asked).await?;
        self.cache.put(&horizon, key, body.clone());
        Ok(Report { body, etag })
    }

    async fn status(&self, asked: &Asked<'_>) -> Result<Bytes, Failure> {
        let ever = Window {
            from: Day(0),
            until: Day(u16::MAX),
            sealed: asked.horizon.sealed_through,
            horizon: asked.horizon.closed_until,
        };
        let seen = extent::extent(&self.store, asked.tenant, &ever).await?;
        Ok(bytes(&json!({
            "as_of": asked.as_of(),
            "epoch": asked.horizon.epoch,
            "today": range::today(asked.site, &asked.horizon).to_string(),
            "first_day": seen.map(|seen| seen.first_day.to_string()),
            "last_event_at": seen.map(|seen| asked.site.zone.rfc3339(seen.last_event_ms)),
            "timezone": asked.site.timezone,
            "demo": asked.site.demo,
        })))
    }

    async fn compute(&self, name: &str, asked: &Asked<'_>) -> Result<Bytes, Failure> {
        let question = asked.question;
        let (from, until) = (question.get("from"), question.get("until"));
        let range = Range::parse(from.as_deref(), until.as_deref(), asked.site, &asked.horizon)?;
        match name {
            "totals" => self.totals(asked, &range).await,
            "timeseries" => self.timeseries(asked, &range).await,
            _ => self.table(name, asked, &range).await,
        }
    }

    async fn totals(&self, asked: &Asked<'_>, range: &Range) -> Result<Bytes, Failure> {
        let window = range.window(&asked.horizon);
        let totals = totals(&self.store, asked.tenant, &window).await?;
        let previous = match asked.question.get("compare").as_deref() {
            None => None,
            Some("previous") => Some(self.previous(asked, range).await?),
            Some(_) => return Err(BadRequest::new("compare", "must be `previous`").into()),
        };
        Ok(bytes(&json!({
            "as_of": asked.as_of(), "from": range.from.to_string(), "until": range.until.to_string(),
            "totals": totals, "previous": previous,
        })))
    }

    /// The period before. While the running day is part of the range, its counterpart counts only as
    /// far into the day, or the comparison would always look like a loss.
    async fn previous(&self, asked: &Asked<'_>, range: &Range) -> Result<Value, Failure> {
        let before = range.previous();
        let mut window = before.window(&asked.horizon);
        if !range.holds_today() {
            let totals = totals(&self.store, asked.tenant, &window).await?;
            return Ok(json!(totals));
        }
        let last = Day(before.until.0.saturating_sub(1));
        let elapsed_ms =
            asked.horizon.closed_until.start_ms() - asked.site.zone.day_start_ms(range.today);
        let cut_ms = asked.site.zone.day_start_ms(last) + elapsed_ms;
        window.until = last;
        let mut totals = totals(&self.store, asked.tenant, &window).await?;
        window.from = last;
        window.until = before.until;
        let cut_s = u32::try_from(cut_ms / 1000).unwrap_or(0);
        let part = totals_before(&self.store, asked.tenant, &window, cut_s).await?;
        series::add(&mut totals, &part);
        Ok(json!(totals))
    }

    async fn timeseries(&self, asked: &Asked<'_>, range: &Range) -> Result<Bytes, Failure> {
        let interval = Interval::parse(asked.question.get("interval").as_deref(), range)?;
        let window = range.window(&asked.horizon);
        let points = if interval == Interval::Hour {
            let rows = timeseries::hours(&self.store, asked.tenant, &window).await?;
            series::hours(&rows, &asked.site.zone, range, asked.horizon.closed_until)
        } else {
            let rows = timeseries::days(&self.store, asked.tenant, &window).await?;
            series::days(&rows, range, interval)
        };
        Ok(bytes(&json!({
            "as_of": asked.as_of(), "interval": interval.as_str(), "points": points,
        })))
    }

    async fn table(&self, name: &str, asked: &Asked<'_>, range: &Range) -> Result<Bytes, Failure> {
        let search = asked.question.get("search").unwrap_or_default();
        let limit = asked.question.number("limit", 10, limits::REPORT_ROWS_MAX)?;
        let offset = asked.question.number("offset", 0, u32::MAX)?;
        let page = Page { limit, offset, search: &search };
        let window = range.window(&asked.horizon);
        let kind = asked.question.get("kind");
        let (store, tenant) = (&self.store, asked.tenant);
        let (total, rows) = match name {
            "pages" => table(pages::pages(store, tenant, &window, &page).await?),
            "entry-pages" => table(pages::entry_pages(store, tenant, &window, &page).await?),
            "exit-pages" => table(pages::exit_pages(store, tenant, &window, &page).await?),
            "sources" => {
                let kind = question::kind(kind, "source", SourceKind::named)?;
                table(sources::sources(store, tenant, &window, kind, &page).await?)
            }
            "places" => {
                let kind = question::kind(kind, "country", PlaceKind::named)?;
                table(places::places(store, tenant, &window, kind, &page).await?)
            }
            "devices" => {
                let kind = question::kind(kind, "browser", DeviceDimension::named)?;
                table(devices::devices(store, tenant, &window, kind, &page).await?)
            }
            "events" => table(events::events(store, tenant, &window, &page).await?),
            "event-props" => {
                let event = asked.question.get("name");
                let event =
                    event.ok_or_else(|| BadRequest::new("name", "an event's name is needed"))?;
                table(events::event_props(store, tenant, &window, &event, &page).await?)
            }
            _ => return Err(Failure::NoSuchReport),
        };
        Ok(bytes(&json!({
            "as_of": asked.as_of(), "from": range.from.to_string(), "until": range.until.to_string(),
            "total": total, "rows": rows,
        })))
    }
}

impl Asked<'_> {
    /// The horizon, in the site's own time.
    fn as_of(&self) -> String {
        self.site.zone.rfc3339(self.horizon.closed_until.start_ms())
    }
}

fn table<R: serde::Serialize>(found: Listing<R>) -> (u64, Value) {
    (found.total, json!(found.rows))
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

fn etag(key: &str, horizon: &Horizon) -> String {
    let version = format!("{key}#{}.{}", horizon.closed_until.0, horizon.epoch);
    let hash = blake3::hash(version.as_bytes()).to_hex();
    format!("\"{}\"", &hash[..16])
}
