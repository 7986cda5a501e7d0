//! From when until when a site has figures.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::hours::{Day, Hour};
use crate::store::{Store, StoreError};
use crate::tenant::Tenant;
use crate::tenant_query;

tenant_query!(EXTENT, "extent.sql");
tenant_query!(WAITING, "waiting.sql");

/// The first day and the last event of a site, as far as hours are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    pub first_day: Day,
    /// In milliseconds since the Unix epoch.
    pub last_event_ms: i64,
}

#[derive(Row, Serialize, Deserialize)]
struct ExtentRow {
    first_day: u16,
    last_event_ms: i64,
    any: u8,
}

/// Nothing when the site has no closed event in the window, which should be all of time.
///
/// # Errors
/// See [`StoreError`].
pub async fn extent(
    store: &Store,
    tenant: Tenant,
    window: &Window,
) -> Result<Option<Extent>, StoreError> {
    let rows = store.fetch::<ExtentRow>(&EXTENT, tenant, window, &[]).await?;
    let found = rows.first().filter(|row| row.any == 1);
    Ok(found.map(|r| Extent { first_day: Day(r.first_day), last_event_ms: r.last_event_ms }))
}

#[derive(Row, Serialize, Deserialize)]
struct WaitingRow {
    last_event_ms: i64,
    any: u8,
}

/// When the last hit came whose hour is not closed, in milliseconds since the Unix epoch. For a site
/// whose first hour still runs, so that its owner sees that the snippet works; no figure is told.
///
/// # Errors
/// See [`StoreError`].
pub async fn waiting(
    store: &Store,
    tenant: Tenant,
    horizon: Hour,
) -> Result<Option<i64>, StoreError> {
    let (from, end) = (Day(0), Day(u16::MAX));
    let ever = Window { from, until: end, sealed: end, horizon };
    let rows = store.fetch::<WaitingRow>(&WAITING, tenant, &ever, &[]).await?;
    Ok(rows.first().filter(|row| row.any == 1).map(|row| row.last_event_ms))
}
