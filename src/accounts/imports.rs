//! How far each import of a log came. A log is recognised by its content: the hash of its first bytes.
//!
//! ```text
//! Open     before anything is written, and between two chunks
//! Writing  bytes `from` to `bytes_done` may be in ClickHouse, or in part: ask for their markers
//! Done     as far as the log went; a grown log goes on from here
//! ```
//! `bytes_done` and `hash` cover the chunk that is being written, so that another log with the same
//! beginning is never taken for this one.

use rusqlite::{OptionalExtension as _, Row, params};

use super::{Accounts, AccountsError};
use crate::hours::Day;
use crate::tenant::SiteId;

/// What an import is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportState {
    Open,
    Writing {
        /// Where the chunk begins, in bytes of the uncompressed log.
        from: u64,
        /// Number of its first line.
        first_line: u64,
    },
    Done,
}

/// One import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    /// 0 before it was saved.
    pub id: u32,
    pub site: SiteId,
    /// Bytes of the uncompressed log that are read, or being written.
    pub bytes_done: u64,
    /// BLAKE3 of them.
    pub hash: [u8; 32],
    pub state: ImportState,
    /// Keys the visitor hashes; gone once no further line can belong to the same visitors.
    pub secret: Option<[u8; 32]>,
    /// Number of the line after `bytes_done`.
    pub next_line: u64,
    /// Site-local days with new rows that are not in the reports yet.
    pub days: Vec<Day>,
}

/// Import numbers are node numbers with this bit set: no live node has it.
pub const IMPORT_NODE: u32 = 1 << 31;

impl Import {
    /// A new import, not saved yet.
    pub fn new(site: SiteId) -> Import {
        Import {
            id: 0,
            site,
            bytes_done: 0,
            hash: *blake3::hash(b"").as_bytes(),
            state: ImportState::Open,
            secret: None,
            next_line: 1,
            days: Vec::new(),
        }
    }

    /// The node its rows bear.
    pub fn node(&self) -> u32 {
        IMPORT_NODE | self.id
    }
}

impl Accounts {
    /// The imports of a site that wrote something, oldest first.
    ///
    /// # Errors
    /// SQLite fails, or a row is damaged.
    pub fn imports(&self, site: SiteId) -> Result<Vec<Import>, AccountsError> {
        self.with(|db| {
            let sql = "SELECT id, site_id, bytes_done, prefix_hash, state, secret, next_seq, days
                       FROM imports WHERE site_id = ?1 AND bytes_done > 0 ORDER BY id";
            let mut select = db.prepare_cached(sql)?;
            let rows = select.query_map([site.0], |row| Ok(read(row)))?;
            rows.map(|row| row?).collect()
        })
    }

    /// Saves an import; gives it its number if it has none. Durable when it returns.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn save_import(&self, import: &mut Import) -> Result<(), AccountsError> {
        let now_ms = self.now_ms();
        let days: Vec<String> = import.days.iter().map(|day| day.0.to_string()).collect();
        let state = match import.state {
            ImportState::Open => "open".to_owned(),
            ImportState::Writing { from, first_line } => format!("writing {from} {first_line}"),
            ImportState::Done => "done".to_owned(),
        };
        self.with(|db| {
            let tx = db.transaction()?;
            if import.id == 0 {
                let sql = "INSERT INTO imports (site_id, bytes_done, prefix_hash, state, node,
                           next_seq, days, updated) VALUES (?1, 0, x'', '', 0, 0, '', 0)";
                tx.execute(sql, [import.site.0])?;
                let id = u32::try_from(tx.last_insert_rowid()).ok().filter(|id| *id < IMPORT_NODE);
                import.id = id.ok_or_else(|| AccountsError::Damaged("import number".to_owned()))?;
            }
            let sql = "UPDATE imports SET bytes_done = ?2, prefix_hash = ?3, state = ?4,
                       secret = ?5, node = ?6, next_seq = ?7, days = ?8, updated = ?9 WHERE id = ?1";
            tx.execute(
                sql,
                params![
                    import.id,
                    signed(import.bytes_done),
                    import.hash,
                    state,
                    import.secret,
                    import.node(),
                    signed(import.next_line),
                    days.join(" "),
                    now_ms
                ],
            )?;
            Ok(tx.commit()?)
        })
    }

    /// Erases the secrets of finished imports last touched before `before_ms`: their days are over.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn forget_import_secrets(&self, before_ms: i64) -> Result<usize, AccountsError> {
        let sql = "UPDATE imports SET secret = NULL
                   WHERE secret IS NOT NULL AND state = 'done' AND updated < ?1";
        Ok(self.with(|db| db.execute(sql, [before_ms]))?)
    }

    /// Whether some import may have written rows that are not in the reports yet.
    ///
    /// # Errors
    /// SQLite fails.
    pub fn import_unfinished(&self, site: SiteId) -> Result<bool, AccountsError> {
        let sql = "SELECT 1 FROM imports WHERE site_id = ?1 AND days <> '' LIMIT 1";
        let found = self.with(|db| db.query_row(sql, [site.0], |_| Ok(())).optional())?;
        Ok(found.is_some())
    }
}

fn read(row: &Row<'_>) -> Result<Import, AccountsError> {
    let id: u32 = row.get(0)?;
    let damaged = |what: &str| AccountsError::Damaged(format!("the {what} of import {id}"));
    let hash: Vec<u8> = row.get(3)?;
    let secret: Option<Vec<u8>> = row.get(5)?;
    let secret = secret.map(|s| s.try_into()).transpose();
    let state: String = row.get(4)?;
    let days: String = row.get(7)?;
    let days: Result<Vec<Day>, _> = days.split_whitespace().map(|d| d.parse().map(Day)).collect();
    Ok(Import {
        id,
        site: SiteId(row.get(1)?),
        bytes_done: unsigned(row.get(2)?).ok_or_else(|| damaged("position"))?,
        hash: hash.try_into().map_err(|_| damaged("hash"))?,
        state: parse_state(&state).ok_or_else(|| damaged("state"))?,
        secret: secret.map_err(|_| damaged("secret"))?,
        next_line: unsigned(row.get(6)?).ok_or_else(|| damaged("line"))?,
        days: days.map_err(|_| damaged("days"))?,
    })
}

/// SQLite's integers have a sign; no log is that long.
fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn unsigned(count: i64) -> Option<u64> {
    u64::try_from(count).ok()
}

fn parse_state(text: &str) -> Option<ImportState> {
    let mut words = text.split(' ');
    let state = match words.next()? {
        "open" => ImportState::Open,
        "done" => ImportState::Done,
        "writing" => ImportState::Writing {
            from: words.next()?.parse().ok()?,
            first_line: words.next()?.parse().ok()?,
        },
        _ => return None,
    };
    words.next().is_none().then_some(state)
}

#[cfg(test)]
mod tests {
    use super::{Import, ImportState};
    use crate::accounts::Accounts;
    use crate::clock::Clock;
    use crate::hours::Day;
    use crate::tenant::SiteId;

    #[test]
    fn an_import_is_read_as_it_was_saved() {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(1_000);
        let accounts = Accounts::open(&dir.path().join("accounts.db"), clock.clone()).unwrap();
        let site = SiteId(3);
        let mut import = Import::new(site);
        accounts.save_import(&mut import).unwrap();
        assert!(import.id > 0 && accounts.imports(site).unwrap().is_empty());
        import.bytes_done = 77;
        import.secret = Some([9; 32]);
        import.days = vec![Day(16_000), Day(16_001)];
        import.state = ImportState::Writing { from: 5, first_line: 2 };
        accounts.save_import(&mut import).unwrap();
        assert_eq!(accounts.imports(site).unwrap(), [import.clone()]);
        assert_eq!(accounts.imports(SiteId(4)).unwrap(), []);
        assert!(accounts.import_unfinished(site).unwrap());

        assert_eq!(accounts.forget_import_secrets(2_000).unwrap(), 0);
        (import.state, import.days) = (ImportState::Done, Vec::new());
        accounts.save_import(&mut import).unwrap();
        assert!(!accounts.import_unfinished(site).unwrap());
        assert_eq!(accounts.forget_import_secrets(1_000).unwrap(), 0);
        assert_eq!(accounts.forget_import_secrets(2_000).unwrap(), 1);
        assert_eq!(accounts.imports(site).unwrap()[0].secret, None);
    }
}
