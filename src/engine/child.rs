//! The child's side: the hidden subcommand `tallyhouse engine`. It becomes ClickHouse.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::{ffi, files};

/// ClickHouse gives connections 5 s when its terminal closes; later it hangs.
const ORPHAN_LIMIT: Duration = Duration::from_secs(10);
/// How long an engine of a daemon that was killed may hold the directory.
const LOCK_LIMIT: Duration = Duration::from_secs(20);

/// Runs the engine if that is what the arguments (with the program's name) ask for.
pub fn entry(arguments: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut arguments = arguments.into_iter().skip(1);
    if arguments.next()? != "engine" {
        return None;
    }
    let rest: Vec<OsString> = arguments.collect();
    let [dir_flag, dir, library_flag, library] = rest.as_slice() else { return None };
    if dir_flag != "--dir" || library_flag != "--library" {
        return None;
    }
    let ended = run(&PathBuf::from(dir), &PathBuf::from(library));
    if let Err(error) = &ended {
        // Standard error is the log beside the engine's data; there is no other reader.
        #[allow(clippy::print_stderr)]
        {
            eprintln!("engine: {error}");
        }
    }
    Some(if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run(dir: &Path, library: &Path) -> Result<(), String> {
    // Its own session: ClickHouse may signal its whole process group, and must not hear our Ctrl-C.
    rustix::process::setsid().map_err(|e| format!("setsid: {e}"))?;
    std::thread::spawn(end_with_terminal);
    let _lock = files::lock_child(dir, LOCK_LIMIT)?;
    ffi::run_local(library, &arguments(dir)?)
}

fn arguments(dir: &Path) -> Result<Vec<CString>, String> {
    let text = |bytes: &[u8]| CString::new(bytes).map_err(|_| "a path holds a NUL".to_owned());
    let port_file = files::port_file(dir);
    let port_file = port_file.to_str().ok_or("the data directory's name is not UTF-8")?;
    let query = format!(
        "SYSTEM START LISTEN HTTP; \
         SELECT getServerPort('http_port') INTO OUTFILE '{}' TRUNCATE FORMAT TSV",
        port_file.replace('\\', "\\\\").replace('\'', "\\'")
    );
    Ok(vec![
        text(b"clickhouse")?,
        text(b"--config-file")?,
        text(files::config_file(dir).as_os_str().as_bytes())?,
        text(b"--log-level")?,
        text(b"warning")?,
        // With a terminal and this, a client that vanishes in mid-insert does not abort ClickHouse.
        text(b"--interactive")?,
        text(b"--disable_suggestion")?,
        text(b"--history_file")?,
        text(b"/dev/null")?,
        text(b"--query")?,
        text(query.as_bytes())?,
    ])
}

/// Waits until the daemon's end of the terminal is gone, gives ClickHouse time to end by itself, and
/// then ends the process the hard way: the directory must not stay locked by a hung orphan.
fn end_with_terminal() {
    use rustix::event::{PollFd, PollFlags, poll};
    let input = std::io::stdin();
    loop {
        let mut fds = [PollFd::new(&input, PollFlags::empty())];
        let polled = poll(&mut fds, None);
        if polled.is_ok() && fds[0].revents().contains(PollFlags::HUP) {
            break;
        }
        if matches!(polled, Err(error) if error != rustix::io::Errno::INTR) {
            return;
        }
    }
    std::thread::sleep(ORPHAN_LIMIT);
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
}
