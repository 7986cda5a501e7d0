//! Where visitors are.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Window;
use super::kinds::PlaceKind;
use super::page::{Listing, Page, Question, is_for_listing, listed};
use crate::store::{Param, Store, StoreError};
use crate::tenant::Tenant;
use crate::tenant_query;

tenant_query!(PLACES, "places.sql");

/// A country, region or city, by the first event of each visit.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct PlaceRow {
    /// Empty when unknown.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Empty in a report of countries.
    pub region: String,
    pub visitors: u64,
    pub visits: u64,
    pub views: u64,
    pub bounces: u64,
    pub duration_ms: u64,
    #[serde(skip_serializing_if = "is_for_listing")]
    pub(super) total: u64,
}

listed!(PlaceRow);

/// Places of one kind, by visitors.
///
/// # Errors
/// See [`StoreError`].
pub async fn places(
    store: &Store,
    tenant: Tenant,
    window: &Window,
    kind: PlaceKind,
    page: &Page<'_>,
) -> Result<Listing<PlaceRow>, StoreError> {
    let params = [("kind", Param::from(kind.as_str()))];
    Question { query: &PLACES, tenant, window, page }.ask(store, &params).await
}
