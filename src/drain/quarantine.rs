//! Rows ClickHouse refused: kept as they are, with the reason beside them.
//!
//! ```text
//! quarantine/<name>.rows   records as in the log, so that they can be drained again
//! quarantine/<name>.txt    what ClickHouse said
//! ```

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The directory of refused rows.
pub(super) struct Quarantine {
    dir: PathBuf,
}

impl Quarantine {
    pub(super) fn new(dir: PathBuf) -> Quarantine {
        Quarantine { dir }
    }

    /// Writes both files and syncs them; doing so again changes nothing.
    pub(super) fn keep(&self, name: &str, records: &[u8], why: &str) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.dir)?;
        write(&self.dir.join(format!("{name}.txt")), format!("{why}\n").as_bytes())?;
        write(&self.dir.join(format!("{name}.rows")), records)?;
        File::open(&self.dir)?.sync_all()?;
        if let Some(parent) = self.dir.parent() {
            File::open(parent)?.sync_all()?;
        }
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}
