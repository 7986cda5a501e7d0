//! Imports the history of a site from a web server's access log: each page view once, however often
//! the command is run, killed and run again, on the same log or on a longer one.
//!
//! ```text
//! recognise the log → (read a chunk → note it → store its blocks → note it)* → rebuild the days
//! ```
//! A chunk's blocks are a pure function of its lines, and it is noted before it is written; after a
//! crash it is read again as it was, and only the blocks that are missing are stored (I3). Addresses
//! and user agents end here, in a hash whose key is erased when the import is done (I4).

use std::io;
use std::path::{Path, PathBuf};

use crate::accounts::imports::{Import, ImportState};
use crate::accounts::{Accounts, AccountsError, Site};
use crate::clock::Clock;
use crate::closer::{Closer, CloserError};
use crate::hours::{DAY_MS, Day};
use crate::ingest::past::Enricher;
use crate::limits::IMPORT_LINES;
use crate::store::{Store, StoreError};

pub(crate) mod blocks;
mod chunk;
mod line;
pub mod progress;
mod rule;
mod source;
mod summary;

use chunk::{Bounds, Chunker, Stop};
use progress::{Progress, Unit};
use source::Source;

pub use rule::Skip;
pub use summary::Summary;

/// How long the key of visitors may outlive a finished import whose last day is not over yet.
const SECRET_LIFE_MS: i64 = 2 * DAY_MS;

/// Why an import stopped. What was done stays; running it again goes on.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("cannot read {}: {source}; what came before is imported, run it again to go on", path.display())]
    Log { path: PathBuf, source: io::Error },
    #[error("cannot open {}: {source}", path.display())]
    Open { path: PathBuf, source: io::Error },
    #[error("another import is running; wait until it is done")]
    Busy,
    #[error("{} changed while it was read, before line {line}; import a copy of it", path.display())]
    Changed { path: PathBuf, line: u64 },
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error("{0}; what was imported stays, run it again to go on")]
    Store(#[from] StoreError),
    #[error("{0}; the views are imported, run it again to bring them into the reports")]
    Closer(#[from] CloserError),
}

/// What an import needs. ClickHouse is up and its tables are there.
pub struct Importer {
    pub store: Store,
    pub accounts: Accounts,
    pub clock: Clock,
    pub closer: Closer,
    pub enricher: Enricher,
    /// Lines of a chunk; see [`crate::limits::IMPORT_LINES`].
    pub chunk_lines: u64,
    /// Keeps two imports apart; made when missing.
    pub lock: PathBuf,
}

impl Importer {
    /// Imports what is new in a log, plain or gzip, in the combined format.
    ///
    /// # Errors
    /// See [`ImportError`]; running it again goes on where it stopped.
    pub async fn access_log(&self, path: &Path, site: &Site) -> Result<Summary, ImportError> {
        let _lock = self.lock()?;
        let now_ms = self.clock.now_ms();
        self.accounts.forget_import_secrets(now_ms - SECRET_LIFE_MS)?;
        let mut import = self.recognise(path, site)?;
        let mut summary = Summary { lines_before: lines_before(&import), ..Summary::default() };
        let mut source = open(path)?;
        let mut progress = Progress::new("import", source.size(), Unit::Bytes);
        let stop =
            self.read_all(&mut source, site, &mut import, (&mut summary, &mut progress)).await;
        progress.finish();
        let stop = stop.map_err(|e| e.of(path))?;
        summary.stopped(stop);
        self.rebuild(site, &mut import).await?;
        // the running hour, or an unfinished day, may bring more of the same visitors
        let open = summary.newest_day.is_some_and(|day| day >= site.zone.local(now_ms).day);
        if !open && stop == Stop::End {
            import.secret = None;
        }
        if import.id > 0 {
            import.state = ImportState::Done;
            self.accounts.save_import(&mut import)?;
        }
        Ok(summary)
    }

    /// Reads a whole log and counts what an import of it would do. Writes nothing.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn dry_run(
        path: &Path,
        site: &Site,
        enricher: &Enricher,
        now_ms: i64,
    ) -> Result<Summary, ImportError> {
        let mut source = open(path)?;
        let mut summary = Summary::default();
        let import = Import { secret: Some([0; 32]), ..Import::new(site.id) };
        let mut chunker = Chunker::new(site, enricher, &import, now_ms);
        loop {
            let chunk = chunker.read(&mut source, Bounds::Lines(IMPORT_LINES), &mut summary);
            let chunk = chunk.map_err(|e| Trouble::Log(e).of(path))?;
            if chunk.stop != Stop::Full {
                summary.stopped(chunk.stop);
                return Ok(summary);
            }
        }
    }

    fn lock(&self) -> Result<std::fs::File, ImportError> {
        let problem = |source| ImportError::Open { path: self.lock.clone(), source };
        let file = std::fs::OpenOptions::new().create(true).append(true).open(&self.lock);
        let file = file.map_err(problem)?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => Err(ImportError::Busy),
            Err(std::fs::TryLockError::Error(e)) => Err(problem(e)),
        }
    }

    /// The import whose log this one is, or begins with; else a new one.
    fn recognise(&self, path: &Path, site: &Site) -> Result<Import, ImportError> {
        let mut known = self.accounts.imports(site.id)?;
        known.sort_by_key(|import| import.bytes_done);
        let mut source = open(path)?;
        let mut found = None;
        for import in known {
            let reached = source.skip_until(import.bytes_done);
            if !reached.map_err(|e| Trouble::Log(e).of(path))? {
                break;
            }
            if source.hash() == import.hash {
                found = Some(import);
            }
        }
        Ok(found.unwrap_or_else(|| Import::new(site.id)))
    }

    /// Goes through the log, chunk by chunk.
    async fn read_all(
        &self,
        source: &mut Source,
        site: &Site,
        import: &mut Import,
        (summary, progress): (&mut Summary, &mut Progress),
    ) -> Result<Stop, Trouble> {
        let now_ms = self.clock.now_ms();
        let mut bounds = Bounds::Lines(self.chunk_lines);
        let mut doubt = false;
        let start = match import.state {
            ImportState::Writing { from, first_line } => {
                (bounds, doubt) = (Bounds::Exactly(import.bytes_done), true);
                import.next_line = first_line;
                from
            }
            ImportState::Open | ImportState::Done => import.bytes_done,
        };
        source.skip_until(start).map_err(Trouble::Log)?;
        if import.secret.is_none() {
            import.secret = Some(rand::random());
        }
        let mut chunker = Chunker::new(site, &self.enricher, import, now_ms);
        loop {
            let chunk = chunker.read(source, bounds, summary).map_err(Trouble::Log)?;
            if chunk.from == source.position() {
                return Ok(chunk.stop);
            }
            if matches!(bounds, Bounds::Exactly(_)) && source.hash() != import.hash {
                return Err(Trouble::Changed(chunk.first_line));
            }
            (import.bytes_done, import.hash) = (source.position(), source.hash());
            import.next_line = chunk.next_line;
            import.state = ImportState::Writing { from: chunk.from, first_line: chunk.first_line };
            import.days.extend(&chunk.days);
            import.days.sort();
            import.days.dedup();
            self.accounts.save_import(import)?;
            let name =
                [u64::from(site.id.0), import.node().into(), chunk.first_line, import.bytes_done];
            let expires = Day(Day::of_ms(now_ms).0.saturating_add(site.retention_days));
            blocks::store_all(&self.store, &chunk.rows.into_blocks(&name, expires), doubt).await?;
            import.state = ImportState::Open;
            self.accounts.save_import(import)?;
            progress.at(source.read());
            (bounds, doubt) = (Bounds::Lines(self.chunk_lines), false);
            if chunk.stop != Stop::Full {
                return Ok(chunk.stop);
            }
        }
    }

    /// Brings the new rows into the reports, a run of days at a time.
    async fn rebuild(&self, site: &Site, import: &mut Import) -> Result<(), ImportError> {
        let mut progress = Progress::new("reports", import.days.len() as u64, Unit::Days);
        let mut done = 0;
        while let Some(from) = import.days.first().copied() {
            let mut until = from.next();
            while import.days.contains(&until) {
                until = until.next();
            }
            self.closer
                .rebuild(Some(site.id), from, until, |_| {
                    done += 1;
                    progress.at(done);
                })
                .await?;
            import.days.retain(|day| *day >= until);
            self.accounts.save_import(import)?;
        }
        progress.finish();
        Ok(())
    }
}

/// A problem on the way through the log, before it has the log's name.
enum Trouble {
    Log(io::Error),
    Changed(u64),
    Accounts(AccountsError),
    Store(StoreError),
}

impl Trouble {
    fn of(self, path: &Path) -> ImportError {
        match self {
            Trouble::Log(source) => ImportError::Log { path: path.to_owned(), source },
            Trouble::Changed(line) => ImportError::Changed { path: path.to_owned(), line },
            Trouble::Accounts(e) => e.into(),
            Trouble::Store(e) => e.into(),
        }
    }
}

impl From<AccountsError> for Trouble {
    fn from(e: AccountsError) -> Trouble {
        Trouble::Accounts(e)
    }
}

impl From<StoreError> for Trouble {
    fn from(e: StoreError) -> Trouble {
        Trouble::Store(e)
    }
}

fn open(path: &Path) -> Result<Source, ImportError> {
    Source::open(path).map_err(|source| ImportError::Open { path: path.to_owned(), source })
}

fn lines_before(import: &Import) -> u64 {
    match import.state {
        ImportState::Writing { first_line, .. } => first_line - 1,
        ImportState::Open | ImportState::Done => import.next_line - 1,
    }
}
