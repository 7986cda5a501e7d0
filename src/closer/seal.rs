//! One day's final sums.

use clickhouse::Row;
use serde::Deserialize;

use super::scope::Scope;
use super::{CloserError, close, sql};
use crate::hours::Day;
use crate::store::{Store, StoreError};
use crate::tenant::SiteId;

/// Which tables have rows of the day.
const PRESENT: &str = include_str!("seal/present.sql");
/// Sites that have sums of the day and no raw event, not even of a bot.
const ERASED: &str = include_str!("seal/erased.sql");

#[derive(Row, Deserialize)]
struct Present {
    table: String,
}

#[derive(Row, Deserialize)]
struct Erased {
    site_id: u32,
}

/// Computes a day from raw, for one site or all, whatever is there of it.
pub(super) async fn write(
    store: &Store,
    (day, site): (Day, Option<SiteId>),
    pass_rows: u64,
) -> Result<(), StoreError> {
    let scope = Scope::day(day, site);
    for present in store.rows::<Present>(&sql::query(PRESENT), &scope.params()).await? {
        if let Some(delete) = delete(&present.table) {
            store.run(&sql::query(delete), &scope.params()).await?;
        }
    }
    let rows = close::count(store, &scope).await?;
    if rows == 0 {
        return Ok(());
    }
    for pass in scope.passes(rows, pass_rows) {
        for statement in sql::SEAL.iter() {
            store.run(statement, &pass.params()).await?;
        }
    }
    Ok(())
}

/// Refuses to write a sealed day anew when its raw events are gone.
pub(super) async fn refuse_erased(
    store: &Store,
    day: Day,
    site: Option<SiteId>,
) -> Result<(), CloserError> {
    let scope = Scope::day(day, site);
    match store.rows::<Erased>(&sql::query(ERASED), &scope.params()).await?.first() {
        Some(erased) => Err(CloserError::Erased { site: SiteId(erased.site_id), day }),
        None => Ok(()),
    }
}

fn delete(table: &str) -> Option<&'static str> {
    Some(match table {
        "visits" => "DELETE FROM visits WHERE @of_day",
        "hourly_visitors" => "DELETE FROM hourly_visitors WHERE @of_day",
        "daily_totals" => "DELETE FROM daily_totals WHERE @of_day",
        "daily_pages" => "DELETE FROM daily_pages WHERE @of_day",
        "daily_sources" => "DELETE FROM daily_sources WHERE @of_day",
        "daily_geo" => "DELETE FROM daily_geo WHERE @of_day",
        "daily_devices" => "DELETE FROM daily_devices WHERE @of_day",
        "daily_events" => "DELETE FROM daily_events WHERE @of_day",
        _ => return None,
    })
}
