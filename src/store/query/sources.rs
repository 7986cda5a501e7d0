//! Where visits came from.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Window;
use super::kinds::SourceKind;
use super::page::{Listing, Page, Question, is_for_listing, listed};
use crate::event::Channel;
use crate::store::{Param, Store, StoreError};
use crate::tenant::Tenant;
use crate::tenant_query;

tenant_query!(SOURCES, "sources.sql");

/// A source, by the first event of each visit.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct SourceRow {
    /// Empty for direct.
    pub name: String,
    pub visitors: u64,
    pub visits: u64,
    pub views: u64,
    pub bounces: u64,
    pub duration_ms: u64,
    #[serde(skip_serializing_if = "is_for_listing")]
    pub(super) total: u64,
}

listed!(SourceRow);

/// Sources of one kind, by visitors. Visits without a tag are not in the report of that tag.
///
/// # Errors
/// See [`StoreError`].
pub async fn sources(
    store: &Store,
    tenant: Tenant,
    window: &Window,
    kind: SourceKind,
    page: &Page<'_>,
) -> Result<Listing<SourceRow>, StoreError> {
    let channels = Channel::ALL.iter().map(|c| c.as_str().to_owned()).collect();
    let params = [("kind", Param::from(kind.as_str())), ("channels", Param::Strs(channels))];
    Question { query: &SOURCES, tenant, window, page }.ask(store, &params).await
}
