//! Custom events, their revenue and their properties.

use clickhouse::Row;
use serde::{Deserialize, Serialize, Serializer};

use super::Window;
use super::page::{Listing, Page, Question, is_for_listing, listed};
use crate::store::{Param, Store, StoreError};
use crate::tenant::Tenant;
use crate::tenant_query;

tenant_query!(EVENTS, "events.sql");
tenant_query!(EVENT_PROPS, "event_props.sql");

/// A custom event.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct EventRow {
    pub name: String,
    pub visitors: u64,
    pub count: u64,
    /// (ISO 4217 code, thousandths of its unit), by code.
    #[serde(serialize_with = "money")]
    pub revenue: Vec<(String, i64)>,
    #[serde(skip_serializing_if = "is_for_listing")]
    pub(super) total: u64,
}

/// A property of an event.
#[derive(Clone, Debug, PartialEq, Eq, Row, Serialize, Deserialize)]
pub struct EventPropRow {
    /// The event.
    pub name: String,
    pub key: String,
    pub value: String,
    pub visitors: u64,
    pub count: u64,
    #[serde(skip_serializing_if = "is_for_listing")]
    pub(super) total: u64,
}

listed!(EventRow, EventPropRow);

/// Custom events, by visitors.
///
/// # Errors
/// See [`StoreError`].
pub async fn events(
    store: &Store,
    tenant: Tenant,
    window: &Window,
    page: &Page<'_>,
) -> Result<Listing<EventRow>, StoreError> {
    Question { query: &EVENTS, tenant, window, page }.ask(store, &[]).await
}

/// The properties of one event (`pageview` too), by visitors.
///
/// # Errors
/// See [`StoreError`].
pub async fn event_props(
    store: &Store,
    tenant: Tenant,
    window: &Window,
    name: &str,
    page: &Page<'_>,
) -> Result<Listing<EventPropRow>, StoreError> {
    let params = [("name", Param::from(name))];
    Question { query: &EVENT_PROPS, tenant, window, page }.ask(store, &params).await
}

fn money<S: Serializer>(revenue: &[(String, i64)], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Money<'a> {
        currency: &'a str,
        milli: i64,
    }
    serializer
        .collect_seq(revenue.iter().map(|(currency, milli)| Money { currency, milli: *milli }))
}
