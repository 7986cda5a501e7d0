//! The data directory: may we write, is there room, how long does a commit take.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::Finding;
use crate::limits::{DISK_FREE_BYTES_MIN, WAL_SYNC_INTERVAL};

/// Below this a disk fills up before anybody looks.
const FREE_BYTES_COMFORT: u64 = 5 * DISK_FREE_BYTES_MIN;
const APPENDS: usize = 50;
const APPEND_BYTES: usize = 4096;
/// A disk that never answers must not hang the doctor.
const SYNC_LIMIT: Duration = Duration::from_secs(20);

/// A file that is gone when dropped.
struct Scratch {
    path: PathBuf,
    file: File,
}

impl Scratch {
    fn new(dir: &Path) -> io::Result<Scratch> {
        let path = dir.join(format!("doctor-{}.tmp", std::process::id()));
        let file = OpenOptions::new().create_new(true).append(true).open(&path)?;
        Ok(Scratch { path, file })
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

pub(super) fn writable(dir: &Path) -> Finding {
    const CHECK: &str = "data directory";
    let shown = dir.display();
    match Scratch::new(dir) {
        Ok(_) => Finding::ok(CHECK, format!("{shown} is writable")),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Finding::fail(
            CHECK,
            format!("{shown} does not exist"),
            "make it, or name another with --data-dir; `tallyhouse serve` makes it at its first start",
        ),
        Err(e) => Finding::fail(
            CHECK,
            format!("{shown} cannot be written: {e}"),
            "give it to the user that runs tallyhouse, or name another with --data-dir",
        ),
    }
}

pub(super) fn free_space(dir: &Path) -> Finding {
    const CHECK: &str = "free space";
    let stat = match rustix::fs::statvfs(dir) {
        Ok(stat) => stat,
        Err(e) => {
            let advice = "see whether the file system is mounted";
            return Finding::fail(CHECK, format!("unknown: {e}"), advice);
        }
    };
    let free = stat.f_bavail * stat.f_frsize;
    let found = format!("{:.1} GiB", free as f64 / f64::from(1 << 30));
    if free < DISK_FREE_BYTES_MIN {
        let advice = "free some: below 1 GiB every event is refused with 503";
        Finding::fail(CHECK, found, advice)
    } else if free < FREE_BYTES_COMFORT {
        Finding::warn(CHECK, found, "free some soon: below 1 GiB every event is refused with 503")
    } else {
        Finding::ok(CHECK, found)
    }
}

pub(super) fn sync_latency(dir: &Path) -> Finding {
    const CHECK: &str = "sync latency";
    let times = match measure(dir) {
        Ok(times) => times,
        Err(e) => {
            let advice =
                "look at the disk and its file system: an event is accepted only once it is synced";
            return Finding::fail(CHECK, format!("cannot be measured: {e}"), advice);
        }
    };
    let ms = |share: f64| {
        let at = (times.len() as f64 * share) as usize;
        times[at.min(times.len() - 1)].as_secs_f64() * 1000.0
    };
    let (median, p99) = (ms(0.5), ms(0.99));
    let found =
        format!("median {median:.2} ms, p99 {p99:.2} ms ({} appends of 4 KiB)", times.len());
    let interval = WAL_SYNC_INTERVAL.as_secs_f64() * 1000.0;
    if p99 > 10.0 * interval {
        let advice = "this disk stalls for seconds; put the data directory on a local SSD";
        Finding::warn(CHECK, found, advice)
    } else if median > interval {
        let advice = "every answer waits for a sync; put the data directory on a faster disk";
        Finding::warn(CHECK, found, advice)
    } else {
        Finding::ok(CHECK, found)
    }
}

/// The times of the appends, sorted; at least one.
fn measure(dir: &Path) -> io::Result<Vec<Duration>> {
    let mut scratch = Scratch::new(dir)?;
    let began = Instant::now();
    let mut times = Vec::with_capacity(APPENDS);
    while times.len() < APPENDS && (times.is_empty() || began.elapsed() < SYNC_LIMIT) {
        let start = Instant::now();
        scratch.file.write_all(&[0; APPEND_BYTES])?;
        scratch.file.sync_data()?;
        times.push(start.elapsed());
    }
    times.sort();
    Ok(times)
}

#[cfg(test)]
mod tests {
    use super::{free_space, sync_latency, writable};
    use crate::doctor::Verdict;

    #[test]
    fn a_good_directory_and_a_missing_one() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(writable(dir.path()).verdict, Verdict::Ok);
        let latency = sync_latency(dir.path());
        assert!(latency.found.contains("50 appends") || latency.verdict == Verdict::Warn);
        assert!(std::fs::read_dir(dir.path()).unwrap().next().is_none(), "nothing is left behind");
        let gone = dir.path().join("gone");
        for finding in [writable(&gone), free_space(&gone), sync_latency(&gone)] {
            assert_eq!(finding.verdict, Verdict::Fail);
            assert!(!finding.advice.is_empty());
        }
    }
}
