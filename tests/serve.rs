//! The running program against what it promises: kill -9, ClickHouse away, budgets, broken disks.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::rig::daemon::{run, run_ok};
use crate::rig::ledger::Fate;
use crate::rig::{Daemon, Ledger, engine};

const SITE: &str = "ledger.example";

/// No rate limit in the way: all clients share one address here.
const OPEN: &[&str] = &["--address-rate", "1000000", "--site-rate", "1000000"];

fn directory() -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a temporary directory");
    run_ok(dir.path(), &["site", "add", SITE]);
    dir
}

fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    OPEN.iter().chain(more).copied().collect()
}

fn wait_acked(ledger: &Ledger, at_least: usize) {
    let deadline = Instant::now() + Duration::from_secs(60);
    while ledger.count(Fate::Acked) < at_least {
        assert!(Instant::now() < deadline, "too few acks: {}", ledger.count(Fate::Acked));
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// I1, I3: ten kills at random moments under load (the long form is `make chaos`).
#[test]
fn kill_9_loses_and_doubles_nothing() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = seed;
    let dir = directory();
    let ledger = Ledger::default();
    for _ in 0..10 {
        let daemon = Daemon::start(dir.path(), &with(&["--wal-sync-interval", "20ms"]));
        let load = ledger.load(&daemon.address, SITE, 16, 10);
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_millis(200 + (random >> 33) % 2_000));
        daemon.kill();
        load.stop();
    }
    assert!(ledger.count(Fate::Acked) > 1_000, "the load was real");
    let daemon = Daemon::start(dir.path(), OPEN);
    ledger.check(&daemon);
}

/// A clean stop loses nothing and says 0.
#[test]
fn a_stop_under_load_loses_nothing() {
    let dir = directory();
    let ledger = Ledger::default();
    let daemon = Daemon::start(dir.path(), OPEN);
    let load = ledger.load(&daemon.address, SITE, 16, 10);
    wait_acked(&ledger, 500);
    assert_eq!(daemon.stop().code(), Some(0));
    load.stop();
    ledger.check(&Daemon::start(dir.path(), OPEN));
}

/// I6, I14: a ClickHouse of somebody else's, away at the start, dying under load, back again.
#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_may_be_away_at_the_start_and_die_under_load() {
    let clickhouse = engine().await;
    let endpoint = clickhouse.engine.endpoint().borrow().clone().expect("it is up");
    let (password, url) = (endpoint.password.clone(), endpoint.url.clone());
    let port: u16 = url.rsplit(':').next().and_then(|p| p.parse().ok()).expect("a port");
    clickhouse.engine.stop().await;

    let dir = directory();
    let ledger = Ledger::default();
    let env = [("TALLYHOUSE_CLICKHOUSE_PASSWORD", password.as_str())];
    let args = with(&["--clickhouse-url", &url, "--clickhouse-user", &endpoint.user]);
    let daemon = Daemon::start_with(dir.path(), &args, &env);
    let load = ledger.load(&daemon.address, SITE, 8, 10);
    wait_acked(&ledger, 300);
    assert!(daemon.metric("tallyhouse_pending") >= 300.0, "nothing can be drained yet");

    let mut config = crate::rig::engine::config(clickhouse.dir.path());
    config.http_port = port;
    for _ in 0..2 {
        let back = tallyhouse::engine::Engine::start(config.clone()).expect("it starts");
        crate::rig::engine::ready(&back).await;
        let before = daemon.metric("tallyhouse_stored_total");
        daemon.wait("the backlog drains", |d| d.metric("tallyhouse_stored_total") > before);
        let pid = back.pid().expect("a child");
        let pid = rustix::process::Pid::from_raw(pid as i32).expect("not zero");
        rustix::process::kill_process(pid, rustix::process::Signal::KILL).expect("it runs");
        let acked = ledger.count(Fate::Acked);
        wait_acked(&ledger, acked + 200);
        back.stop().await;
    }
    load.stop();
    let back = tallyhouse::engine::Engine::start(config).expect("it starts");
    crate::rig::engine::ready(&back).await;
    daemon.wait_drained();
    let store = crate::rig::engine::store(&back, clickhouse.dir.path());
    let rows: Vec<(u64, u64)> = store
        .rows("SELECT count(), uniqExact(node, seq) FROM events WHERE site_id > 0", &[])
        .await
        .expect("it answers");
    assert_eq!(rows[0].0, rows[0].1, "nothing twice");
    assert!(rows[0].0 as usize >= ledger.count(Fate::Acked), "nothing lost");
    let most = ledger.count(Fate::Acked) + ledger.count(Fate::Unknown);
    assert!(rows[0].0 as usize <= most, "nothing that was refused");
}

/// I2, I12: at the log's budget hits are refused; with room again they are taken.
#[test]
fn a_full_log_refuses_and_recovers() {
    let dir = directory();
    let ledger = Ledger::default();
    let closed = crate::rig::daemon::free_port();
    let nowhere = format!("http://127.0.0.1:{closed}");
    let daemon = Daemon::start_with(
        dir.path(),
        &with(&[
            "--clickhouse-url",
            &nowhere,
            "--wal-max-bytes",
            "67108864",
            "--wal-sync-interval",
            "5ms",
        ]),
        &[("TALLYHOUSE_CLICKHOUSE_PASSWORD", "none")],
    );
    let load = ledger.load(&daemon.address, SITE, 48, 10);
    daemon.wait("the budget is reached", |_| ledger.count(Fate::Refused) > 1_000);
    let refused = daemon.metric("tallyhouse_refused_total{reason=\"unavailable\"}");
    assert!(refused > 0.0, "the reason is named");
    assert_eq!(daemon.get("/readyz").expect("answers").status, 503);
    assert_eq!(daemon.get("/healthz").expect("answers").status, 200);
    load.stop();
    daemon.kill();
    let daemon = Daemon::start(dir.path(), OPEN);
    daemon.wait_drained();
    ledger.post(&daemon.address, SITE, 10);
    ledger.check(&daemon);
}

/// I13: the first write or fsync error ends the process with 74, and nothing acked is lost.
#[test]
fn a_broken_disk_ends_the_process() {
    let shim = shim();
    // A new segment is filled with zeros first: 16 MiB in writes of 8 KiB.
    for (call, nth) in [("fdatasync", "60"), ("write", "2200")] {
        let dir = directory();
        let ledger = Ledger::default();
        let env = [
            ("LD_PRELOAD", shim.as_str()),
            ("IOERR_OP", call),
            ("IOERR_PATH", "/wal/wal-"),
            ("IOERR_NTH", nth),
            ("IOERR_WITH", "EIO"),
        ];
        let mut daemon =
            Daemon::start_with(dir.path(), &with(&["--wal-sync-interval", "20ms"]), &env);
        let load = ledger.load(&daemon.address, SITE, 8, 10);
        assert_eq!(daemon.wait_exit().code(), Some(74), "{call}\n{}", daemon.log());
        load.stop();
        assert!(daemon.log().contains("wal"), "the line says what happened: {}", daemon.log());
        assert!(ledger.count(Fate::Acked) > 0, "{call}: it broke under load");
        drop(daemon);
        ledger.check(&Daemon::start(dir.path(), OPEN));
    }
}

/// Builds the library that makes a system call fail.
fn shim() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("ioerr.so");
    let built = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&target)
        .arg(root.join("tests/shim/ioerr.c"))
        .arg("-ldl")
        .status()
        .expect("a C compiler");
    assert!(built.success());
    target.display().to_string()
}

/// Two daemons must not share a directory.
#[test]
fn a_second_daemon_is_refused() {
    let dir = directory();
    let _first = Daemon::start(dir.path(), &[]);
    let mut second = Daemon::spawn(dir.path(), &[], &[]);
    let code = second.wait_exit().code();
    assert!(code.is_some_and(|code| code != 0), "{code:?}");
    assert!(second.log().contains("another"), "{}", second.log());
}

/// Bad settings are all named at once.
#[test]
fn a_bad_configuration_names_every_problem() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let args = ["serve", "--trusted-proxy", "10.0.0.0/99", "--wal-sync-interval", "1h"];
    let error = run(dir.path(), &args).expect_err("refused");
    assert!(error.contains("trusted-proxy") && error.contains("wal-sync-interval"), "{error}");
}
