//! Processes that die: killed at any moment, or ended by a disk that fails. The child is this test
//! binary again; the parent counts what the child was told is durable.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::rig::{Rig, START_MS, Store, block_on, open, rows, stamps, wait_for};
use crate::clock::Clock;
use crate::hours::HOUR_MS;
use crate::wal::{Segment, Unavailable, Wal, WalConfig, WalError};

const CHILD: &str = "TALLYHOUSE_TEST_WAL_CHILD";
const FEW_FILES: &str = "TALLYHOUSE_TEST_WAL_FEW_FILES";
/// The child's own code for a log that does not open; 74 is the log's.
const NOT_OPENED: i32 = 3;

fn config(home: &Path) -> WalConfig {
    WalConfig {
        segment_bytes: 16 * 1024,
        segment_age: Duration::from_millis(20),
        stall: Duration::from_millis(1500),
        ..Rig::config(&home.join("wal"))
    }
}

/// Appends for as long as it lives. Not a test of its own: it does nothing unless a test below has
/// started this binary again.
#[test]
fn child() {
    let Some(home) = std::env::var_os(CHILD).map(PathBuf::from) else { return };
    let line_file = |name: &str| {
        let file = OpenOptions::new().create(true).append(true).open(home.join(name)).unwrap();
        Arc::new(Mutex::new(file))
    };
    let (acked, stored) = (line_file("acked"), line_file("stored"));
    let sink = move |segment: &Segment| {
        let seqs = stamps(segment).iter().map(|at| format!(" {}", at.seq)).collect::<String>();
        put_line(&stored, &format!("{}{seqs}", segment.id));
        ControlFlow::Continue(())
    };
    let clock = Clock::manual(START_MS);
    let Ok((wal, _)) = Wal::open(config(&home), clock.clone(), sink) else {
        std::process::exit(NOT_OPENED);
    };
    std::thread::scope(|threads| {
        for n in 0..3 {
            let (wal, acked, clock) = (&wal, &acked, &clock);
            threads.spawn(move || {
                for i in 0.. {
                    append(wal, acked, &"p".repeat((i * 37 + n * 500) % 3000));
                    if i % 50 == 49 {
                        clock.set(clock.now_ms() + HOUR_MS / 7);
                    }
                }
            });
        }
    });
}

/// F12, also started by a test below: with few descriptors the backlog must end before they do.
#[test]
fn child_with_few_files() {
    let Some(home) = std::env::var_os(FEW_FILES).map(PathBuf::from) else { return };
    let few = Rlimit { current: Some(80), maximum: Some(80) };
    setrlimit(Resource::Nofile, few).unwrap();
    let store = Store::default();
    store.hold();
    let (wal, _) = open(&config(&home), &Clock::manual(START_MS), store.clone());
    let acked = Mutex::new(File::create(home.join("acked")).unwrap());
    while wal.accepting().is_ok() {
        append(&wal, &acked, &"p".repeat(3000));
    }
    assert_eq!(wal.accepting(), Err(Unavailable::Backlog));
    std::process::exit(0);
}

fn append(wal: &Wal, acked: &Mutex<File>, text: &str) {
    let Ok(admission) = wal.admit(2) else { return };
    let seq = admission.stamp(0).seq;
    let rows = rows(&admission, 2, text);
    if block_on(wal.append(admission, rows)).is_ok() {
        put_line(acked, &format!("{seq} {}", seq + 1));
    }
}

/// One write, so that a kill leaves at most one line unfinished.
fn put_line(file: &Mutex<File>, line: &str) {
    file.lock().unwrap().write_all(format!("{line} ;\n").as_bytes()).unwrap();
}

/// The whole lines of a file, as words.
fn lines(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.lines().filter_map(|line| line.strip_suffix(" ;"));
    whole.map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

fn start(home: &Path, settings: &[(&str, String)]) -> Child {
    let settings = settings.iter().map(|(key, value)| (key, value));
    run("child", Command::new(std::env::current_exe().unwrap()).env(CHILD, home).envs(settings))
}

fn run(test: &str, command: &mut Command) -> Child {
    command.args(["--exact", &format!("wal::tests::crash::{test}"), "--nocapture"]);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Waits for the end of a child, and kills one that does not end.
fn end_of(mut child: Child) -> ExitStatus {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the child did not end: {:?}", child.wait());
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Drains what is left, and checks that all that was acknowledged is stored exactly once, counting
/// a segment that came twice as once if it is the same.
fn check(home: &Path) -> usize {
    let store = Store::default();
    let (wal, report) = open(&config(home), &Clock::manual(START_MS), store.clone());
    wait_for("the drain", || wal.shared().ledger.segments() == 0);
    wal.close();
    assert_eq!((report.quarantined, report.missing), (0, 0), "{report}");
    let mut blocks: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let before = lines(&home.join("stored")).into_iter().map(|words| {
        (words[0].clone(), words[1..].iter().map(|seq| seq.parse().unwrap()).collect())
    });
    let now = store.segments().into_iter().map(|segment| {
        (segment.id.to_string(), stamps(&segment).iter().map(|stamp| stamp.seq).collect())
    });
    for (id, seqs) in before.chain(now) {
        let known: &Vec<u64> = blocks.entry(id).or_insert_with(|| Vec::clone(&seqs));
        assert_eq!(*known, seqs, "a segment never changes");
    }
    let stored: Vec<u64> = blocks.values().flatten().copied().collect();
    let unique: BTreeSet<u64> = stored.iter().copied().collect();
    assert_eq!(stored.len(), unique.len(), "nothing is stored in two segments");
    let acked: Vec<u64> =
        lines(&home.join("acked")).iter().flatten().map(|seq| seq.parse().unwrap()).collect();
    let lost = acked.iter().filter(|seq| !unique.contains(seq)).count();
    assert_eq!(lost, 0, "of {} acknowledged", acked.len());
    acked.len()
}

#[test]
fn nothing_acknowledged_is_lost_or_doubled_by_kills() {
    let seed: u64 = rand::random();
    println!("seed {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let home = tempfile::tempdir().unwrap();
    for _ in 0..10 {
        let before = lines(&home.path().join("acked")).len();
        let mut child = start(home.path(), &[]);
        let more = random.random_range(0..60);
        wait_for("acknowledgements", || {
            assert!(child.try_wait().unwrap().is_none(), "the child ended by itself");
            lines(&home.path().join("acked")).len() >= before + more
        });
        std::thread::park_timeout(Duration::from_micros(random.random_range(0..20_000)));
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(check(home.path()) > 0);
}

/// Builds the library that makes calls fail.
fn shim(home: &Path) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/shim/ioerr.c");
    let library = home.join("ioerr.so");
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).args([&library, &source]).arg("-ldl");
    assert!(compiler.status().unwrap().success(), "cc builds the shim");
    library.to_str().unwrap().to_owned()
}

/// F8 to F11: the nth call fails; the process ends with 74 and the next start has everything.
fn failing(op: &str, path: &str, with: &str, nths: &[u32]) {
    let mut ended_by_log = 0;
    for nth in nths {
        let home = tempfile::tempdir().unwrap();
        let settings = [
            ("LD_PRELOAD", shim(home.path())),
            ("IOERR_OP", op.to_owned()),
            ("IOERR_PATH", path.to_owned()),
            ("IOERR_NTH", nth.to_string()),
            ("IOERR_WITH", with.to_owned()),
        ];
        let status = end_of(start(home.path(), &settings));
        let code = status.code();
        assert!(code == Some(74) || code == Some(NOT_OPENED), "{op} {with} {nth}: {status}");
        ended_by_log += usize::from(code == Some(74) && check(home.path()) > 0);
    }
    assert!(ended_by_log > 0, "{op} {with}: at least one failure came after acknowledgements");
}

#[test]
fn a_failed_sync_of_a_segment_ends_the_process() {
    failing("fdatasync", "/wal/wal-", "EIO", &[1, 2, 7, 30]);
}

#[test]
fn a_failed_write_of_a_segment_ends_the_process() {
    failing("write", "/wal/wal-", "EIO", &[1, 5, 20, 60]);
}

#[test]
fn a_full_disk_ends_the_process() {
    failing("write", "/wal/wal-", "ENOSPC", &[3, 33, 90]);
}

#[test]
fn a_failed_sync_of_the_directory_ends_the_process() {
    failing("fsync", "/wal", "EIO", &[1, 4, 8, 11, 14, 20]);
}

#[test]
fn a_write_that_never_returns_ends_the_process() {
    failing("fdatasync", "/wal/wal-", "HANG", &[9]);
}

#[test]
fn descriptors_do_not_run_out() {
    let home = tempfile::tempdir().unwrap();
    let mut command = Command::new(std::env::current_exe().unwrap());
    let status = end_of(run("child_with_few_files", command.env(FEW_FILES, home.path())));
    assert!(status.success(), "{status}");
    assert!(check(home.path()) > 0);
}

/// A log that cannot be opened loses nothing by it.
#[test]
fn a_directory_that_is_a_file_is_an_error() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("wal"), "").unwrap();
    let opened = Wal::open(config(home.path()), Clock::manual(START_MS), Store::default());
    assert!(matches!(opened, Err(WalError::Io { .. })));
}
