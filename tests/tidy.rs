//! Checks over the source text: what may import what, what may be named where, how long things are.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may import from the crate, besides layer 0 and 1 (see ARCHITECTURE.md). The
/// composition root and the commands may import anything.
const LAYERS: &[(&str, &[&str])] = &[
    ("limits", &[]),
    ("clock", &[]),
    ("config", &["accounts"]),
    ("metrics", &[]),
    ("event", &[]),
    ("hours", &[]),
    ("tenant", &[]),
    ("accounts", &[]),
    ("store", &[]),
    ("wal", &[]),
    ("drain", &["wal", "store"]),
    ("closer", &["store"]),
    ("ingest", &["wal", "accounts"]),
    ("dashboard", &["store", "accounts", "closer"]),
    ("engine", &["store"]),
    ("server", &["wal", "accounts", "ingest", "dashboard", "closer", "store"]),
];
const EVERYWHERE: &[&str] = &["limits", "clock", "metrics", "event", "hours", "tenant", "config"];
const ROOTS: &[&str] = &["cli", "command", "daemon", "import", "demo", "doctor", "main", "lib"];

const FILE_LINES_MAX: usize = 600;
const LINE_WIDTH_MAX: usize = 140;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<(String, String)> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "node_modules" && name != "dist" {
                walk(&path, found);
            } else if path.is_file() {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&root().join(folder), &mut found);
    found.sort();
    let named = found.iter().filter(|p| p.to_string_lossy().ends_with(ending));
    named
        .map(|p| {
            let text = String::from_utf8_lossy(&fs::read(p).expect("readable")).into_owned();
            let name = p.strip_prefix(root()).expect("below the root");
            (name.display().to_string(), text)
        })
        .collect()
}

fn source() -> Vec<(String, String)> {
    let found = files("src", ".rs");
    assert!(found.len() > 30, "the source tree was not found");
    found
}

/// The module of the top level that a file belongs to.
fn module(file: &str) -> &str {
    let inner = file.strip_prefix("src/").expect("in src");
    inner.split(['/', '.']).next().expect("never empty")
}

/// A file's text without its tests.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().expect("never empty")
}

fn fail(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
}

#[test]
fn arrows_go_down_only() {
    let mut problems = Vec::new();
    for (file, text) in source() {
        let from = module(&file);
        if ROOTS.contains(&from) || file.contains("/tests") {
            continue;
        }
        let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == from) else {
            problems.push(format!("{file}: module `{from}` has no place in the layers"));
            continue;
        };
        for (at, _) in production(&text).match_indices("crate::") {
            let to: String = text[at + 7..].chars().take_while(|c| c.is_alphanumeric()).collect();
            let known = LAYERS.iter().any(|(name, _)| *name == to) || ROOTS.contains(&to.as_str());
            if known && to != from && !EVERYWHERE.contains(&&*to) && !allowed.contains(&&*to) {
                problems.push(format!("{file}: `{from}` must not import `{to}`"));
            }
        }
    }
    fail(problems);
}

/// A word and the only files that may hold it.
const NAMED_ONLY_IN: &[(&str, &[&str])] = &[
    ("okaywal::", &["src/wal.rs", "src/wal/"]),
    ("SystemTime::now", &["src/clock.rs"]),
    ("Tenant::mint", &["src/accounts.rs", "src/accounts/"]),
    // Beside ingest: listen addresses and proxies of the settings, a site's excluded networks, an
    // imported log's lines.
    (
        "IpAddr",
        &[
            "src/ingest.rs",
            "src/ingest/",
            "src/server/",
            "src/config/",
            "src/accounts/rules.rs",
            "src/import/",
        ],
    ),
    (
        "SocketAddr",
        &["src/server.rs", "src/server/", "src/config.rs", "src/config/", "src/daemon/"],
    ),
    ("unsafe {", &["src/engine/ffi.rs", "src/ingest/enrich/geo.rs"]),
    ("begin_entry", &["src/wal/"]),
    // A witness for tests of queries, which need no accounts.
    ("of_test", &["src/tenant.rs"]),
];

#[test]
fn words_stay_where_they_belong() {
    let mut problems = Vec::new();
    for (file, text) in source() {
        for (word, places) in NAMED_ONLY_IN {
            let allowed = places.iter().any(|place| file.starts_with(place));
            if production(&text).contains(word) && !allowed && !file.contains("/tests") {
                problems.push(format!("{file}: `{word}` may only stand in {places:?}"));
            }
        }
    }
    fail(problems);
}

#[test]
fn files_and_lines_are_short() {
    let mut problems = Vec::new();
    let code = [
        ("src", ".rs"),
        ("tests", ".rs"),
        ("soak", ".rs"),
        ("tracker/src", ".js"),
        ("chaos", ".rs"),
    ];
    for (file, text) in code.iter().flat_map(|(folder, ending)| files(folder, ending)) {
        if text.lines().count() > FILE_LINES_MAX {
            problems.push(format!("{file}: more than {FILE_LINES_MAX} lines"));
        }
        for (n, line) in text.lines().enumerate() {
            if line.chars().count() > LINE_WIDTH_MAX {
                problems.push(format!("{file}:{}: wider than {LINE_WIDTH_MAX}", n + 1));
            }
        }
    }
    fail(problems);
}

#[test]
fn nothing_is_unfinished_or_skipped() {
    let banned = [
        concat!("FIX", "ME"),
        concat!("to", "do!("),
        concat!("unimpl", "emented!("),
        concat!("#[ig", "nore"),
        concat!("TO", "DO"),
    ];
    let mut problems = Vec::new();
    for (file, text) in
        ["src", "tests", "soak", "chaos", "schema", "ci"].iter().flat_map(|f| files(f, ""))
    {
        for word in banned.iter().filter(|word| text.contains(**word)) {
            problems.push(format!("{file}: `{word}`"));
        }
    }
    fail(problems);
}

#[test]
fn every_module_opens_with_its_purpose() {
    let silent = source().into_iter().filter(|(_, text)| !text.starts_with("//!"));
    fail(silent.map(|(file, _)| format!("{file}: no module comment")).collect());
}

#[test]
fn the_code_map_names_every_module() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let modules: BTreeSet<String> =
        source().iter().map(|(file, _)| module(file).to_owned()).collect();
    let missing = modules
        .iter()
        .filter(|m| !["lib", "main"].contains(&m.as_str()))
        .filter(|m| !map.contains(&format!("`{m}")) && !map.contains(&format!("{m}.rs")));
    fail(missing.map(|m| format!("ARCHITECTURE.md does not name `{m}`")).collect());
}

/// A predecessor in this field lost nine of ten page views to plain counters in such a table.
#[test]
fn every_value_of_a_rollup_is_an_aggregate() {
    let mut problems = Vec::new();
    let mut tables = 0;
    for (file, text) in files("schema", ".sql") {
        for table in
            text.split("CREATE TABLE").skip(1).filter(|t| t.contains("@AggregatingMergeTree"))
        {
            tables += 1;
            let key = table
                .split("ORDER BY (")
                .nth(1)
                .expect("has a key")
                .split(')')
                .next()
                .expect("closed");
            let key: Vec<&str> = key.split(", ").collect();
            let body = table.split(") \nENGINE").next().expect("has a body");
            for line in body.lines().skip(1).take_while(|l| !l.starts_with(')')) {
                let line = line.trim();
                if line.is_empty() || line.starts_with("--") {
                    continue;
                }
                let name = line.split(' ').next().expect("has a name");
                if !key.contains(&name) && !line.contains("AggregateFunction(") {
                    problems
                        .push(format!("{file}: `{name}` is neither in the key nor an aggregate"));
                }
            }
        }
    }
    assert!(tables >= 8, "the rollups were not found");
    fail(problems);
}

#[test]
fn no_secret_is_a_flag() {
    let help =
        fs::read_to_string(root().join("tests/golden/help.txt")).expect("tests/golden/help.txt");
    for word in ["--password ", "--secret", "--clickhouse-password", "--token"] {
        assert!(!help.contains(word), "{word} would show in a process list");
    }
}
