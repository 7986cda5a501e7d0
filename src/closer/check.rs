//! Conservation: for every closed hour and sealed day the rollups hold what raw holds (I10).

use clickhouse::Row;
use serde::Deserialize;

use super::scope::Scope;
use super::sql;
use crate::hours::{Day, Hour};
use crate::store::{Store, StoreError};
use crate::tenant::SiteId;

const HOUR: &str = include_str!("check/hour.sql");
const DAY: &str = include_str!("check/day.sql");

/// A figure of one site that raw and a rollup disagree on.
#[derive(Clone, Debug, PartialEq, Eq, Row, Deserialize)]
pub struct Mismatch {
    pub site_id: u32,
    /// Rollup and column, such as `pages.views`.
    pub figure: String,
    pub raw: i64,
    pub rolled_up: i64,
}

pub(super) async fn hour(store: &Store, hour: Hour) -> Result<Vec<Mismatch>, StoreError> {
    store.rows(&sql::query(HOUR), &Scope::hour(hour).params()).await
}

pub(super) async fn day(
    store: &Store,
    day: Day,
    site: Option<SiteId>,
) -> Result<Vec<Mismatch>, StoreError> {
    store.rows(&sql::query(DAY), &Scope::day(day, site).params()).await
}
