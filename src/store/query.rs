//! Reports: one `.sql` file beside its row struct, read through [`Store::fetch`] and nothing else.

pub mod devices;
pub mod events;
pub mod extent;
pub mod kinds;
pub mod page;
pub mod pages;
pub mod places;
pub mod sources;
pub mod timeseries;
pub mod totals;

use clickhouse::{RowOwned, RowRead};
use std::time::Duration;

use super::{Param, Store, StoreError, limited, tenant};
use crate::hours::{Day, Hour};
use crate::limits::{QUERY_BYTES_MAX, QUERY_SECONDS_MAX};
use crate::tenant::Tenant;

/// SQL that was found guarded when it was compiled; [`tenant_query!`](crate::tenant_query) makes one.
#[derive(Clone, Copy, Debug)]
pub struct TenantQuery {
    name: &'static str,
    sql: &'static str,
}

impl TenantQuery {
    /// For the macro, in a constant: there a query without its guard does not compile.
    ///
    /// # Panics
    /// A table of ours is not followed by `WHERE @sealed` or `WHERE @open`.
    pub const fn new(name: &'static str, sql: &'static str) -> TenantQuery {
        assert!(
            tenant::is_guarded(sql),
            "each table of ours needs `WHERE @sealed` or `WHERE @open` right behind it, and no OR beside it"
        );
        TenantQuery { name, sql }
    }

    /// Its name, for logs and tests.
    pub fn name(&self) -> &'static str {
        self.name
    }
}

/// Declares a report's SQL: `tenant_query!(PAGES, "pages.sql");`, a file beside the caller's.
#[macro_export]
macro_rules! tenant_query {
    ($(#[$doc:meta])* $name:ident, $file:literal) => {
        $(#[$doc])*
        pub const $name: $crate::store::query::TenantQuery =
            $crate::store::query::TenantQuery::new(stringify!($name), include_str!($file));
    };
}

/// What a report covers: days of the site, as far as they are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first day.
    pub from: Day,
    /// The day after the last.
    pub until: Day,
    /// The last sealed day; later days are read from open hours.
    pub sealed: Day,
    /// The first hour that is not closed.
    pub horizon: Hour,
}

impl Store {
    /// Reads a report of one site: the only way a dashboard reads.
    ///
    /// # Errors
    /// See [`StoreError`]; over the limits of time and memory it is Retry.
    pub async fn fetch<R>(
        &self,
        query: &TenantQuery,
        whose: Tenant,
        window: &Window,
        params: &[(&str, Param)],
    ) -> Result<Vec<R>, StoreError>
    where
        R: RowOwned + RowRead,
    {
        let mut all = vec![
            ("site", Param::from(whose.site().0)),
            ("from", Param::from(window.from)),
            ("until", Param::from(window.until)),
            ("sealed", Param::from(window.sealed)),
            ("horizon", Param::from(window.horizon)),
        ];
        for (name, value) in params {
            assert!(all.iter().all(|(taken, _)| taken != name), "`{name}` is the window's");
            all.push((name, value.clone()));
        }
        let query = self
            .query(&tenant::expand(query.sql), &all)?
            .with_setting("readonly", "1")
            .with_setting("max_execution_time", QUERY_SECONDS_MAX.to_string())
            .with_setting("max_memory_usage", QUERY_BYTES_MAX.to_string())
            .with_setting("max_bytes_before_external_group_by", (QUERY_BYTES_MAX / 2).to_string());
        limited(Duration::from_secs(QUERY_SECONDS_MAX + 5), query.fetch_all::<R>()).await
    }
}
