//! One process at a time works on rollups.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};

use super::CloserError;

/// How often a waiting command looks again.
const PATIENCE: Duration = Duration::from_millis(100);

/// Held while open; the kernel lets go when the process dies.
pub(super) struct Lock {
    _file: File,
}

/// The lock, or nothing while another process holds it.
pub(super) fn try_lock(path: &Path) -> Result<Option<Lock>, CloserError> {
    let fail = |source: std::io::Error| CloserError::Lock { path: path.to_path_buf(), source };
    let file = File::options().create(true).append(true).open(path).map_err(fail)?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(Lock { _file: file })),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(fail(error.into())),
    }
}

/// The lock, as soon as it is free.
pub(super) async fn lock(path: &Path) -> Result<Lock, CloserError> {
    loop {
        if let Some(lock) = try_lock(path)? {
            return Ok(lock);
        }
        tokio::time::sleep(PATIENCE).await;
    }
}
