//! `tallyhouse rebuild`: days of a site computed again from its raw events.

use super::connect::connect;
use super::{Exit, Failure, accounts, closer, wait};
use crate::cli::RebuildArgs;
use crate::closer::CloserError;
use crate::config::Config;
use crate::import::progress::{Progress, Unit};

pub(super) fn run(config: &Config, args: &RebuildArgs) -> Result<(), Failure> {
    let site = accounts(config)?.site(&args.site)?;
    wait(async {
        let connected = connect(config).await?;
        let closer = closer(config, &connected.store);
        let until = args.to.next();
        let days = u64::from(until.0.saturating_sub(args.from.0));
        let mut progress = Progress::new("rebuild", days, Unit::Days);
        let mut count = 0;
        let tell = |_| {
            count += 1;
            progress.at(count);
        };
        let done = closer.rebuild(Some(site.id), args.from, until, tell).await;
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
