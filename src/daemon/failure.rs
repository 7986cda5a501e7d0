//! Why the daemon did not start, or ended by itself.

use std::io;
use std::net::SocketAddr;

use crate::accounts::AccountsError;
use crate::command::Exit;
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
    /// How the process ends; see docs/runbook.md.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            DaemonError::Config(_) | DaemonError::Listen { .. } | DaemonError::Engine(_) => {
                Exit::Config
            }
            DaemonError::Accounts(AccountsError::Newer { .. } | AccountsError::Damaged(_)) => {
                Exit::Data
            }
            DaemonError::Store(_) => Exit::Store,
            _ => Exit::Io,
        }
    }
}
