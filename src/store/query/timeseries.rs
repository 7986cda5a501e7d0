//! Figures by hour and by day. Weeks and months are sums of days.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::store::{Store, StoreError};
use crate::tenant::Tenant;
use crate::tenant_query;

tenant_query!(HOURS, "hours.sql");
tenant_query!(DAYS, "days.sql");

/// One hour of the site. Visitors, views and events by the hour of the event; visits, bounces and
/// duration by the hour in which the visit began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct HourPoint {
    /// The instant at which the hour began, in Unix seconds.
    pub hour_s: u32,
    pub visitors: u64,
    pub visits: u64,
    pub views: u64,
    pub events: u64,
    pub bounces: u64,
    pub duration_ms: u64,
}

/// One day of the site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct DayPoint {
    /// Days since 1970-01-01.
    pub day: u16,
    pub visitors: u64,
    pub visits: u64,
    pub views: u64,
    pub events: u64,
    pub bounces: u64,
    pub duration_ms: u64,
}

/// Hours that have events and are complete, in order.
///
/// # Errors
/// See [`StoreError`].
pub async fn hours(
    store: &Store,
    tenant: Tenant,
    window: &Window,
) -> Result<Vec<HourPoint>, StoreError> {
    store.fetch(&HOURS, tenant, window, &[]).await
}

/// Days that have events, in order.
///
/// # Errors
/// See [`StoreError`].
pub async fn days(
    store: &Store,
    tenant: Tenant,
    window: &Window,
) -> Result<Vec<DayPoint>, StoreError> {
    store.fetch(&DAYS, tenant, window, &[]).await
}
