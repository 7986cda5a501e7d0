//! The log's directory: its lock, its free space, and files that are replaced whole or not at all.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FallocateFlags, FlockOperation, fallocate, flock, statvfs};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Makes the directory if need be, readable for its owner only: that covers every file in it.
pub(super) fn make_private(dir: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    std::fs::set_permissions(dir, Permissions::from_mode(0o700))
}

/// Takes the directory's lock, or tells that another process has it. The lock ends with the file.
pub(super) fn lock(dir: &Path) -> io::Result<Option<File>> {
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).open(dir.join("LOCK"))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// Makes names in the directory durable.
pub(super) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Replaces a file: after a crash it is the old one or the new one. Durable on return.
pub(super) fn replace(dir: &Path, name: &str, bytes: &[u8]) -> io::Result<()> {
    let scratch = dir.join(format!("new-{name}"));
    let mut file = File::create(&scratch)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&scratch, dir.join(name))?;
    sync_dir(dir)
}

/// Reads a whole file, or nothing if there is none.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Removes a file that may not be there.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}

/// Bytes an ordinary user may still write to the directory's disk.
pub(super) fn free_bytes(dir: &Path) -> io::Result<u64> {
    let disk = statvfs(dir)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Bytes set aside so that a restart on a full disk still finds room for its new segment.
pub(super) struct Ballast {
    bytes: u64,
}

impl Ballast {
    pub(super) fn for_segments_of(bytes: u64) -> Ballast {
        Ballast { bytes: 2 * bytes }
    }

    /// Gives the bytes back if the disk is nearly full.
    pub(super) fn drop_if_needed(&self, dir: &Path) -> io::Result<()> {
        if free_bytes(dir)? < 2 * self.bytes { remove(&dir.join("ballast")) } else { Ok(()) }
    }

    /// Takes the bytes while there is plenty of room. A file system that cannot is left alone.
    pub(super) fn take_if_possible(&self, dir: &Path) -> io::Result<()> {
        let path = dir.join("ballast");
        if path.exists() || free_bytes(dir)? < 8 * self.bytes {
            return Ok(());
        }
        let file = File::create(&path)?;
        match fallocate(&file, FallocateFlags::empty(), 0, self.bytes) {
            Ok(()) => Ok(()),
            Err(_) => remove(&path),
        }
    }
}

/// Raises the limit of open files to what is wanted, as far as allowed, and tells what it is.
pub(super) fn raise_open_files(wanted: u64) -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let now = limit.current.unwrap_or(u64::MAX);
    if now >= wanted {
        return now;
    }
    let raised = wanted.min(limit.maximum.unwrap_or(u64::MAX));
    let new = Rlimit { current: Some(raised), maximum: limit.maximum };
    if setrlimit(Resource::Nofile, new).is_ok() { raised } else { now }
}
