//! Pages, and where visits began and ended.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::page::{Listing, Page, Question, is_for_listing, listed};
use super::{TenantQuery, Window};
use crate::store::{Store, StoreError};
use crate::tenant::Tenant;
use crate::tenant_query;

tenant_query!(PAGES, "pages.sql");
tenant_query!(ENTRY_PAGES, "entry_pages.sql");
tenant_query!(EXIT_PAGES, "exit_pages.sql");

/// A page that was viewed.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct PageRow {
    pub name: String,
    pub visitors: u64,
    pub views: u64,
    pub engaged_ms: u64,
    /// Mean of what was reported, in percent; 0 when nothing was.
    pub scroll: u8,
    #[serde(skip_serializing_if = "is_for_listing")]
    pub(super) total: u64,
}

/// A page on which visits began.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct EntryPageRow {
    pub name: String,
    pub visitors: u64,
    pub visits: u64,
    pub bounces: u64,
    pub duration_ms: u64,
    #[serde(skip_serializing_if = "is_for_listing")]
    pub(super) total: u64,
}

/// A page on which visits ended.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct ExitPageRow {
    pub name: String,
    pub visitors: u64,
    pub visits: u64,
    #[serde(skip_serializing_if = "is_for_listing")]
    pub(super) total: u64,
}

listed!(PageRow, EntryPageRow, ExitPageRow);

/// Pages by visitors.
///
/// # Errors
/// See [`StoreError`].
pub async fn pages(
    store: &Store,
    tenant: Tenant,
    window: &Window,
    page: &Page<'_>,
) -> Result<Listing<PageRow>, StoreError> {
    question(&PAGES, tenant, window, page).ask(store, &[]).await
}

/// First pages of visits, by visitors. A visit without a page view has none.
///
/// # Errors
/// See [`StoreError`].
pub async fn entry_pages(
    store: &Store,
    tenant: Tenant,
    window: &Window,
    page: &Page<'_>,
) -> Result<Listing<EntryPageRow>, StoreError> {
    question(&ENTRY_PAGES, tenant, window, page).ask(store, &[]).await
}

/// Last pages of visits, by visitors. A visit without a page view has none.
///
/// # Errors
/// See [`StoreError`].
pub async fn exit_pages(
    store: &Store,
    tenant: Tenant,
    window: &Window,
    page: &Page<'_>,
) -> Result<Listing<ExitPageRow>, StoreError> {
    question(&EXIT_PAGES, tenant, window, page).ask(store, &[]).await
}

fn question<'a>(
    query: &'a TenantQuery,
    tenant: Tenant,
    window: &'a Window,
    page: &'a Page<'a>,
) -> Question<'a> {
    Question { query, tenant, window, page }
}
