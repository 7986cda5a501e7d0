//! ClickHouse for a command: the running daemon's engine, one started for the command, or the
//! operator's own server.

use crate::config::Config;
use crate::engine::{self, Engine, EngineConfig, EngineError};
use crate::store::{Class, Server, Store, StoreError};

/// A store, and the engine behind it if this command started one.
pub(crate) struct Connected {
    pub(crate) store: Store,
    engine: Option<Engine>,
}

/// Why a command has no ClickHouse.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error(transparent)]
    Engine(#[from] EngineError),
    #[error("the embedded ClickHouse did not start within a minute; {0} says why")]
    Slow(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ConnectError {
    /// The program's exit code; see docs/runbook.md.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            ConnectError::Store(error) if error.class == Class::Fatal => 69,
            _ => 1,
        }
    }
}

/// Connects and brings the schema up to date.
///
/// # Errors
/// See [`ConnectError`].
pub(crate) async fn connect(config: &Config) -> Result<Connected, ConnectError> {
    let (server, engine) = match config.store.external() {
        Some(endpoint) => (Server::At(endpoint), None),
        None => match engine::attach(&config.data_dir).await {
            Some(endpoint) => (Server::At(endpoint), None),
            None => {
                let engine = Engine::start(engine_config(config)?)?;
                ready(&engine, config).await?;
                (Server::Engine(engine.endpoint()), Some(engine))
            }
        },
    };
    let store = Store::new(config.store.for_server(server, &config.data_dir));
    store.migrate().await?;
    Ok(Connected { store, engine })
}

impl Connected {
    /// Stops the engine if this command started it.
    pub(crate) async fn close(self) {
        if let Some(engine) = self.engine {
            engine.stop().await;
        }
    }
}

/// How this installation's engine is started.
///
/// # Errors
/// The library is nowhere.
pub(crate) fn engine_config(config: &Config) -> Result<EngineConfig, EngineError> {
    let program = std::env::current_exe().map_err(|source| EngineError::Io {
        what: "find",
        path: "/proc/self/exe".into(),
        source,
    })?;
    Ok(EngineConfig {
        library: engine::find_library(config.engine.library.as_deref(), &config.data_dir)?,
        data_dir: config.data_dir.clone(),
        memory_bytes: config.engine.memory_bytes.unwrap_or_else(engine::default_memory_bytes),
        program,
        http_port: 0,
    })
}

async fn ready(engine: &Engine, config: &Config) -> Result<(), ConnectError> {
    let mut endpoint = engine.endpoint();
    let up = endpoint.wait_for(Option::is_some);
    match tokio::time::timeout(std::time::Duration::from_secs(60), up).await {
        Ok(Ok(_)) => Ok(()),
        _ => Err(ConnectError::Slow(config.data_dir.join("engine").display().to_string())),
    }
}
