//! The schema on the real engine, and its two renderings as golden files.

use std::path::{Path, PathBuf};

use tallyhouse::event::row;
use tallyhouse::store::migrate::MIGRATIONS;
use tallyhouse::store::{Class, Topology};

use crate::rig;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn renders_match_their_goldens() {
    let cluster = Topology::Cluster { name: "analytics".to_owned() };
    check_render("single", &Topology::Single, true);
    check_render("cluster", &cluster, false);
}

fn check_render(mode: &str, topology: &Topology, own: bool) {
    for migration in MIGRATIONS {
        let path: PathBuf = root().join("tests/golden/schema").join(mode);
        let path = path.join(format!("{}.sql", migration.name));
        let rendered = format!("{};\n", migration.render(topology, own).join(";\n\n"));
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &rendered).unwrap();
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            rendered == golden,
            "{} differs from what is rendered; if that is wanted, run with UPDATE_GOLDEN=1\n{rendered}",
            path.display()
        );
    }
}

#[test]
fn every_file_is_a_migration() {
    let mut files: Vec<String> = std::fs::read_dir(root().join("schema"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".sql"))
        .collect();
    files.sort();
    let known: Vec<String> = MIGRATIONS.iter().map(|m| format!("{}.sql", m.name)).collect();
    assert_eq!(files, known);
    for (index, migration) in MIGRATIONS.iter().enumerate() {
        assert_eq!(migration.number as usize, index + 1, "{}", migration.name);
        assert!(migration.name.starts_with(&format!("{:04}_", migration.number)));
    }
}

#[derive(clickhouse::Row, serde::Deserialize)]
struct Column {
    name: String,
    r#type: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn migrations_run_twice_and_events_are_what_is_written() {
    let running = rig::engine().await;
    let store = running.store();
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();

    let sql = "SELECT name, type FROM system.columns \
               WHERE database = currentDatabase() AND table = 'events' ORDER BY position";
    let columns: Vec<Column> = store.rows(sql, &[]).await.unwrap();
    let columns: Vec<_> = columns.iter().map(|c| (c.name.as_str(), c.r#type.as_str())).collect();
    let written: Vec<_> = row::V1.iter().map(|c| (c.name, c.kind)).collect();
    assert_eq!(columns, written);

    let recorded: Vec<u64> = store.rows("SELECT count() FROM migrations FINAL", &[]).await.unwrap();
    assert_eq!(recorded, [MIGRATIONS.len() as u64]);
    running.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_or_another_schema_is_fatal() {
    let running = rig::engine().await;
    let store = running.migrated().await;
    let record = |number: u32, name: &str| {
        format!("INSERT INTO migrations SELECT {number}, '{name}', 'other', now64(6)")
    };
    store.run(&record(2, "0002_rollups"), &[]).await.unwrap();
    let error = store.migrate().await.unwrap_err();
    assert_eq!(error.class, Class::Fatal);
    assert!(error.message.contains("another text"), "{error}");

    store.run("TRUNCATE TABLE migrations", &[]).await.unwrap();
    store.migrate().await.unwrap();
    store.run(&record(9_999, "9999_future"), &[]).await.unwrap();
    let error = store.migrate().await.unwrap_err();
    assert_eq!(error.class, Class::Fatal);
    assert!(error.message.contains("newer"), "{error}");
    running.engine.stop().await;
}

/// What the closer needs of the engine's account, on the kind of table it needs it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_and_partitions_can_be_deleted_at_once() {
    let running = rig::engine().await;
    let store = running.migrated().await;
    let insert = "INSERT INTO daily_totals (site_id, day, visitors) VALUES \
                  (1, '2026-01-01', 2), (1, '2026-01-02', 3), (2, '2026-01-01', 4)";
    let visitors = "SELECT toUInt64(sum(visitors)) FROM daily_totals";
    store.run(insert, &[]).await.unwrap();
    store.run("DELETE FROM daily_totals WHERE site_id = 2", &[]).await.unwrap();
    assert_eq!(store.rows::<u64>(visitors, &[]).await.unwrap(), [5]);
    let delete = "ALTER TABLE daily_totals DELETE WHERE day = '2026-01-02'";
    store.run(delete, &[]).await.unwrap();
    assert_eq!(store.rows::<u64>(visitors, &[]).await.unwrap(), [2]);

    let insert = "INSERT INTO open_hours (site_id, bucket, day, views) VALUES \
                  (1, '2026-01-01 10:00:00', '2026-01-01', 1), (1, '2026-01-01 11:00:00', '2026-01-01', 2)";
    store.run(insert, &[]).await.unwrap();
    let drop = "ALTER TABLE open_hours DROP PARTITION '2026-01-01 10:00:00'";
    store.run(drop, &[]).await.unwrap();
    let views = "SELECT toUInt64(sum(views)) FROM open_hours";
    assert_eq!(store.rows::<u64>(views, &[]).await.unwrap(), [2]);
    running.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sql_for_people_reads_and_never_writes() {
    let running = rig::engine().await;
    let store = running.migrated().await;
    let text = store.text("SELECT 1 AS one, 'ä' AS two", "TSVWithNames").await.unwrap();
    assert_eq!(text, "one\ttwo\n1\tä\n");
    let error = store.text("TRUNCATE TABLE events", "TSV").await.unwrap_err();
    assert_eq!(error.class, Class::Refused, "{error}");
    let error = store.text("SELECT * FROM file('/etc/passwd', 'LineAsString')", "TSV").await;
    assert_eq!(error.unwrap_err().class, Class::Refused);
    running.engine.stop().await;
}
