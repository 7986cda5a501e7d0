use std::os::unix::fs::PermissionsExt;

use proptest::prelude::*;

use super::{Identity, IdentityError, NoKey};
use crate::event::VisitorId;
use crate::hours::{DAY_MS, Day, HOUR_MS};
use crate::tenant::SiteId;

const SECRET: [u8; 32] = *b"a secret that three nodes share.";
/// 2026-11-22, noon UTC.
const NOON_MS: i64 = 20_779 * DAY_MS + 12 * HOUR_MS;
const TODAY: Day = Day(20_779);
const AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";

struct Node {
    dir: tempfile::TempDir,
    identity: Identity,
}

impl Node {
    fn start(secret: Option<&[u8; 32]>, now_ms: i64) -> Node {
        let dir = tempfile::tempdir().unwrap();
        let identity = Identity::open(&dir.path().join("day-key"), secret, now_ms).unwrap();
        Node { dir, identity }
    }

    fn restart(self, now_ms: i64) -> Node {
        let identity = Identity::open(&self.dir.path().join("day-key"), None, now_ms).unwrap();
        Node { dir: self.dir, identity }
    }

    fn visitor(&self, day: Day) -> Result<VisitorId, NoKey> {
        self.identity.visitor(SiteId(1), day, &[203, 0, 113, 5], AGENT)
    }

    fn key_hex(&self, day: Day) -> String {
        let key = self.identity.read().state.key_of(day).unwrap();
        blake3::Hash::from_bytes(key).to_hex().to_string()
    }

    /// All bytes of the node's directory.
    fn disk(&self) -> Vec<u8> {
        let files = std::fs::read_dir(self.dir.path()).unwrap();
        files.flat_map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect()
    }
}

fn holds(disk: &[u8], hex: &str) -> bool {
    let raw = *blake3::Hash::from_hex(hex).unwrap().as_bytes();
    let has = |what: &[u8]| disk.windows(what.len()).any(|window| window == what);
    has(hex.as_bytes()) || has(&raw)
}

#[test]
fn nodes_with_one_secret_agree_whenever_they_start() {
    let (a, b) =
        (Node::start(Some(&SECRET), NOON_MS), Node::start(Some(&SECRET), NOON_MS - 3 * DAY_MS));
    assert_eq!(a.visitor(TODAY), b.visitor(TODAY));
    b.identity.advance(NOON_MS).unwrap();
    assert_eq!(a.visitor(TODAY), b.visitor(TODAY));
    let other = Node::start(Some(&[7; 32]), NOON_MS);
    assert_ne!(a.visitor(TODAY), other.visitor(TODAY));
    let (x, y) = (Node::start(None, NOON_MS), Node::start(None, NOON_MS));
    assert_ne!(x.visitor(TODAY), y.visitor(TODAY));
}

#[test]
fn a_visitor_is_pinned_for_all_time() {
    // Nodes of different releases must agree; a change here splits every visitor in two.
    let visitor = Node::start(Some(&SECRET), NOON_MS).visitor(TODAY).unwrap();
    let hex: String = visitor.0.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(hex, "1ac55b779e804db6859c875764848150");
}

#[test]
fn a_restart_changes_nothing() {
    for secret in [Some(&SECRET), None] {
        let node = Node::start(secret, NOON_MS);
        let before = node.visitor(TODAY).unwrap();
        let node = node.restart(NOON_MS + HOUR_MS);
        assert_eq!(node.visitor(TODAY), Ok(before));
        let node = node.restart(NOON_MS + DAY_MS + HOUR_MS);
        assert!(node.visitor(TODAY).is_err());
    }
}

#[test]
fn a_key_is_gone_from_disk_once_its_day_is_over_everywhere() {
    let node = Node::start(Some(&SECRET), NOON_MS);
    // At noon UTC yesterday is just over at UTC-12, give or take the slack.
    let yesterday = Day(TODAY.0 - 1);
    let (old, today) = (node.key_hex(yesterday), node.key_hex(TODAY));
    assert!(holds(&node.disk(), &old));
    assert!(!node.identity.advance(NOON_MS + 9 * 60_000).unwrap());
    let visitor = node.visitor(yesterday);
    assert!(visitor.is_ok());
    assert!(node.identity.advance(NOON_MS + 10 * 60_000).unwrap());
    assert!(!holds(&node.disk(), &old) && holds(&node.disk(), &today));
    assert_eq!(node.visitor(yesterday), Err(NoKey(yesterday)));
    assert_eq!(node.key_hex(TODAY), today);
    // Not even the secret's holder gets it back through the file.
    let node = node.restart(NOON_MS + 11 * 60_000);
    assert_eq!(node.visitor(yesterday), Err(NoKey(yesterday)));
    assert_eq!(node.identity.read().salts.len(), 0);
}

#[test]
fn days_differ_and_the_dates_in_use_all_have_keys() {
    let node = Node::start(Some(&SECRET), NOON_MS);
    let days = [TODAY.0 - 1, TODAY.0, TODAY.0 + 1].map(|day| node.visitor(Day(day)).unwrap());
    assert!(days[0] != days[1] && days[1] != days[2] && days[0] != days[2]);
    assert!(node.visitor(Day(TODAY.0 - 2)).is_err());
    assert!(node.visitor(Day(TODAY.0 + 30)).is_err());
    assert!(node.visitor(Day(0)).is_err());
}

#[test]
fn a_clock_that_jumps_days_ahead_turns_the_ratchet() {
    let (jumped, steady) =
        (Node::start(Some(&SECRET), NOON_MS), Node::start(Some(&SECRET), NOON_MS));
    assert!(jumped.identity.advance(NOON_MS + 40 * DAY_MS).unwrap());
    for day in 1..=40 {
        steady.identity.advance(NOON_MS + day * DAY_MS).unwrap();
    }
    let day = Day(TODAY.0 + 40);
    assert!(jumped.visitor(day).is_ok());
    assert_eq!(jumped.visitor(day), steady.visitor(day));
    // And when it jumps back, the past stays erased.
    assert!(!jumped.identity.advance(NOON_MS).unwrap());
    assert!(jumped.visitor(TODAY).is_err());
}

#[test]
fn only_the_owner_may_read_the_file_and_damage_is_found() {
    let node = Node::start(None, NOON_MS);
    let path = node.dir.path().join("day-key");
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    for damaged in [String::new(), text.replace("day 2", "day 1"), text.replace("check ", "")] {
        std::fs::write(&path, &damaged).unwrap();
        let result = Identity::open(&path, None, NOON_MS);
        assert!(matches!(result, Err(IdentityError::Damaged { .. })), "{damaged}");
    }
}

#[test]
fn another_secret_starts_anew() {
    let node = Node::start(None, NOON_MS);
    let path = node.dir.path().join("day-key");
    let identity = Identity::open(&path, Some(&SECRET), NOON_MS).unwrap();
    let joined = Node { dir: node.dir, identity };
    assert_eq!(joined.visitor(TODAY), Node::start(Some(&SECRET), NOON_MS).visitor(TODAY));
    let early = Identity::open(&joined.dir.path().join("x"), Some(&SECRET), DAY_MS);
    assert!(matches!(early, Err(IdentityError::Clock)));
}

proptest! {
    #[test]
    fn two_senders_are_never_one(
        a in (any::<[u8; 4]>(), "[a-c]{0,6}", 1u32..4),
        b in (any::<[u8; 16]>(), "[a-c]{0,6}", 1u32..4),
        cut in 0usize..6,
    ) {
        let node = Node::start(Some(&SECRET), NOON_MS);
        let of = |address: &[u8], agent: &str, site| {
            node.identity.visitor(SiteId(site), TODAY, address, agent).unwrap()
        };
        prop_assert_ne!(of(&a.0, &a.1, a.2), of(&b.0, &b.1, b.2));
        // The same bytes, divided elsewhere between address and user agent.
        let cut = cut.min(a.1.len());
        let moved = [&a.0[..], &a.1.as_bytes()[..cut]].concat();
        if cut > 0 && moved.len() <= 16 {
            prop_assert_ne!(of(&a.0, &a.1, a.2), of(&moved, &a.1[cut..], a.2));
        }
    }
}
