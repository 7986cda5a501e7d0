//! `tallyhouse rebuild`: days of a site computed again from its raw events.

use super::connect::connect;
use super::{Exit, Failure, accounts, wait};
use crate::cli::RebuildArgs;
use crate::clock::Clock;
use crate::closer::{Closer, CloserError};
use crate::config::Config;
use crate::import::progress::Progress;

pub(super) fn run(config: &Config, args: &RebuildArgs) -> Result<(), Failure> {
    let site = accounts(config)?.site(&args.site)?;
    wait(async {
        let connected = connect(config).await?;
        let clock = Clock::system(config.clock_offset_ms);
        let lock = config.data_dir.join("closer.lock");
        let closer = Closer::new(connected.store.clone(), clock, lock);
        let progress = Progress::days("rebuilding");
        let until = args.to.next();
        let done = closer
            .rebuild(Some(site.id), args.from, until, |done, of| progress.at(done, of))
            .await;
        progress.finish();
        connected.close().await;
        done.map(drop).map_err(Failure::from)
    })
}

impl From<CloserError> for Failure {
    fn from(error: CloserError) -> Failure {
        let exit = match &error {
            CloserError::Store(_) => Exit::Store,
            CloserError::Lock { .. } => Exit::Io,
            CloserError::Erased { .. } | CloserError::EmptyRange { .. } => Exit::Usage,
        };
        Failure::new(exit, error.to_string())
    }
}
