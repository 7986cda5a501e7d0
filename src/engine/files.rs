//! The engine's directory: its settings, password, port and locks.
//!
//! ```text
//! <data>/engine/  lock  password  config.xml  users.xml  port  child.lock  child.log  clickhouse/  *.log
//! ```

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};

use super::{Endpoint, EngineConfig, EngineError};

/// The account the daemon uses.
const USER: &str = "tallyhouse";

/// The prepared directory, locked for as long as this lives.
pub(super) struct Files {
    pub(super) dir: PathBuf,
    _lock: File,
}

impl Files {
    /// Makes the directory, takes its lock, and writes the settings.
    pub(super) fn prepare(config: &EngineConfig) -> Result<Files, EngineError> {
        let dir = directory(&config.data_dir);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&dir)
            .map_err(|e| io("create", &dir, e))?;
        let dir = dir.canonicalize().map_err(|e| io("resolve", &dir, e))?;
        let lock = lock(&dir)?;
        let password = password(&dir)?;
        write_private(&dir.join("users.xml"), &users_xml(config, &password))?;
        write_private(&config_file(&dir), &config_xml(config, &dir))?;
        Ok(Files { dir, _lock: lock })
    }

    /// Forgets the port of an earlier run.
    pub(super) fn forget_port(&self) -> Result<(), EngineError> {
        let path = port_file(&self.dir);
        match std::fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(io("remove", &path, e)),
            _ => Ok(()),
        }
    }
}

pub(super) fn io(what: &'static str, path: &Path, source: std::io::Error) -> EngineError {
    EngineError::Io { what, path: path.to_path_buf(), source }
}

pub(super) fn directory(data_dir: &Path) -> PathBuf {
    data_dir.join("engine")
}

pub(super) fn port_file(dir: &Path) -> PathBuf {
    dir.join("port")
}

pub(super) fn config_file(dir: &Path) -> PathBuf {
    dir.join("config.xml")
}

/// Where the engine of this directory listens, if it has said so.
pub(super) fn endpoint(dir: &Path) -> Option<Endpoint> {
    let port = std::fs::read_to_string(port_file(dir)).ok()?;
    // The line's end tells a whole number from the start of one.
    let port: u16 = port.strip_suffix('\n')?.parse().ok()?;
    let password = std::fs::read_to_string(dir.join("password")).ok()?;
    Some(Endpoint { url: format!("http://127.0.0.1:{port}"), user: USER.to_owned(), password })
}

/// Taken by the child, so that a successor waits for an engine that is still ending.
pub(super) fn lock_child(dir: &Path, limit: Duration) -> Result<File, String> {
    let file = File::create(dir.join("child.lock")).map_err(|e| e.to_string())?;
    let started = Instant::now();
    while let Err(error) = file.try_lock() {
        if started.elapsed() > limit {
            return Err(format!("an earlier engine still holds {}: {error}", dir.display()));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(file)
}

fn lock(dir: &Path) -> Result<File, EngineError> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(|e| io("create", &path, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EngineError::Locked { dir: dir.to_path_buf() }),
        Err(TryLockError::Error(e)) => Err(io("lock", &path, e)),
    }
}

/// The password, made at the first start.
fn password(dir: &Path) -> Result<String, EngineError> {
    let path = dir.join("password");
    match std::fs::read_to_string(&path) {
        Ok(password) if password.len() == 64 => Ok(password),
        Ok(_) => new_password(&path),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => new_password(&path),
        Err(e) => Err(io("read", &path, e)),
    }
}

fn new_password(path: &Path) -> Result<String, EngineError> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut source| source.read_exact(&mut bytes))
        .map_err(|e| io("read", Path::new("/dev/urandom"), e))?;
    let password = hex(&bytes);
    write_private(path, &password)?;
    Ok(password)
}

fn write_private(path: &Path, text: &str) -> Result<(), EngineError> {
    let next = path.with_extension("next");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let written = options.open(&next).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.sync_all()
    });
    written.and_then(|()| std::fs::rename(&next, path)).map_err(|e| io("write", path, e))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn xml(path: &Path) -> String {
    let text = path.to_string_lossy();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// ClickHouse's settings, sized for a small machine. No system log tables: they are off unless named.
fn config_xml(config: &EngineConfig, dir: &Path) -> String {
    let dir = xml(dir);
    let memory = config.memory_bytes;
    let cores = std::thread::available_parallelism().map_or(2, |n| n.get()).clamp(2, 16);
    let marks = (memory / 16).clamp(16 << 20, 256 << 20);
    let port = config.http_port;
    format!(
        "<clickhouse>
  <logger><log>{dir}/clickhouse.log</log><errorlog>{dir}/clickhouse.err.log</errorlog>
    <size>10M</size><count>2</count></logger>
  <path>{dir}/clickhouse/</path>
  <listen_host>127.0.0.1</listen_host>
  <http_port>{port}</http_port>
  <users_config>{dir}/users.xml</users_config>
  <!-- above the client's 2 s, or every stop waits for idle connections -->
  <keep_alive_timeout>3</keep_alive_timeout>
  <max_server_memory_usage>{memory}</max_server_memory_usage>
  <mark_cache_size>{marks}</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <max_concurrent_queries>64</max_concurrent_queries>
  <background_pool_size>{cores}</background_pool_size>
  <background_merges_mutations_concurrency_ratio>1</background_merges_mutations_concurrency_ratio>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <merge_tree>
    <!-- the defaults are above so small a pool and would keep merges small -->
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
  </merge_tree>
</clickhouse>
"
    )
}

/// Two accounts. `default` cannot be removed (ClickHouse logs in as it to start its listeners) and may
/// do nothing else; ours may work in its own database, and reach neither files nor the network.
fn users_xml(config: &EngineConfig, password: &str) -> String {
    let memory = config.memory_bytes / 2;
    let digest = hex(&Sha256::digest(password.as_bytes()));
    let database = crate::store::DATABASE;
    format!(
        "<clickhouse>
  <profiles><default><max_memory_usage>{memory}</max_memory_usage></default></profiles>
  <quotas><default/></quotas>
  <users>
    <default><password></password><networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota>
      <grants><query>GRANT SYSTEM LISTEN ON *.*</query></grants></default>
    <{USER}><password_sha256_hex>{digest}</password_sha256_hex><networks><ip>127.0.0.1</ip></networks>
      <profile>default</profile><quota>default</quota>
      <grants>
        <query>GRANT SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW ON {database}.*</query>
        <query>GRANT DROP, TRUNCATE, OPTIMIZE, SHOW ON {database}.*</query>
        <query>GRANT SELECT ON system.*</query>
        <query>GRANT TABLE ENGINE ON *</query>
        <query>GRANT KILL QUERY ON *.*</query>
      </grants></{USER}>
  </users>
</clickhouse>
"
    )
}
