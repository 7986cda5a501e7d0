//! The real engine in a temporary directory.

use std::path::{Path, PathBuf};

use tallyhouse::engine::{Engine, EngineConfig};
use tallyhouse::store::{Server, Store, StoreConfig, Topology};

/// A running engine with its directory; gone when dropped.
pub struct RunningEngine {
    pub engine: Engine,
    pub dir: tempfile::TempDir,
}

/// The pinned library: `TALLYHOUSE_ENGINE_LIBRARY`, or what `ci/fetch engine` made.
pub fn library() -> PathBuf {
    let path = std::env::var_os("TALLYHOUSE_ENGINE_LIBRARY").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join(".cache/engine/libchdb.so"),
        PathBuf::from,
    );
    assert!(path.is_file(), "no {}: run `ci/fetch engine`", path.display());
    path
}

/// How an engine of this directory is started in tests.
pub fn config(data_dir: &Path) -> EngineConfig {
    EngineConfig {
        data_dir: data_dir.to_path_buf(),
        library: library(),
        memory_bytes: 1 << 30,
        program: PathBuf::from(env!("CARGO_BIN_EXE_tallyhouse")),
        http_port: 0,
    }
}

/// Starts an engine and waits until it answers.
pub async fn engine() -> RunningEngine {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let engine = Engine::start(config(dir.path())).expect("the engine starts");
    ready(&engine).await;
    RunningEngine { engine, dir }
}

/// Waits until the engine answers.
pub async fn ready(engine: &Engine) {
    let mut endpoint = engine.endpoint();
    let up = endpoint.wait_for(Option::is_some);
    let up = tokio::time::timeout(std::time::Duration::from_secs(60), up).await;
    up.expect("the engine is up within 60 s").expect("its supervisor lives");
}

impl RunningEngine {
    /// A store over this engine, without tables.
    pub fn store(&self) -> Store {
        store(&self.engine, self.dir.path())
    }

    /// A store with this build's tables.
    pub async fn migrated(&self) -> Store {
        let store = self.store();
        store.migrate().await.expect("the schema applies");
        store
    }
}

/// A store over an engine of this data directory.
pub fn store(engine: &Engine, data_dir: &Path) -> Store {
    Store::new(StoreConfig {
        server: Server::Engine(engine.endpoint()),
        database: tallyhouse::store::DATABASE.to_owned(),
        data_dir: Some(data_dir.to_path_buf()),
        topology: Topology::Single,
    })
}
