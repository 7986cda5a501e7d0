//! Days are computed again from raw: after an import, an erasure, a changed bot rule, a new rollup.

use super::close::end_orphans;
use super::progress::{Progress, Rebuild};
use super::{Closer, CloserError, Horizon, lock, seal};
use crate::hours::{Day, Hour};
use crate::tenant::SiteId;

impl Closer {
    /// Computes the days at or after `from` and before `until` anew, for one site or for all, and
    /// raises the epoch. For days not sealed yet the hours are taken back and closed again (of all
    /// sites), so that for a while the horizon lies earlier; sealed days are written again one by one.
    /// Waits while another process works on rollups. After a crash the next step or rebuild finishes
    /// it. `tell` hears each sealed day that is done.
    ///
    /// # Errors
    /// The range is empty; raw events of a sealed day are gone (nothing was changed); ClickHouse is
    /// away or refuses.
    pub async fn rebuild(
        &self,
        site: Option<SiteId>,
        from: Day,
        until: Day,
        mut tell: impl FnMut(Day),
    ) -> Result<Horizon, CloserError> {
        if from >= until {
            return Err(CloserError::EmptyRange { from, until });
        }
        let _lock = lock::lock(&self.lock).await?;
        end_orphans(&self.store).await?;
        let Some(mut progress) = Progress::read(&self.store).await? else {
            return self.horizon().await; // the first step will close everything there is
        };
        self.finish_rebuild(&mut progress).await?;
        let closed_until = progress.closed_until;
        let sealed_until = until.min(progress.sealed_through.next());
        for day in days(from, sealed_until) {
            seal::refuse_erased(&self.store, day, site).await?;
        }
        let first_open = match until > sealed_until {
            true => Hour::of_ms(from.max(sealed_until).begins_somewhere_ms()),
            false => closed_until,
        };
        let rebuild = Rebuild { site, from, until: sealed_until };
        progress.begin_rebuild(&self.store, rebuild, first_open).await?;
        self.advance(&mut progress, closed_until).await?;
        for day in days(from, sealed_until) {
            self.write_day(day, site).await?;
            tell(day);
        }
        progress.end_rebuild(&self.store).await?;
        Ok(progress.horizon())
    }

    /// What a process that died had begun.
    pub(super) async fn finish_rebuild(&self, progress: &mut Progress) -> Result<(), CloserError> {
        let Some(rebuild) = progress.rebuild else { return Ok(()) };
        for day in days(rebuild.from, rebuild.until) {
            self.write_day(day, rebuild.site).await?;
        }
        Ok(progress.end_rebuild(&self.store).await?)
    }
}

fn days(from: Day, until: Day) -> impl Iterator<Item = Day> {
    (from.0..until.0).map(Day)
}
