//! The headline figures.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::store::{Param, Store, StoreError};
use crate::tenant::Tenant;
use crate::tenant_query;

tenant_query!(TOTALS, "totals.sql");
tenant_query!(TOTALS_BEFORE, "totals_before.sql");

/// Sums of a window. Visitors of different days add up: nobody is known for longer than a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct Totals {
    pub visitors: u64,
    pub visits: u64,
    pub views: u64,
    /// Custom events.
    pub events: u64,
    pub bounces: u64,
    pub duration_ms: u64,
    pub engaged_ms: u64,
}

/// The sums of whole days.
///
/// # Errors
/// See [`StoreError`].
pub async fn totals(store: &Store, tenant: Tenant, window: &Window) -> Result<Totals, StoreError> {
    let rows = store.fetch::<Totals>(&TOTALS, tenant, window, &[]).await?;
    Ok(rows.first().copied().unwrap_or_default())
}

/// The sums of days cut at an instant (Unix seconds, the start of a site's hour), to compare a day
/// that is not over: visits that began before it, views and events of the hours before it.
///
/// # Errors
/// See [`StoreError`].
pub async fn totals_before(
    store: &Store,
    tenant: Tenant,
    window: &Window,
    cut_s: u32,
) -> Result<Totals, StoreError> {
    let cut = [("cut", Param::U64(cut_s.into()))];
    let rows = store.fetch::<Totals>(&TOTALS_BEFORE, tenant, window, &cut).await?;
    Ok(rows.first().copied().unwrap_or_default())
}
