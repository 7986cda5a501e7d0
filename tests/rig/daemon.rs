//! The real program, started as an operator would start it, in a directory of its own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::http::{Answer, request};

/// A browser's user agent.
pub const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) \
     Chrome/140.0.0.0 Safari/537.36";

/// A running `tallyhouse serve`. Killed when dropped.
pub struct Daemon {
    child: Child,
    /// host:port of the ingest origin and dashboard.
    pub address: String,
    /// host:port of the metrics.
    pub metrics: String,
    pub dir: PathBuf,
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("bound").port()
}

/// The program with the engine library named and nothing else inherited that could matter.
pub fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallyhouse"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("TALLYHOUSE_ENGINE_LIBRARY", super::engine::library())
        .env("TALLYHOUSE_DATA_DIR", dir)
        .stdin(Stdio::null());
    command
}

/// Runs a command of the program; its standard output if it succeeds, its standard error if not.
pub fn run(dir: &Path, args: &[&str]) -> Result<String, String> {
    let output = program(dir).args(args).output().expect("the program starts");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// As [`run`], for commands that must succeed.
pub fn run_ok(dir: &Path, args: &[&str]) -> String {
    run(dir, args).unwrap_or_else(|error| panic!("tallyhouse {args:?}: {error}"))
}

impl Daemon {
    /// Starts and waits until it accepts events.
    pub fn start(dir: &Path, args: &[&str]) -> Daemon {
        Daemon::start_with(dir, args, &[])
    }

    /// As [`Daemon::start`], with more environment.
    pub fn start_with(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Daemon {
        let daemon = Daemon::spawn(dir, args, env);
        let deadline = Instant::now() + Duration::from_secs(60);
        while daemon.get("/readyz").map_or(true, |answer| answer.status != 200) {
            assert!(Instant::now() < deadline, "not ready within a minute:\n{}", daemon.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        daemon
    }

    /// Starts without waiting.
    pub fn spawn(dir: &Path, args: &[&str], env: &[(&str, &str)]) -> Daemon {
        let address = format!("127.0.0.1:{}", free_port());
        let metrics = format!("127.0.0.1:{}", free_port());
        let log = std::fs::File::options()
            .create(true)
            .append(true)
            .open(dir.join("daemon.log"))
            .expect("a log file");
        let child = program(dir)
            .args(["serve", "--listen", &address, "--metrics-listen", &metrics])
            .args(args)
            .envs(env.iter().copied())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("the program starts");
        Daemon { child, address, metrics, dir: dir.to_path_buf() }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it logged so far, over all its runs in this directory.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("daemon.log")).unwrap_or_default()
    }

    pub fn get(&self, path: &str) -> std::io::Result<Answer> {
        request(&self.address, "GET", path, &[], b"")
    }

    /// Posts to the event API as a browser would.
    pub fn post(&self, body: &str) -> std::io::Result<Answer> {
        self.post_with(body, &[])
    }

    /// As [`Daemon::post`], with more headers.
    pub fn post_with(&self, body: &str, headers: &[(&str, &str)]) -> std::io::Result<Answer> {
        let mut all = vec![("content-type", "text/plain")];
        if !headers.iter().any(|(name, _)| *name == "user-agent") {
            all.push(("user-agent", AGENT));
        }
        all.extend_from_slice(headers);
        request(&self.address, "POST", "/api/event", &all, body.as_bytes())
    }

    /// One metric's value, labels included in the name as they are printed.
    pub fn metric(&self, name: &str) -> f64 {
        let answer = request(&self.metrics, "GET", "/metrics", &[], b"").expect("metrics answer");
        let line = answer
            .body
            .lines()
            .find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
        line.and_then(|l| l.rsplit(' ').next()?.parse().ok()).unwrap_or(0.0)
    }

    /// Waits until what was acked is in ClickHouse.
    pub fn wait_drained(&self) {
        self.wait("everything is drained", |d| d.metric("tallyhouse_pending") == 0.0);
    }

    /// Waits for a condition, two minutes at most.
    pub fn wait(&self, what: &str, condition: impl Fn(&Daemon) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !condition(self) {
            assert!(Instant::now() < deadline, "waited too long: {what}\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The answer to a query, one row a line.
    pub fn sql(&self, query: &str) -> String {
        run_ok(&self.dir, &["sql", query, "--format", "TSV"]).trim_end().to_owned()
    }

    /// kill -9.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM, and its exit status.
    pub fn stop(mut self) -> ExitStatus {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it runs");
        self.wait_exit()
    }

    /// Its exit status, once it ended by itself.
    pub fn wait_exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().expect("ours") {
                return status;
            }
            assert!(Instant::now() < deadline, "did not end within a minute:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
