//! The embedded engine: life, death, and who may enter.

use tallyhouse::engine::{self, Engine, EngineError};
use tallyhouse::store::Class;

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
async fn the_schema_applies() {
    let running = rig::engine().await;
    let store = running.store();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    running.engine.stop().await;
}
