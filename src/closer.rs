//! Hours are closed, days are sealed: each once, from raw, behind the low watermark (I7, I10).
//!
//! ```text
//! close(H):  drop H's open partitions → INSERT … SELECT from raw → sync → closed_until = H + 1
//! seal(D):   delete D's rows, if any  → INSERT … SELECT from raw → sync → sealed_through = D
//!            → drop the open partitions that no later day needs
//! ```
//! Readers look only behind the markers, so a crash between any two statements is invisible, and doing
//! all of it again gives the same. The daemon's scheduler calls [`Closer::step`]; the commands call
//! [`Closer::rebuild`]. A file lock keeps them apart. Not here: when an hour is drained (`wal` says).

mod check;
mod close;
mod lock;
mod progress;
mod rebuild;
mod scope;
mod seal;
mod sql;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use crate::clock::Clock;
use crate::hours::{Day, Hour};
use crate::limits;
use crate::metrics::METRICS;
use crate::store::{Store, StoreError};
use crate::tenant::SiteId;

pub use check::Mismatch;
use progress::Progress;

/// How far readers may look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Horizon {
    /// Every hour before this one is closed.
    pub closed_until: Hour,
    /// Every day up to this one, and it, is sealed.
    pub sealed_through: Day,
    /// Rises when closed history is written anew.
    pub epoch: u64,
}

/// Why hours stay open.
#[derive(Debug, thiserror::Error)]
pub enum CloserError {
    /// The step will be repeated.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The lock file cannot be used.
    #[error("cannot lock {}: {source}; check that the directory exists and is ours", path.display())]
    Lock { path: PathBuf, source: std::io::Error },
    /// Raw events of a sealed day are gone, so that computing it again would erase it.
    #[error(
        "site {} has figures for {day} but no raw events any more (raw retention); \
         the day was left as it is: rebuild a later range", site.0
    )]
    Erased { site: SiteId, day: Day },
    /// The range of a rebuild is empty.
    #[error("nothing to rebuild: {from} is not before {until}")]
    EmptyRange { from: Day, until: Day },
}

/// Turns raw events into rollups. One per process; a file lock keeps other processes away.
pub struct Closer {
    store: Store,
    clock: Clock,
    lock: PathBuf,
    pass_rows: u64,
    mismatches: Mutex<BTreeSet<(Option<Hour>, Option<Day>)>>,
}

impl Closer {
    /// `lock` is a file beside the data, made when missing.
    pub fn new(store: Store, clock: Clock, lock: PathBuf) -> Closer {
        let pass_rows = limits::CLOSE_PASS_ROWS;
        Closer { store, clock, lock, pass_rows, mismatches: Mutex::default() }
    }

    /// Works on about this many raw rows at a time instead of [`limits::CLOSE_PASS_ROWS`]: fewer take
    /// less of ClickHouse's memory and more time.
    pub fn with_pass_rows(self, pass_rows: u64) -> Closer {
        Closer { pass_rows: pass_rows.max(1), ..self }
    }

    /// How far hours are closed and days sealed. Before the first step: nothing is.
    ///
    /// # Errors
    /// ClickHouse is away.
    pub async fn horizon(&self) -> Result<Horizon, CloserError> {
        Ok(Progress::read(&self.store).await?.unwrap_or_default().horizon())
    }

    /// Closes every hour that is over and drained, and seals every day that is over everywhere. Ends
    /// at once, with the horizon as it is, while another process rebuilds or imports. Safe to cancel.
    ///
    /// # Errors
    /// ClickHouse is away or refuses; what was done stays done, the rest is repeated by the next step.
    pub async fn step(&self, low_watermark: Hour) -> Result<Horizon, CloserError> {
        let Some(_lock) = lock::try_lock(&self.lock)? else { return self.horizon().await };
        let done = self.step_locked(low_watermark).await;
        if done.is_err() {
            METRICS.close_failures.inc();
        }
        done
    }

    async fn step_locked(&self, low_watermark: Hour) -> Result<Horizon, CloserError> {
        let now = Hour::of_ms(self.clock.now_ms() - limits::CLOSE_GRACE_MS);
        let until = now.min(low_watermark);
        let mut progress = match Progress::read(&self.store).await? {
            Some(progress) => progress,
            None => Progress::begin(&self.store, until).await?,
        };
        if progress.has_work(until) {
            close::end_orphans(&self.store).await?;
            self.finish_rebuild(&mut progress).await?;
            self.advance(&mut progress, until).await?;
        }
        METRICS.closed_through.set(progress.closed_until.start_ms() / 1000);
        METRICS.sealed_through.set(progress.sealed_through.0.into());
        Ok(progress.horizon())
    }

    /// Closes and seals in order of time until nothing is left before `until`.
    async fn advance(&self, progress: &mut Progress, until: Hour) -> Result<(), CloserError> {
        let busy = close::busy_hours(&self.store, progress.closed_until, until).await?;
        loop {
            let (day, sealable) = progress.next_seal();
            if progress.closed_until >= sealable {
                self.seal(progress, day).await?;
                continue;
            }
            if progress.closed_until >= until {
                break;
            }
            let stop = until.min(sealable);
            match busy.range(progress.closed_until..stop).next() {
                Some(hour) if *hour == progress.closed_until => self.close(progress, *hour).await?,
                // Nothing happened until then.
                other => progress.close_until(&self.store, *other.unwrap_or(&stop)).await?,
            }
        }
        Ok(())
    }

    async fn close(&self, progress: &mut Progress, hour: Hour) -> Result<(), CloserError> {
        let timer = METRICS.close_seconds.start_timer();
        close::close(&self.store, hour, self.pass_rows).await?;
        let mut wrong = check::hour(&self.store, hour).await?;
        if !wrong.is_empty() {
            // A statement given up earlier may have run late, on a server that hid it from us.
            close::close(&self.store, hour, self.pass_rows).await?;
            wrong = check::hour(&self.store, hour).await?;
        }
        self.report((Some(hour), None), &wrong);
        self.store.sync().await?;
        progress.close_until(&self.store, hour.next()).await?;
        timer.observe_duration();
        Ok(())
    }

    async fn seal(&self, progress: &mut Progress, day: Day) -> Result<(), CloserError> {
        self.write_day(day, None).await?;
        progress.seal_through(&self.store, day).await?;
        close::drop_before(&self.store, day.next()).await?;
        Ok(())
    }

    /// Writes a day's sums and checks them.
    async fn write_day(&self, day: Day, site: Option<SiteId>) -> Result<(), CloserError> {
        seal::write(&self.store, (day, site), self.pass_rows).await?;
        let mut wrong = check::day(&self.store, day, site).await?;
        if !wrong.is_empty() {
            seal::write(&self.store, (day, site), self.pass_rows).await?;
            wrong = check::day(&self.store, day, site).await?;
        }
        self.report((None, Some(day)), &wrong);
        Ok(self.store.sync().await?)
    }

    /// Compares a closed hour's rollups with raw, for the sites that differ.
    ///
    /// # Errors
    /// ClickHouse is away.
    pub async fn check(&self, hour: Hour) -> Result<Vec<Mismatch>, CloserError> {
        Ok(check::hour(&self.store, hour).await?)
    }

    /// Compares a sealed day's rollups with raw, for the sites that differ.
    ///
    /// # Errors
    /// ClickHouse is away.
    pub async fn check_day(&self, day: Day) -> Result<Vec<Mismatch>, CloserError> {
        Ok(check::day(&self.store, day, None).await?)
    }

    fn report(&self, what: (Option<Hour>, Option<Day>), wrong: &[Mismatch]) {
        let mut mismatches = self.mismatches.lock().unwrap_or_else(PoisonError::into_inner);
        if wrong.is_empty() {
            mismatches.remove(&what);
        } else {
            mismatches.insert(what);
        }
        METRICS.rollup_mismatch.set(mismatches.len() as i64);
        for one in wrong {
            tracing::error!(site = one.site_id, figure = %one.figure, raw = one.raw,
                rolled_up = one.rolled_up, hour = ?what.0, day = ?what.1,
                "closer: a rollup differs from raw; run `tallyhouse rebuild` for that day");
        }
    }
}
