//! What visitors use.

use clickhouse::Row;
use serde::{Deserialize, Serialize};

use super::Window;
use super::kinds::DeviceDimension;
use super::page::{Listing, Page, Question, is_for_listing, listed};
use crate::event::{DeviceKind, Screen};
use crate::store::{Param, Store, StoreError};
use crate::tenant::Tenant;
use crate::tenant_query;

tenant_query!(DEVICES, "devices.sql");

/// A browser, system, device or language, by the first event of each visit.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct DeviceRow {
    /// Empty when unknown.
    pub name: String,
    /// Only in reports of versions.
    pub version: String,
    pub visitors: u64,
    pub visits: u64,
    pub views: u64,
    pub bounces: u64,
    pub duration_ms: u64,
    #[serde(skip_serializing_if = "is_for_listing")]
    pub(super) total: u64,
}

listed!(DeviceRow);

/// Devices of one kind, by visitors.
///
/// # Errors
/// See [`StoreError`].
pub async fn devices(
    store: &Store,
    tenant: Tenant,
    window: &Window,
    kind: DeviceDimension,
    page: &Page<'_>,
) -> Result<Listing<DeviceRow>, StoreError> {
    let params = [
        ("kind", Param::from(kind.as_str())),
        ("devices", names(DeviceKind::ALL, DeviceKind::as_str)),
        ("screens", names(Screen::ALL, Screen::as_str)),
    ];
    Question { query: &DEVICES, tenant, window, page }.ask(store, &params).await
}

fn names<T: Copy>(all: &[T], name: impl Fn(T) -> &'static str) -> Param {
    Param::Strs(all.iter().map(|one| name(*one).to_owned()).collect())
}
