//! The markers: how far hours are closed and days sealed. A marker is written after what it promises.

use clickhouse::Row;
use serde::Deserialize;

use super::Horizon;
use crate::hours::{DAY_MS, Day, HOUR_MS, Hour};
use crate::store::{Param, Store, StoreError};
use crate::tenant::SiteId;

/// The newest value of every marker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) closed_until: Hour,
    pub(super) sealed_through: Day,
    epoch: u64,
    pub(super) rebuild: Option<Rebuild>,
}

/// Sealed days that are being computed again; kept until it is done, so that a crash does not leave
/// half a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rebuild {
    /// All sites when there is none.
    pub(super) site: Option<SiteId>,
    pub(super) from: Day,
    /// Exclusive.
    pub(super) until: Day,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress { closed_until: Hour(0), sealed_through: Day(0), epoch: 0, rebuild: None }
    }
}

#[derive(Row, Deserialize)]
struct Marker {
    key: String,
    value: u64,
}

#[derive(Row, Deserialize)]
struct Beginning {
    first_hour: u32,
    events: u64,
}

impl Progress {
    /// Nothing was ever closed: none.
    pub(super) async fn read(store: &Store) -> Result<Option<Progress>, StoreError> {
        let sql = "SELECT key, argMax(value, at) AS value FROM progress GROUP BY key";
        let markers = store.rows::<Marker>(sql, &[]).await?;
        let value = |key: &str| markers.iter().find(|m| m.key == key).map_or(0, |m| m.value);
        let day = |key: &str| Day(value(key) as u16);
        let rebuild = Rebuild {
            site: (value("rebuild_site") > 0).then(|| SiteId(value("rebuild_site") as u32)),
            from: day("rebuild_from"),
            until: day("rebuild_until"),
        };
        let begun = markers.iter().any(|m| m.key == "closed_until");
        Ok(begun.then(|| Progress {
            closed_until: Hour(value("closed_until") as u32),
            sealed_through: day("sealed_through"),
            epoch: value("epoch"),
            rebuild: (rebuild.from < rebuild.until).then_some(rebuild),
        }))
    }

    /// The first start: from the first hour in which a node took events, or from now. Imports and the
    /// demo may reach years further back; they rebuild their days themselves.
    pub(super) async fn begin(store: &Store, now: Hour) -> Result<Progress, StoreError> {
        let sql = "SELECT toUnixTimestamp(toStartOfHour(min(ts))) AS first_hour, count() AS events \
                   FROM events WHERE site_id > 0 AND node < 0x80000000";
        let found = store.rows::<Beginning>(sql, &[]).await?;
        let first = found.first().filter(|b| b.events > 0);
        let closed_until = first.map_or(now, |b| Hour(b.first_hour / 3600).min(now));
        let over = closed_until.start_ms() - 12 * HOUR_MS - DAY_MS;
        let progress =
            Progress { closed_until, sealed_through: Day::of_ms(over), ..Progress::default() };
        let sealed = u64::from(progress.sealed_through.0);
        let closed = u64::from(closed_until.0);
        write(store, &[("closed_until", closed), ("sealed_through", sealed), ("epoch", 0)]).await?;
        Ok(progress)
    }

    /// The day to be sealed next, and the hour before which all of it must be closed.
    pub(super) fn next_seal(&self) -> (Day, Hour) {
        let day = self.sealed_through.next();
        (day, Hour::of_ms(day.over_everywhere_ms()))
    }

    /// Whether anything is left to do before `until`.
    pub(super) fn has_work(&self, until: Hour) -> bool {
        self.rebuild.is_some()
            || self.closed_until < until
            || self.closed_until >= self.next_seal().1
    }

    pub(super) fn horizon(&self) -> Horizon {
        Horizon {
            closed_until: self.closed_until,
            sealed_through: self.sealed_through,
            epoch: self.epoch,
        }
    }

    pub(super) async fn close_until(
        &mut self,
        store: &Store,
        hour: Hour,
    ) -> Result<(), StoreError> {
        write(store, &[("closed_until", hour.0.into())]).await?;
        self.closed_until = hour;
        Ok(())
    }

    pub(super) async fn seal_through(&mut self, store: &Store, day: Day) -> Result<(), StoreError> {
        write(store, &[("sealed_through", day.0.into())]).await?;
        self.sealed_through = day;
        Ok(())
    }

    /// Notes sealed days to be written anew, and takes back the hours from `hour` on; all or nothing.
    pub(super) async fn begin_rebuild(
        &mut self,
        store: &Store,
        rebuild: Rebuild,
        hour: Hour,
    ) -> Result<(), StoreError> {
        let (hour, epoch) = (hour.min(self.closed_until), self.epoch + 1);
        let markers = [
            ("closed_until", hour.0.into()),
            ("epoch", epoch),
            ("rebuild_site", rebuild.site.map_or(0, |site| site.0.into())),
            ("rebuild_from", rebuild.from.0.into()),
            ("rebuild_until", rebuild.until.0.into()),
        ];
        write(store, &markers).await?;
        (self.closed_until, self.epoch, self.rebuild) = (hour, epoch, Some(rebuild));
        Ok(())
    }

    /// Answers from before are void from here on; so were those from the time of the rebuild.
    pub(super) async fn end_rebuild(&mut self, store: &Store) -> Result<(), StoreError> {
        let epoch = self.epoch + 1;
        let markers =
            [("rebuild_site", 0), ("rebuild_from", 0), ("rebuild_until", 0), ("epoch", epoch)];
        write(store, &markers).await?;
        (self.rebuild, self.epoch) = (None, epoch);
        Ok(())
    }
}

/// Writes markers in one block, so all or none. Each is newer than any before, whatever the server's
/// clock says.
async fn write(store: &Store, markers: &[(&str, u64)]) -> Result<(), StoreError> {
    let sql = "INSERT INTO progress (key, value, at) \
               SELECT marker.1, toUInt64(marker.2), greatest(now64(6, 'UTC'), \
                 (SELECT max(at) FROM progress) + toIntervalMicrosecond(1)) \
               FROM (SELECT arrayJoin(arrayZip({keys:Array(String)}, {values:Array(String)})) AS marker)";
    let keys = markers.iter().map(|(key, _)| (*key).to_owned()).collect();
    let values = markers.iter().map(|(_, value)| value.to_string()).collect();
    store.run(sql, &[("keys", Param::Strs(keys)), ("values", Param::Strs(values))]).await
}
