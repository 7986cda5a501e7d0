//! The embedded engine: life, death, and who may enter.

use tallyhouse::engine::{self, Engine, EngineError};
use tallyhouse::metrics::METRICS;
use tallyhouse::store::{Class, Endpoint, Server, Store, StoreConfig, Topology};
use tokio::io::AsyncWriteExt;

use crate::rig;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_starts_answers_and_stops_cleanly() {
    let running = rig::engine().await;
    let store = running.store();
    store.ping().await.unwrap();
    let attached = engine::attach(running.dir.path()).await.expect("commands can attach");
    assert_eq!(Some(attached), running.engine.endpoint().borrow().clone());

    running.engine.stop().await;
    assert_eq!(store.ping().await.unwrap_err().class, Class::Retry);
    assert!(engine::attach(running.dir.path()).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_daemon_is_locked_out() {
    let running = rig::engine().await;
    let second = Engine::start(rig::engine::config(running.dir.path()));
    assert!(matches!(second.err(), Some(EngineError::Locked { .. })));
    running.store().ping().await.unwrap();
    running.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_engine_comes_back_with_its_data() {
    let running = rig::engine().await;
    let store = running.migrated().await;
    let insert = "INSERT INTO daily_totals (site_id, day, views) VALUES (1, '2026-01-01', 5)";
    store.run(insert, &[]).await.unwrap();
    let restarts = METRICS.engine_restarts.get();
    let before = running.engine.pid().unwrap();
    kill(before);
    rig::until("another child", async || {
        running.engine.pid().is_some_and(|pid| pid != before) && store.ping().await.is_ok()
    })
    .await;
    assert!(METRICS.engine_restarts.get() > restarts);
    let views = store.rows::<u64>("SELECT toUInt64(sum(views)) FROM daily_totals", &[]).await;
    assert_eq!(views.unwrap(), [5]);
    running.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_child_ends_with_its_terminal() {
    let running = rig::engine().await;
    let pid = running.engine.pid().unwrap();
    drop(running.engine);
    let process = format!("/proc/{pid}");
    rig::until("the child is gone", async || !std::path::Path::new(&process).exists()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_vanish_in_mid_insert_do_not_end_it() {
    let running = rig::engine().await;
    let store = running.migrated().await;
    let pid = running.engine.pid();
    let endpoint = running.engine.endpoint().borrow().clone().unwrap();
    for round in 0..40 {
        vanish(&endpoint, round).await.unwrap();
    }
    store.ping().await.unwrap();
    assert_eq!(running.engine.pid(), pid, "the same process answers");
    let rows = store.rows::<u64>("SELECT count() FROM daily_totals", &[]).await;
    assert_eq!(rows.unwrap(), [0]);
    running.engine.stop().await;
}

/// Starts a chunked insert and closes the connection in the middle of a chunk.
async fn vanish(endpoint: &Endpoint, round: usize) -> std::io::Result<()> {
    let address = endpoint.url.trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(address).await?;
    let head = format!(
        "POST /?query=INSERT%20INTO%20tallyhouse.daily_totals%20(site_id)%20FORMAT%20RowBinary HTTP/1.1\r\n\
         Host: {address}\r\nX-ClickHouse-User: {}\r\nX-ClickHouse-Key: {}\r\n\
         Transfer-Encoding: chunked\r\n\r\n100000\r\n",
        endpoint.user, endpoint.password
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&vec![1; 10_000 * (round + 1)]).await?;
    if round.is_multiple_of(2) { stream.shutdown().await } else { Ok(()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn its_files_and_its_accounts_are_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let running = rig::engine().await;
    running.migrated().await;
    let dir = running.dir.path().join("engine");
    for name in ["password", "users.xml", "config.xml"] {
        let mode = dir.join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}");
    }
    let mut endpoint = running.engine.endpoint().borrow().clone().unwrap();
    assert!(!format!("{endpoint:?}").contains(&endpoint.password));
    endpoint.user = "default".to_owned();
    endpoint.password = String::new();
    let stranger = Store::new(StoreConfig {
        server: Server::At(endpoint),
        database: "tallyhouse".to_owned(),
        data_dir: None,
        topology: Topology::Single,
    });
    let error = stranger.rows::<u64>("SELECT count() FROM events", &[]).await.unwrap_err();
    assert_eq!((error.code, error.class), (497, Class::Refused), "{error}");
    running.engine.stop().await;
}

fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid as i32).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}
