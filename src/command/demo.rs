//! `tallyhouse demo`

use super::connect::connect;
use super::{Exit, Failure, accounts, closer, print, wait};
use crate::cli::DemoArgs;
use crate::clock::Clock;
use crate::config::Config;
use crate::demo::{DAYS, DOMAIN, Demo, DemoError, Filled};

pub(super) fn run(config: &Config, args: &DemoArgs) -> Result<(), Failure> {
    let accounts = accounts(config)?;
    let filled = wait(async {
        let connected = connect(config).await?;
        let demo = Demo {
            store: connected.store.clone(),
            accounts,
            clock: Clock::system(config.clock_offset_ms),
            closer: closer(config, &connected.store),
        };
        let done = demo.fill(args.refresh, Demo::progress()).await;
        connected.close().await;
        Ok(done?)
    })?;
    print(&match filled {
        Filled::Before => {
            format!("{DOMAIN} has its {DAYS} days already; --refresh adds the hours since\n")
        }
        Filled::Now { days, events } => {
            format!("{DOMAIN} has {events} made-up events in {days} days, labelled as demo data\n")
        }
    })
}

impl From<DemoError> for Failure {
    fn from(error: DemoError) -> Failure {
        let exit = match &error {
            DemoError::Accounts(_) => Exit::Io,
            DemoError::Store(_) | DemoError::Closer(_) => Exit::Store,
        };
        Failure::new(exit, error.to_string())
    }
}
