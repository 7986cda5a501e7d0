//! ClickHouse for a command: the running daemon's engine, one started for the command, or the
//! operator's own server.

use tokio::sync::watch;

use super::{Exit, Failure};
use crate::config::Config;
use crate::engine::{self, Engine, EngineConfig, EngineError};
use crate::store::{Endpoint, Server, Store, StoreConfig, StoreError, Topology};

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

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Failure {
        Failure::new(Exit::Store, error.to_string())
    }
}

/// Connects and brings the schema up to date.
///
/// # Errors
/// See [`ConnectError`].
pub(crate) async fn connect(config: &Config) -> Result<Connected, ConnectError> {
    let mut engine = None;
    let store = if config.clickhouse.url.is_some() {
        Store::new(store_config(config, None))
    } else if let Some(endpoint) = engine::attach(&config.data_dir).await {
        Store::new(StoreConfig { server: Server::At(endpoint), ..store_config(config, None) })
    } else {
        let started = Engine::start(engine_config(config)?)?;
        ready(&started, config).await?;
        let endpoint = started.endpoint();
        engine = Some(started);
        Store::new(store_config(config, Some(endpoint)))
    };
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

/// The operator's own ClickHouse, if that is used.
pub(crate) fn external(config: &Config) -> Option<Endpoint> {
    config.clickhouse.url.as_ref().map(|url| Endpoint {
        url: url.as_str().trim_end_matches('/').to_owned(),
        user: config.clickhouse.user.clone(),
        password: config.clickhouse.password.as_ref().map_or("", |p| p.reveal()).to_owned(),
    })
}

/// How this installation's ClickHouse is reached; `engine` is the embedded one, if it is ours.
pub(crate) fn store_config(
    config: &Config,
    engine: Option<watch::Receiver<Option<Endpoint>>>,
) -> StoreConfig {
    let external = external(config);
    let embedded = external.is_none();
    let server = match (external, engine) {
        (Some(endpoint), _) => Server::At(endpoint),
        (None, Some(endpoint)) => Server::Engine(endpoint),
        (None, None) => Server::Engine(watch::channel(None).1),
    };
    StoreConfig {
        server,
        database: config.clickhouse.database.clone(),
        data_dir: embedded.then(|| config.data_dir.clone()),
        topology: Topology::Single,
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
