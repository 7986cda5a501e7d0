//! The command line as people and scripts meet it: the built program.
#![allow(clippy::unwrap_used)] // helpers of tests are not seen as tests

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const HELP: &[&str] = &[
    "",
    "serve",
    "site",
    "site add",
    "site list",
    "site set",
    "site rm",
    "user",
    "user add",
    "user list",
    "user grant",
    "user link",
    "user rm",
    "api-key",
    "api-key create",
    "api-key list",
    "api-key revoke",
    "import",
    "import access-log",
    "rebuild",
    "sql",
    "wal",
    "wal inspect",
    "wal verify",
    "doctor",
    "demo",
    "version",
];

struct Cli {
    dir: tempfile::TempDir,
}

impl Cli {
    fn new() -> Cli {
        Cli { dir: tempfile::tempdir().unwrap() }
    }

    fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The program with an environment that holds nothing but the data directory.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tallyhouse"));
        command.args(arguments).env_clear().env("TALLYHOUSE_DATA_DIR", self.data_dir());
        command.current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> String {
        stdout(&self.command(arguments).output().unwrap())
    }

    /// Standard error of a run that must end with this code.
    fn fail(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.command(arguments).output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {stderr}");
        stderr
    }
}

fn stdout(output: &Output) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {stderr}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn has(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
}

#[test]
fn help_is_as_reviewed() {
    let cli = Cli::new();
    let mut text = String::new();
    for command in HELP {
        let arguments: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let output = cli.command(&arguments).env("COLUMNS", "100").output().unwrap();
        let title = format!("$ tallyhouse {}\n\n", arguments.join(" "));
        text += &format!("{title}{}\n", stdout(&output));
    }
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/help.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &text).unwrap();
    }
    let reviewed = std::fs::read_to_string(&golden).unwrap_or_default();
    let differs = reviewed.lines().zip(text.lines()).find(|(old, new)| old != new);
    assert!(
        reviewed == text,
        "help differs from tests/golden/help.txt (UPDATE_GOLDEN=1 rewrites it), first: {differs:?}"
    );
}

#[test]
fn without_a_command_help_is_shown() {
    let cli = Cli::new();
    has(&cli.fail(2, &[]), &["Usage: tallyhouse", "First steps:"]);
    has(&cli.fail(2, &["sites"]), &["unrecognized subcommand 'sites'", "site"]);
    assert_eq!(cli.run(&["version"]), cli.run(&["--version"]));
}

#[test]
fn sites_are_managed() {
    let cli = Cli::new();
    has(&cli.run(&["site", "list"]), &["there are no sites"]);
    let added = cli.run(&["site", "add", "Example.org", "--timezone", "europe/berlin"]);
    assert_eq!(added, "added site 1: example.org, time zone Europe/Berlin\n");
    cli.run(&[
        "site",
        "add",
        "a.example",
        "--hostnames",
        "b.example,*.c.example",
        "--respect-gpc",
        "true",
    ]);
    let list = cli.run(&["site", "list"]);
    assert_eq!(
        list,
        "ID  DOMAIN       TIME ZONE      RAW EVENTS  RULES\n\
         2   a.example    UTC            180 days    GPC, 2 hostnames\n\
         1   example.org  Europe/Berlin  180 days\n"
    );
    cli.run(&["site", "set", "a.example", "--hostnames", "", "--retention-days", "7"]);
    let json: serde_json::Value =
        serde_json::from_str(&cli.run(&["site", "list", "--json"])).unwrap();
    assert_eq!(json[0]["hostnames"], serde_json::json!([]));
    assert_eq!((&json[0]["retention_days"], &json[0]["respect_gpc"]), (&7.into(), &true.into()));

    has(&cli.fail(2, &["site", "rm", "a.example"]), &["--yes"]);
    cli.run(&["site", "rm", "a.example", "--yes"]);
    has(&cli.run(&["site", "add", "a.example"]), &["added site 3"]);
    has(&cli.fail(2, &["site", "add", "a.example"]), &["a site a.example exists already"]);
    has(
        &cli.fail(2, &["site", "set", "exampel.org"]),
        &["there is no site exampel.org", "did you mean example.org?"],
    );
    has(
        &cli.fail(2, &["site", "add", "b.example", "--timezone", "Berlin"]),
        &["did you mean Europe/Berlin"],
    );
}

#[test]
fn users_get_a_password_or_a_link() {
    let cli = Cli::new();
    cli.run(&["site", "add", "example.org"]);
    let mut add = cli.command(&["user", "add", "ann@example.org", "--owner", "--password-stdin"]);
    let mut child = add.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"correct horse battery\n").unwrap();
    assert_eq!(stdout(&child.wait_with_output().unwrap()), "added user ann@example.org\n");

    let mut add = cli.command(&["user", "add", "bob@example.org", "--site", "example.org"]);
    add.env("TALLYHOUSE_PUBLIC_URL", "https://stats.example.org");
    let text = stdout(&add.output().unwrap());
    has(&text, &["added user bob@example.org", "https://stats.example.org/setup?token="]);
    has(&cli.run(&["user", "list"]), &["all (owner)", "no password yet", "example.org (viewer)"]);
    cli.run(&["user", "grant", "bob@example.org", "--site", "example.org", "--role", "admin"]);
    has(&cli.run(&["user", "list", "--json"]), &["\"admin\""]);
    has(&cli.run(&["user", "link", "bob@example.org"]), &["http://127.0.0.1:8080/setup?token="]);

    has(&cli.fail(2, &["user", "add", "BOB@example.org"]), &["exists already"]);
    has(&cli.fail(2, &["user", "add", "bob"]), &["not an email address"]);
    has(&cli.fail(2, &["user", "add", "c@example.org", "--password-stdin"]), &["too short"]);
    has(&cli.fail(2, &["user", "rm", "ann@example.org", "--yes"]), &["only owner"]);
    cli.run(&["user", "rm", "bob@example.org", "--yes"]);
}

#[test]
fn keys_are_shown_once() {
    let cli = Cli::new();
    cli.run(&["site", "add", "example.org"]);
    let created = cli.run(&["api-key", "create", "--label", "report", "--site", "example.org"]);
    let key = created.lines().last().unwrap();
    assert!(key.starts_with("th_") && key.len() == 67, "{created}");
    let list = cli.run(&["api-key", "list"]);
    has(&list, &["report", "example.org", "stats:read", "never", "in force"]);
    assert!(!list.contains(key) && !cli.run(&["api-key", "list", "--json"]).contains(key));
    cli.run(&["api-key", "revoke", "1"]);
    has(&cli.run(&["api-key", "list"]), &["revoked"]);
    has(&cli.fail(2, &["api-key", "revoke", "1"]), &["no API key 1 in force"]);
    has(&cli.fail(2, &["api-key", "create", "--label", "x"]), &["--site <DOMAIN>"]);
    let scope = ["api-key", "create", "--label", "x", "--site", "example.org", "--scope", "stats"];
    has(&cli.fail(2, &scope), &["did you mean stats:read?"]);
}

#[test]
fn wrong_settings_end_with_78() {
    let cli = Cli::new();
    std::fs::write(cli.dir.path().join("t.toml"), "data-dri = 'x'\nlisten = 'y'\n").unwrap();
    let error = cli.fail(78, &["site", "list", "--config", "t.toml"]);
    has(&error, &["unknown setting `data-dri`; did you mean data-dir?", "t.toml: listen: `y`"]);
    assert!(!cli.data_dir().exists(), "nothing was done");
    let file = cli.dir.path().join("a-file");
    std::fs::write(&file, "").unwrap();
    let path = file.to_str().unwrap();
    has(&cli.fail(78, &["--data-dir", path, "site", "list"]), &["cannot make the data directory"]);
}

#[test]
fn a_flag_beats_the_environment_and_that_the_file() {
    let cli = Cli::new();
    let file = |name: &str| cli.dir.path().join(name).join("accounts.db").exists();
    std::fs::write(cli.dir.path().join("t.toml"), "data-dir = 'from-file'\n").unwrap();
    let run = |arguments: &[&str], env: &[(&str, &str)]| {
        let mut command = cli.command(arguments);
        command.env_remove("TALLYHOUSE_DATA_DIR").envs(env.iter().copied());
        stdout(&command.output().unwrap());
    };
    let (config, data) = (("TALLYHOUSE_CONFIG", "t.toml"), ("TALLYHOUSE_DATA_DIR", "from-env"));
    run(&["site", "list", "--data-dir", "from-flag"], &[config, data]);
    assert!(file("from-flag") && !file("from-env") && !file("from-file"));
    run(&["site", "list"], &[config, data]);
    assert!(file("from-env") && !file("from-file"));
    run(&["site", "list"], &[config]);
    assert!(file("from-file") && !file("data"));
    run(&["site", "list"], &[]);
    assert!(file("data"));
}
