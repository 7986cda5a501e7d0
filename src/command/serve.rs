//! `tallyhouse serve`

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;

use super::{Exit, Failure};
use crate::config::{Config, LogFormat};
use crate::daemon::{self, DaemonError};

pub(super) fn run(config: &Config) -> Result<(), Failure> {
    start_log(config)?;
    config.make_data_dir()?;
    daemon::run(config).map_err(|error: DaemonError| Failure::new(error.exit(), error.to_string()))
}

/// Log lines go to standard error: standard output is for what a person asked for.
fn start_log(config: &Config) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&config.log.filter).map_err(|error| {
        let message = format!("log: `{}` is no log filter: {error}", config.log.filter);
        Failure::new(Exit::Config, message)
    })?;
    let stderr = std::io::stderr;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(stderr().is_terminal())
        .with_writer(stderr);
    match config.log.format {
        LogFormat::Text => lines.with_target(false).init(),
        LogFormat::Json => lines.json().init(),
    }
    Ok(())
}
