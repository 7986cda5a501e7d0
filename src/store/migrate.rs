//! `schema/NNNN_name.sql` → rendered → applied, in order, once. Forward only: what ran is recorded with
//! its checksum, and a build that finds a newer or another schema than its own refuses to work with it.

use sha2::{Digest, Sha256};

use super::{Param, Store, StoreError, Topology};

/// One file of `schema/`.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    pub number: u32,
    pub name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($number:literal $name:literal,)+) => {
        /// All migrations, in order. A test compares the list with the directory.
        pub const MIGRATIONS: &[Migration] = &[$(Migration {
            number: $number,
            name: $name,
            sql: include_str!(concat!("../../schema/", $name, ".sql")),
        },)+];
    };
}

migrations! {
    1 "0001_events",
    2 "0002_rollups",
    3 "0003_progress",
}

#[derive(clickhouse::Row, serde::Deserialize)]
struct Applied {
    number: u32,
    name: String,
    checksum: String,
}

impl Migration {
    /// Identifies the text that ran.
    pub fn checksum(&self) -> String {
        Sha256::digest(self.sql.as_bytes()).iter().map(|b| format!("{b:02x}")).collect()
    }

    /// The statements for a server. `own` says that it is the embedded engine, whose file system the
    /// daemon syncs itself.
    pub fn render(&self, topology: &Topology, own: bool) -> Vec<String> {
        let text = engines(self.sql, topology)
            .replace("@fsync", fsync(topology, own))
            .replace(" @on_cluster", &on_cluster(topology));
        assert!(!text.contains('@'), "{} holds an unknown placeholder", self.name);
        text.split(";\n").map(without_comments).filter(|s| !s.is_empty()).collect()
    }
}

impl Store {
    /// Brings the database to this build's schema. Safe to run again, also after a crash in the middle.
    ///
    /// # Errors
    /// Fatal when the database was made by a newer or a different build; others as [`StoreError`].
    pub async fn migrate(&self) -> Result<(), StoreError> {
        let topology = &self.config.topology;
        let database = &self.config.database;
        if !database.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            let text = format!("`{database}` is no name for a database: use letters, digits and _");
            return Err(StoreError::fatal(text));
        }
        let create = format!("CREATE DATABASE IF NOT EXISTS {database}{}", on_cluster(topology));
        super::limited(super::STATEMENT_LIMIT, self.server()?.query_raw(&create).execute()).await?;
        let applied = self.applied().await?;
        check(&applied)?;
        let mut unrecorded = Vec::new();
        for migration in MIGRATIONS {
            if applied.iter().any(|a| a.number == migration.number) {
                continue;
            }
            for statement in migration.render(topology, self.config.data_dir.is_some()) {
                self.run(&statement, &[]).await?;
            }
            tracing::info!(migration = migration.name, "schema: applied");
            unrecorded.push(migration);
            if self.has_records().await? {
                self.record(std::mem::take(&mut unrecorded)).await?;
            }
        }
        Ok(())
    }

    async fn has_records(&self) -> Result<bool, StoreError> {
        let sql = "SELECT count() FROM system.tables \
                   WHERE database = currentDatabase() AND name = 'migrations'";
        Ok(self.rows::<u64>(sql, &[]).await?.first().is_some_and(|n| *n > 0))
    }

    async fn applied(&self) -> Result<Vec<Applied>, StoreError> {
        if !self.has_records().await? {
            return Ok(Vec::new());
        }
        self.rows("SELECT number, name, checksum FROM migrations FINAL ORDER BY number", &[]).await
    }

    async fn record(&self, migrations: Vec<&Migration>) -> Result<(), StoreError> {
        for migration in migrations {
            let sql = "INSERT INTO migrations SELECT {number:UInt32}, {name:String}, \
                       {checksum:String}, now64(6, 'UTC')";
            let params = [
                ("number", Param::from(migration.number)),
                ("name", Param::from(migration.name)),
                ("checksum", Param::from(migration.checksum())),
            ];
            self.run(sql, &params).await?;
        }
        Ok(())
    }
}

fn check(applied: &[Applied]) -> Result<(), StoreError> {
    for row in applied {
        let Some(known) = MIGRATIONS.iter().find(|m| m.number == row.number) else {
            return Err(StoreError::fatal(format!(
                "the database has schema {} ({}), newer than this build's {}; run a newer tallyhouse",
                row.number,
                row.name,
                MIGRATIONS.last().map_or(0, |m| m.number)
            )));
        };
        if known.checksum() != row.checksum {
            return Err(StoreError::fatal(format!(
                "schema {} ran in this database with another text than this build's {}; \
                 run the build that made it, or start with an empty database",
                row.number, known.name
            )));
        }
    }
    Ok(())
}

pub(super) fn on_cluster(topology: &Topology) -> String {
    match topology {
        Topology::Single => String::new(),
        Topology::Cluster { name } => format!(" ON CLUSTER '{}'", name.replace('\'', "")),
    }
}

/// A server of the operator's own syncs each insert; on replicas the closer's repeated inserts must not
/// be taken for duplicates.
fn fsync(topology: &Topology, own: bool) -> &'static str {
    match (topology, own) {
        (Topology::Single, true) => "",
        (Topology::Single, false) => ", fsync_after_insert = 1, fsync_part_directory = 1",
        (Topology::Cluster { .. }, _) => {
            ", fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 0"
        }
    }
}

/// Expands `@MergeTree(table)`, `@AggregatingMergeTree(table)`, `@ReplacingMergeTree(table, column)`.
fn engines(sql: &str, topology: &Topology) -> String {
    let mut out = String::with_capacity(sql.len() + 1024);
    let mut rest = sql;
    while let Some(at) = rest.find("MergeTree(") {
        let start = rest[..at].rfind('@').expect("an engine is written @…MergeTree(table)");
        let open = at + "MergeTree".len();
        let close = open + rest[open..].find(')').expect("its parenthesis is closed");
        out.push_str(&rest[..start]);
        let mut arguments = rest[open + 1..close].split(", ");
        let table = arguments.next().unwrap_or_default();
        out.push_str(&engine(&rest[start + 1..open], table, arguments.next(), topology));
        rest = &rest[close + 1..];
    }
    out.push_str(rest);
    out
}

fn engine(kind: &str, table: &str, column: Option<&str>, topology: &Topology) -> String {
    match (topology, column) {
        (Topology::Single, None) => kind.to_owned(),
        (Topology::Single, Some(column)) => format!("{kind}({column})"),
        (Topology::Cluster { .. }, column) => {
            let column = column.map(|c| format!(", {c}")).unwrap_or_default();
            let path = format!("/clickhouse/tables/{{shard}}/{{database}}/{table}");
            format!("Replicated{kind}('{path}', '{{replica}}'{column})")
        }
    }
}

fn without_comments(statement: &str) -> String {
    let lines = statement.lines().filter(|line| !line.trim_start().starts_with("--"));
    let text = lines.collect::<Vec<_>>().join("\n");
    text.trim().trim_end_matches(';').to_owned()
}
