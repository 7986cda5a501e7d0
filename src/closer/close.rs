//! One hour's open rollups.

use std::collections::BTreeSet;

use clickhouse::Row;
use serde::Deserialize;

use super::scope::Scope;
use super::sql;
use crate::hours::{Day, HOUR_MS, Hour};
use crate::store::{Param, Store, StoreError};

/// The tables that hold one partition an hour.
const DROPS: [&str; 4] = [
    "ALTER TABLE open_visits DROP PARTITION ID {id:String}",
    "ALTER TABLE open_hours DROP PARTITION ID {id:String}",
    "ALTER TABLE open_pages DROP PARTITION ID {id:String}",
    "ALTER TABLE open_events DROP PARTITION ID {id:String}",
];

#[derive(Row, Deserialize)]
struct Number {
    number: u64,
}

#[derive(Row, Deserialize)]
struct Bucket {
    hour: u32,
}

/// Ends statements of ours that a process left behind when it died or gave up: run late, they would
/// add to what is written now. Only for the holder of the lock.
pub(super) async fn end_orphans(store: &Store) -> Result<(), StoreError> {
    let sql = "KILL QUERY WHERE user = currentUser() AND match(query, \
               '(?m)^(INSERT INTO|ALTER TABLE|DELETE FROM) (open_|daily_|hourly_visitors|visits)') \
               SYNC FORMAT Null";
    store.run(sql, &[]).await
}

/// Computes an hour from raw, whatever is there of it.
pub(super) async fn close(store: &Store, hour: Hour, pass_rows: u64) -> Result<(), StoreError> {
    drop_hour(store, hour).await?;
    let scope = Scope::hour(hour);
    let rows = count(store, &scope).await?;
    for pass in scope.passes(rows, pass_rows) {
        for statement in sql::CLOSE.iter() {
            store.run(statement, &pass.params()).await?;
        }
    }
    Ok(())
}

/// How many raw rows a scope has.
pub(super) async fn count(store: &Store, scope: &Scope) -> Result<u64, StoreError> {
    let sql = sql::query("SELECT count() AS number FROM events WHERE @raw");
    let rows = store.rows::<Number>(&sql, &scope.params()).await?;
    Ok(rows.first().map_or(0, |r| r.number))
}

/// The hours at or after `from` and before `until` to which something must be done: they have events,
/// or rows of an earlier try.
pub(super) async fn busy_hours(
    store: &Store,
    from: Hour,
    until: Hour,
) -> Result<BTreeSet<Hour>, StoreError> {
    let sql = "SELECT DISTINCT toUnixTimestamp(toStartOfHour(ts)) AS hour FROM events \
               WHERE site_id > 0 AND ts >= toDateTime({from:Int64}, 'UTC') \
                 AND ts < toDateTime({until:Int64}, 'UTC') \
               UNION DISTINCT \
               SELECT DISTINCT toUInt32OrZero(partition_id) FROM system.parts \
               WHERE database = currentDatabase() AND active AND startsWith(table, 'open_') \
                 AND toInt64OrZero(partition_id) >= {from:Int64} \
                 AND toInt64OrZero(partition_id) < {until:Int64}";
    let params = [
        ("from", Param::I64(from.start_s().into())),
        ("until", Param::I64(until.start_s().into())),
    ];
    let rows = store.rows::<Bucket>(sql, &params).await?;
    Ok(rows.into_iter().map(|b| Hour(b.hour / 3600)).collect())
}

/// Drops the hours that hold no event of `day` or a later one, in any time zone.
pub(super) async fn drop_before(store: &Store, day: Day) -> Result<(), StoreError> {
    let until = Hour::of_ms(day.begins_somewhere_ms() / HOUR_MS * HOUR_MS);
    let sql = "SELECT DISTINCT toUInt32OrZero(partition_id) AS hour FROM system.parts \
               WHERE database = currentDatabase() AND active AND startsWith(table, 'open_') \
                 AND toInt64OrZero(partition_id) < {until:Int64}";
    let params = [("until", Param::I64(until.start_s().into()))];
    for bucket in store.rows::<Bucket>(sql, &params).await? {
        drop_hour(store, Hour(bucket.hour / 3600)).await?;
    }
    Ok(())
}

async fn drop_hour(store: &Store, hour: Hour) -> Result<(), StoreError> {
    for sql in DROPS {
        store.run(sql, &[("id", Param::from(hour.start_s().to_string()))]).await?;
    }
    Ok(())
}
