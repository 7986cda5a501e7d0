//! A slice of a long report.

use clickhouse::{RowOwned, RowRead};
use serde::Serialize;

use super::{TenantQuery, Window};
use crate::limits::REPORT_ROWS_MAX;
use crate::store::{Param, Store, StoreError};
use crate::tenant::Tenant;

/// Which rows of a report.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// At most [`REPORT_ROWS_MAX`].
    pub limit: u32,
    pub offset: u32,
    /// Names that contain it, whatever the case; empty for all.
    pub search: &'a str,
}

/// Rows of a report, the largest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listing<R> {
    /// How many there are in all.
    pub total: u64,
    pub rows: Vec<R>,
}

/// Keeps the column `total` of a row out of its JSON: it stands once in its [`Listing`].
pub(super) fn is_for_listing(_total: &u64) -> bool {
    true
}

/// A row that knows how many there are in all.
pub(super) trait Listed {
    fn total(&self) -> u64;
}

/// Implements [`Listed`] for rows with a column `total`.
macro_rules! listed {
    ($($row:ty),+) => {
        $(impl $crate::store::query::page::Listed for $row {
            fn total(&self) -> u64 {
                self.total
            }
        })+
    };
}
pub(super) use listed;

/// What a report is asked for.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) query: &'a TenantQuery,
    pub(super) tenant: Tenant,
    pub(super) window: &'a Window,
    pub(super) page: &'a Page<'a>,
}

impl Question<'_> {
    pub(super) async fn ask<R>(
        self,
        store: &Store,
        params: &[(&str, Param)],
    ) -> Result<Listing<R>, StoreError>
    where
        R: RowOwned + RowRead + Listed,
    {
        let Page { limit, offset, .. } = *self.page;
        let rows = self.slice(store, params, (limit.min(REPORT_ROWS_MAX), offset)).await?;
        let total = match rows.first() {
            Some(row) => R::total(row),
            // Behind the end there is no row to tell.
            None if offset > 0 => {
                self.slice::<R>(store, params, (1, 0)).await?.first().map_or(0, R::total)
            }
            None => 0,
        };
        Ok(Listing { total, rows })
    }

    async fn slice<R>(
        self,
        store: &Store,
        params: &[(&str, Param)],
        (limit, offset): (u32, u32),
    ) -> Result<Vec<R>, StoreError>
    where
        R: RowOwned + RowRead,
    {
        let mut all = params.to_vec();
        all.push(("limit", Param::from(limit)));
        all.push(("offset", Param::from(offset)));
        all.push(("search", Param::from(self.page.search)));
        store.fetch(self.query, self.tenant, self.window, &all).await
    }
}
