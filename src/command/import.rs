//! `tallyhouse import …`

use super::connect::connect;
use super::{Exit, Failure, accounts, closer, print, wait};
use crate::cli::AccessLogArgs;
use crate::clock::Clock;
use crate::config::Config;
use crate::daemon::files_in;
use crate::import::{ImportError, Importer, Summary};
use crate::ingest::Geo;
use crate::ingest::past::Enricher;
use crate::limits;

pub(super) fn access_log(config: &Config, args: &AccessLogArgs) -> Result<(), Failure> {
    let accounts = accounts(config)?;
    let site = accounts.site(&args.site)?;
    let places = Geo::open(&files_in(&config.ingest.geo_dir, "mmdb"))
        .map_err(|error| Failure::new(Exit::Config, error.to_string()))?;
    let enricher = Enricher::new(places);
    let clock = Clock::system(config.clock_offset_ms);
    if args.dry_run {
        let summary = Importer::dry_run(&args.file, &site, &enricher, clock.now_ms())?;
        return print(&format!("{summary}dry run: nothing was imported\n"));
    }
    let summary: Summary = wait(async {
        let connected = connect(config).await?;
        let importer = Importer {
            store: connected.store.clone(),
            accounts,
            closer: closer(config, &connected.store),
            clock,
            enricher,
            chunk_lines: limits::IMPORT_LINES,
            lock: config.data_dir.join("import.lock"),
        };
        let done = importer.access_log(&args.file, &site).await;
        connected.close().await;
        Ok(done?)
    })?;
    print(&summary.to_string())
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        let exit = match &error {
            ImportError::Store(_) | ImportError::Closer(_) => Exit::Store,
            ImportError::Accounts(_) | ImportError::Log { .. } => Exit::Io,
            ImportError::Open { .. } | ImportError::Busy | ImportError::Changed { .. } => {
                Exit::Usage
            }
        };
        Failure::new(exit, error.to_string())
    }
}
