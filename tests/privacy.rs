//! I4: a client's address is in one request and nowhere else. Known addresses are sent every way there
//! is, then everything that was written is searched for them, as text and as bytes.

use std::net::IpAddr;
use std::path::Path;

use crate::rig::Daemon;
use crate::rig::daemon::{AGENT, run_ok};

const ADDRESSES: &[&str] = &["203.0.113.77", "198.51.100.201", "2001:db8:85a3:7::8a2e:370:7334"];
const CANARY_AGENT: &str =
    "Mozilla/5.0 (Canary; rv:127.0.3) Gecko/20100101 Firefox/127.3 uncommon/9182";

#[test]
fn no_address_and_no_user_agent_is_kept() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    run_ok(dir.path(), &["site", "add", "canary.example"]);
    let args = ["--trusted-proxy", "127.0.0.1", "--log", "trace"];
    let daemon = Daemon::start(dir.path(), &args);
    for address in ADDRESSES {
        send_all_ways(&daemon, address);
    }
    daemon.wait_drained();
    let metrics = crate::rig::http::request(&daemon.metrics, "GET", "/metrics", &[], b"");
    let metrics = metrics.expect("metrics answer").body;
    for table in daemon.sql("SELECT name FROM system.tables WHERE database = 'tallyhouse'").lines()
    {
        let rows = daemon.sql(&format!("SELECT * FROM tallyhouse.{table}"));
        assert_clean(&format!("table {table}"), rows.as_bytes());
    }
    let events = daemon.sql("SELECT count() FROM tallyhouse.events WHERE site_id > 0");
    assert!(events.parse::<u64>().expect("a number") >= 6, "{events} events arrived");
    assert_clean("metrics", metrics.as_bytes());
    assert!(daemon.stop().success());
    let searched = search(dir.path());
    assert!(searched > 20, "the data directory was searched: {searched} files");
}

fn send_all_ways(daemon: &Daemon, address: &str) {
    let forwarded = if address.contains(':') {
        format!("for=\"[{address}]:4711\"")
    } else {
        format!("for={address}:4711")
    };
    let page = r#"{"n":"pageview","d":"canary.example","u":"https://canary.example/"}"#;
    let unknown = r#"{"n":"pageview","d":"other.example","u":"https://other.example/"}"#;
    for body in [page, unknown, "not json"] {
        for (name, value) in [("x-forwarded-for", address), ("forwarded", &forwarded)] {
            for agent in [AGENT, CANARY_AGENT, "Googlebot/2.1 (+http://www.google.com/bot.html)"] {
                let headers = [(name, value), ("user-agent", agent)];
                daemon.post_with(body, &headers).expect("an answer");
            }
        }
    }
    let login = br#"{"email":"nobody@canary.example","password":"wrong password"}"#;
    let headers = [("x-forwarded-for", address), ("user-agent", CANARY_AGENT)];
    let answer = crate::rig::http::request(&daemon.address, "POST", "/api/login", &headers, login);
    assert_eq!(answer.expect("an answer").status, 401);
}

fn search(folder: &Path) -> usize {
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            files += search(&path);
        } else if path.is_file() && !path.to_string_lossy().ends_with(".so") {
            assert_clean(&path.display().to_string(), &std::fs::read(&path).expect("readable"));
            files += 1;
        }
    }
    files
}

fn assert_clean(what: &str, bytes: &[u8]) {
    let finder = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    for address in ADDRESSES {
        assert!(!finder(address.as_bytes()), "{what} holds {address} as text");
        let (forward, backward) = match address.parse::<IpAddr>().expect("an address") {
            IpAddr::V4(v4) => (v4.octets().to_vec(), v4.octets().iter().rev().copied().collect()),
            IpAddr::V6(v6) => {
                (v6.octets().to_vec(), v6.octets().iter().rev().copied().collect::<Vec<u8>>())
            }
        };
        assert!(!finder(&forward) && !finder(&backward), "{what} holds {address} as bytes");
    }
    assert!(!finder(CANARY_AGENT.as_bytes()), "{what} holds a user agent");
}

/// I16: the product works in a network namespace that has nothing but loopback.
#[test]
fn it_works_without_a_network() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/no-network.sh");
    let status = std::process::Command::new("unshare")
        .args(["--net", "--map-root-user", "--user"])
        .arg(script)
        .env("TALLYHOUSE", env!("CARGO_BIN_EXE_tallyhouse"))
        .env("TALLYHOUSE_ENGINE_LIBRARY", crate::rig::engine::library())
        .status()
        .expect("unshare is part of util-linux");
    assert!(status.success());
}
