//! From a parsed command line to the command. Each command has a file; its errors become one line
//! and an exit code here.

use std::io::Write;

use crate::accounts::{Accounts, AccountsError};
use crate::cli::{Cli, Command, ImportCommand};
use crate::clock::Clock;
use crate::closer::Closer;
use crate::config::{Config, ConfigError};
use crate::store::{Store, StoreError};

mod api_key;
pub(crate) mod connect;
mod demo;
mod doctor;
mod import;
mod rebuild;
mod serve;
mod site;
mod sql;
mod table;
mod user;
mod wal;

/// How the process ends when it fails. Each has a paragraph in the runbook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// What was asked was done, and the answer is no.
    Failed = 1,
    /// What was asked cannot be done like this.
    Usage = 2,
    /// Data that cannot be read, or was written by a newer version.
    Data = 65,
    /// ClickHouse cannot be used.
    Store = 69,
    /// A bug.
    Bug = 70,
    /// Reading or writing files failed.
    Io = 74,
    /// Settings that will not do.
    Config = 78,
}

/// Why a command failed: one message, one exit code.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    pub exit: Exit,
    pub message: String,
}

impl Failure {
    /// A failure with this message: what happened, to what, what to do.
    pub fn new(exit: Exit, message: impl Into<String>) -> Failure {
        Failure { exit, message: message.into() }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Failure {
        Failure::new(Exit::Config, error.to_string())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::new(Exit::Store, error.to_string())
    }
}

impl From<AccountsError> for Failure {
    fn from(error: AccountsError) -> Failure {
        let exit = match &error {
            AccountsError::File { .. } | AccountsError::Sqlite(_) => Exit::Io,
            AccountsError::Newer { .. } | AccountsError::Damaged(_) => Exit::Data,
            AccountsError::Invalid { .. } | AccountsError::Taken(_) | AccountsError::Missing(_) => {
                Exit::Usage
            }
        };
        Failure::new(exit, error.to_string())
    }
}

/// Runs the command.
///
/// # Errors
/// One message and the exit code to end with.
pub fn run(cli: Cli) -> Result<(), Failure> {
    let given = cli.given();
    let config = || Config::load(&given);
    match cli.command {
        Command::Serve(_) => serve::run(&config()?),
        Command::Site(command) => site::run(&config()?, command),
        Command::User(command) => user::run(&config()?, command),
        Command::ApiKey(command) => api_key::run(&config()?, command),
        Command::Sql(args) => sql::run(&config()?, &args),
        Command::Wal(command) => wal::run(&config()?, &command),
        Command::Version => print(concat!("tallyhouse ", env!("CARGO_PKG_VERSION"), "\n")),
        Command::Import(ImportCommand::AccessLog(args)) => import::access_log(&config()?, &args),
        Command::Rebuild(args) => rebuild::run(&config()?, &args),
        Command::Doctor(args) => doctor::run(&config()?, &args),
        Command::Demo(args) => demo::run(&config()?, &args),
        Command::Engine(_) => unreachable!("main gives the engine's command line to the engine"),
    }
}

/// Runs what waits for ClickHouse.
fn wait<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::new(Exit::Io, format!("cannot start threads: {error}")))?;
    runtime.block_on(work)
}

/// The closer that shares its lock with the daemon's.
fn closer(config: &Config, store: &Store) -> Closer {
    let clock = Clock::system(config.clock_offset_ms);
    Closer::new(store.clone(), clock, config.data_dir.join("closer.lock"))
}

/// The accounts of the data directory, which is made if it is missing.
fn accounts(config: &Config) -> Result<Accounts, Failure> {
    config.make_data_dir()?;
    Ok(Accounts::open(&config.accounts_file(), Clock::system(config.clock_offset_ms))?)
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(Exit::Io, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Prints JSON, indented, for machines that people look over the shoulder of.
fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{value:#}\n"))
}
