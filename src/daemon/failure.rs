//! Why the daemon did not start, or ended by itself.

use std::io;
use std::net::SocketAddr;

use crate::accounts::AccountsError;
use crate::config::ConfigError;
use crate::engine::EngineError;
use crate::ingest::IngestError;
use crate::store::StoreError;
use crate::wal::WalError;

/// One line for the operator, and an exit code.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Accounts(#[from] AccountsError),
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error(transparent)]
    Wal(#[from] WalError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot listen on {address}: {source}; free it or choose another with --{flag}")]
    Listen { address: SocketAddr, flag: &'static str, source: io::Error },
    #[error("cannot {what}: {source}")]
    Io { what: &'static str, source: io::Error },
    #[error(transparent)]
    Ingest(#[from] IngestError),
}

impl DaemonError {
    /// The exit codes of docs/runbook.md.
    pub fn exit_code(&self) -> u8 {
        match self {
            DaemonError::Config(_) | DaemonError::Listen { .. } => 78,
            DaemonError::Accounts(AccountsError::Newer { .. }) => 65,
            DaemonError::Store(_) => 69,
            DaemonError::Wal(WalError::Io { .. }) => 74,
            _ => 1,
        }
    }
}
