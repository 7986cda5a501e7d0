//! The tables in SQLite: opened, brought up to date, kept from other users of the machine.

use std::fs::{OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use super::AccountsError;

/// Forward only; a released one is never edited. The file's `user_version` counts those applied.
const MIGRATIONS: &[&str] = &[
    include_str!("../../schema/accounts/0001_accounts.sql"),
    include_str!("../../schema/accounts/0002_imports.sql"),
];

/// Longer than any transaction here: a second process waits instead of failing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// Opens the file, makes it if it is missing, and applies what it lacks.
pub(super) fn open(path: &Path) -> Result<Connection, AccountsError> {
    keep_private(path).map_err(|source| AccountsError::File { path: path.to_owned(), source })?;
    let mut db = Connection::open(path)?;
    db.busy_timeout(BUSY_TIMEOUT)?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?; // an answered change survives a power cut
    db.pragma_update(None, "foreign_keys", true)?;
    // A transaction that reads first and writes later fails at once if another process wrote between.
    db.set_transaction_behavior(TransactionBehavior::Immediate);
    migrate(&mut db)?;
    Ok(db)
}

/// The file is made with mode 0600 before SQLite sees it; its `-wal` and `-shm` inherit that.
fn keep_private(path: &Path) -> std::io::Result<()> {
    let file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn migrate(db: &mut Connection) -> Result<(), AccountsError> {
    if version(db)? == MIGRATIONS.len() {
        return Ok(());
    }
    let tx = db.transaction()?;
    let done = version(&tx)?; // of two processes that start at once, one finds it done
    if done > MIGRATIONS.len() {
        return Err(AccountsError::Newer { found: done, known: MIGRATIONS.len() });
    }
    for migration in &MIGRATIONS[done..] {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", MIGRATIONS.len() as u32)?;
    Ok(tx.commit()?)
}

fn version(db: &Connection) -> rusqlite::Result<usize> {
    db.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)).map(|v| v as usize)
}
