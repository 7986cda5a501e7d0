//! The rules of the accounts, on the real database.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::config::Secret;
use crate::hours::DAY_MS;
use crate::tenant::SiteId;

const NOW_MS: i64 = 1_790_000_000_000;
const PASSWORD: &str = "correct horse battery";

struct Rig {
    dir: TempDir,
    clock: Clock,
    accounts: Accounts,
}

impl Rig {
    fn new() -> Rig {
        let dir = tempfile::tempdir().unwrap();
        let clock = Clock::manual(NOW_MS);
        let accounts = Accounts::open(&dir.path().join("accounts.db"), clock.clone()).unwrap();
        Rig { dir, clock, accounts }
    }

    fn path(&self) -> PathBuf {
        self.dir.path().join("accounts.db")
    }

    fn pass(&self, ms: i64) {
        self.clock.set(self.clock.now_ms() + ms);
    }

    fn user(&self, email: &str, owner: bool) -> User {
        let password = Some(Secret::new(PASSWORD));
        let new = NewUser { email: email.to_owned(), name: String::new(), owner, password };
        self.accounts.add_user(Actor::CommandLine, &new).unwrap()
    }

    fn site(&self, domain: &str) -> SiteId {
        let change = SiteChange::default();
        self.accounts.add_site(Actor::CommandLine, domain, &change).unwrap().id
    }

    fn signed_in(&self, email: &str) -> Caller {
        self.accounts.sign_in(email, PASSWORD).unwrap().caller
    }
}

fn invalid(result: Result<impl std::fmt::Debug, AccountsError>, field: &str, text: &str) {
    let error = result.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, AccountsError::Invalid { field: f, .. } if f == field), "{message}");
    assert!(message.contains(text), "{message}");
}

#[test]
fn roles_decide_and_a_denial_tells_nothing() {
    let rig = Rig::new();
    let (a, b) = (rig.site("a.example"), rig.site("b.example"));
    let ann = rig.user("ann@example.org", true);
    let bob = rig.user("bob@example.org", false);
    rig.accounts.grant(Actor::User(ann.id), bob.id, a, Some(Role::Viewer)).unwrap();

    let caller = rig.signed_in("ANN@example.org ");
    assert_eq!(rig.accounts.tenant(&caller, b).unwrap().site(), b);
    assert_eq!(rig.accounts.role(&caller, a).unwrap(), Role::Owner);

    let caller = rig.signed_in("bob@example.org");
    assert_eq!(rig.accounts.tenant(&caller, a).unwrap().site(), a);
    assert_eq!(rig.accounts.role(&caller, a).unwrap(), Role::Viewer);
    let sites = rig.accounts.sites_of(&caller).unwrap();
    assert_eq!(sites.iter().map(|(s, r)| (s.id, *r)).collect::<Vec<_>>(), [(a, Role::Viewer)]);

    let theirs = rig.accounts.tenant(&caller, b).unwrap_err();
    let nobodys = rig.accounts.tenant(&caller, SiteId(99)).unwrap_err();
    assert_eq!(theirs.to_string(), nobodys.to_string());
    assert!(matches!((theirs, nobodys), (Denied::NoSuchSite, Denied::NoSuchSite)));
    assert!(rig.accounts.tenant(&caller, SiteId(0)).is_err());

    rig.accounts.grant(Actor::CommandLine, bob.id, a, None).unwrap();
    assert!(matches!(rig.accounts.tenant(&caller, a), Err(Denied::NoSuchSite)));
    let nobody = rig.accounts.grant(Actor::CommandLine, UserId(77), a, Some(Role::Admin));
    assert!(matches!(nobody, Err(AccountsError::Missing(_))));
}

#[test]
fn a_removed_sites_number_is_never_given_again() {
    let rig = Rig::new();
    let first = rig.site("a.example");
    assert_eq!(first, SiteId(1));
    rig.accounts.remove_site(Actor::CommandLine, first).unwrap();
    assert!(rig.accounts.directory().by_domain("a.example").is_none());
    assert_eq!(rig.site("a.example"), SiteId(2));
}

#[test]
fn a_sites_settings_are_checked_and_kept() {
    let rig = Rig::new();
    let add = |domain: &str, change: &SiteChange| {
        rig.accounts.add_site(Actor::CommandLine, domain, change)
    };
    let texts = |texts: &[&str]| Some(texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>());
    let change = SiteChange {
        timezone: Some("europe/berlin".to_owned()),
        hostnames: texts(&["Shop.Example.org", "*.example.net", ""]),
        excluded_addresses: texts(&["192.0.2.7", "2001:db8::1/32"]),
        excluded_countries: texts(&["de"]),
        excluded_pages: texts(&["/admin/*"]),
        respect_gpc: Some(true),
        retention_days: Some(30),
        ..SiteChange::default()
    };
    let site = add("Bücher.Example", &change).unwrap();
    assert_eq!(
        (site.domain.as_str(), site.timezone.as_str()),
        ("xn--bcher-kva.example", "Europe/Berlin")
    );
    assert_eq!(site.hostnames, ["shop.example.org", "*.example.net"]);
    let kept = Accounts::open(&rig.path(), rig.clock.clone()).unwrap().site(&site.domain).unwrap();
    assert_eq!(format!("{kept:?}"), format!("{site:?}"));
    let nets: Vec<String> = kept.excluded_addresses.iter().map(|n| n.to_string()).collect();
    assert_eq!(nets, ["192.0.2.7/32", "2001:db8::/32"]);

    let clear = SiteChange { excluded_pages: texts(&[]), ..SiteChange::default() };
    let site = rig.accounts.set_site(Actor::CommandLine, site.id, &clear).unwrap();
    assert!(site.excluded_pages.is_empty() && site.respect_gpc && site.retention_days == 30);

    let zone = |name: &str| SiteChange { timezone: Some(name.to_owned()), ..SiteChange::default() };
    invalid(add("a.example", &zone("Europe/Berlim")), "timezone", "Europe/Berlin");
    invalid(add("a.example", &zone("xyzzy")), "timezone", "IANA");
    invalid(add("https://a.example/x", &zone("UTC")), "domain", "`a.example`");
    invalid(add("192.0.2.1", &zone("UTC")), "domain", "not a domain");
    let taken = add(&site.domain, &zone("UTC"));
    assert!(matches!(taken, Err(AccountsError::Taken(_))));
}

#[test]
fn sessions_slide_and_expire() {
    let rig = Rig::new();
    rig.user("ann@example.org", true);
    let session = rig.accounts.sign_in("ann@example.org", PASSWORD).unwrap();
    let token = session.token.reveal();
    for _ in 0..3 {
        rig.pass(20 * DAY_MS);
        assert_eq!(rig.accounts.caller_by_session(token).unwrap().csrf(), session.caller.csrf());
    }
    rig.pass(30 * DAY_MS);
    assert!(matches!(rig.accounts.caller_by_session(token), Err(Denied::NotSignedIn)));

    let session = rig.accounts.sign_in("ann@example.org", PASSWORD).unwrap();
    rig.accounts.sign_out(session.token.reveal()).unwrap();
    let gone = rig.accounts.caller_by_session(session.token.reveal());
    assert!(matches!(gone, Err(Denied::NotSignedIn)));
}

#[test]
fn the_csrf_token_is_the_sessions_own() {
    let rig = Rig::new();
    rig.user("ann@example.org", true);
    let (one, other) = (rig.signed_in("ann@example.org"), rig.signed_in("ann@example.org"));
    one.check_csrf(one.csrf()).unwrap();
    for wrong in [None, Some(""), other.csrf()] {
        assert!(matches!(one.check_csrf(wrong), Err(Denied::Csrf)));
    }
}

#[test]
fn guessing_is_throttled_alike_for_known_and_unknown_users() {
    let rig = Rig::new();
    rig.user("ann@example.org", true);
    for email in ["ann@example.org", "nobody@example.org"] {
        for _ in 0..5 {
            let denied = rig.accounts.sign_in(email, "wrong password");
            assert!(matches!(denied, Err(Denied::WrongCredentials)), "{denied:?}");
        }
        let denied = rig.accounts.sign_in(email, PASSWORD);
        assert!(matches!(denied, Err(Denied::Throttled(wait)) if wait.as_secs() == 30));
    }
    rig.pass(30_000);
    rig.accounts.sign_in("ann@example.org", PASSWORD).unwrap();
}

#[test]
fn the_setup_link_works_once() {
    let rig = Rig::new();
    let stale = rig.accounts.setup_link().unwrap().unwrap();
    let link = rig.accounts.setup_link().unwrap().unwrap();
    assert!(matches!(rig.accounts.link(stale.reveal()), Err(Denied::BadLink)));
    assert_eq!(rig.accounts.link(link.reveal()).unwrap(), Link { email: None });

    let setup =
        |email: &str, password: &str| rig.accounts.complete_setup(link.reveal(), email, password);
    assert!(matches!(setup("ann@example.org", "short"), Err(Denied::Failed(_))));
    assert!(matches!(setup("nonsense", PASSWORD), Err(Denied::Failed(_))));
    let session = setup("Ann@Example.org", PASSWORD).unwrap();
    let user = session.caller.user().unwrap();
    assert_eq!(
        (user.email.as_str(), user.name.as_str(), user.owner),
        ("ann@example.org", "ann", true)
    );
    rig.accounts.caller_by_session(session.token.reveal()).unwrap();

    assert!(matches!(setup("eve@example.org", PASSWORD), Err(Denied::BadLink)));
    assert_eq!(rig.accounts.setup_link().unwrap(), None);
    assert_eq!(rig.accounts.users().unwrap().len(), 1);
}

#[test]
fn a_password_link_expires_and_ends_other_sessions() {
    let rig = Rig::new();
    rig.user("ann@example.org", true);
    let old = rig.accounts.sign_in("ann@example.org", PASSWORD).unwrap();
    let link = rig.accounts.password_link(Actor::CommandLine, "Ann@example.org").unwrap();
    rig.pass(DAY_MS);
    let denied = rig.accounts.complete_setup(link.reveal(), "", "another password");
    assert!(matches!(denied, Err(Denied::BadLink)));

    let link = rig.accounts.password_link(Actor::CommandLine, "ann@example.org").unwrap();
    let email = rig.accounts.link(link.reveal()).unwrap().email;
    assert_eq!(email.as_deref(), Some("ann@example.org"));
    rig.accounts.complete_setup(link.reveal(), "", "another password").unwrap();
    assert!(rig.accounts.caller_by_session(old.token.reveal()).is_err());
    assert!(rig.accounts.sign_in("ann@example.org", PASSWORD).is_err());
    rig.accounts.sign_in("ann@example.org", "another password").unwrap();
}

#[test]
fn a_user_without_a_password_cannot_sign_in() {
    let rig = Rig::new();
    let email = "bob@example.org".to_owned();
    let new = NewUser { email, name: "Bob".to_owned(), owner: false, password: None };
    let bob = rig.accounts.add_user(Actor::CommandLine, &new).unwrap();
    assert!(!bob.active);
    for guess in ["", PASSWORD] {
        let denied = rig.accounts.sign_in("bob@example.org", guess);
        assert!(matches!(denied, Err(Denied::WrongCredentials)));
    }
    let again = NewUser { email: "BOB@example.org".to_owned(), ..new };
    let taken = rig.accounts.add_user(Actor::CommandLine, &again);
    assert!(matches!(taken, Err(AccountsError::Taken(_))));
}

#[test]
fn the_only_owner_stays() {
    let rig = Rig::new();
    rig.user("ann@example.org", true);
    let remove = |email: &str| rig.accounts.remove_user(Actor::CommandLine, email);
    invalid(remove("ann@example.org"), "email", "only owner");
    rig.user("eve@example.org", true);
    remove("ann@example.org").unwrap();
    assert!(matches!(remove("ann@example.org"), Err(AccountsError::Missing(_))));
}

#[test]
fn keys_do_what_they_are_for_until_revoked() {
    let rig = Rig::new();
    let (a, b) = (rig.site("a.example"), rig.site("b.example"));
    let ann = rig.user("ann@example.org", true);
    let create =
        |scopes: &[Scope], of| rig.accounts.create_key(Actor::CommandLine, "backup", scopes, of);
    let of_site = create(&[Scope::StatsRead], KeyFor::Site(a)).unwrap();
    assert!(of_site.reveal().starts_with("th_") && of_site.reveal().len() == 67);
    let bearer = format!("Bearer {}", of_site.reveal());
    let caller = rig.accounts.caller_by_key(&bearer).unwrap();
    rig.accounts.tenant(&caller, a).unwrap();
    assert!(matches!(rig.accounts.tenant(&caller, b), Err(Denied::NoSuchSite)));
    assert!(matches!(caller.check_scope(Scope::SitesWrite), Err(Denied::Forbidden)));
    caller.check_csrf(None).unwrap();

    let of_user = create(&[Scope::SitesWrite], KeyFor::User(ann.id)).unwrap();
    let caller = rig.accounts.caller_by_key(of_user.reveal()).unwrap();
    assert!(matches!(rig.accounts.tenant(&caller, a), Err(Denied::Forbidden)));
    assert_eq!(rig.accounts.role(&caller, b).unwrap(), Role::Owner);

    invalid(create(&[Scope::SitesWrite], KeyFor::Site(a)), "scopes", "stats:read only");
    assert!(create(&[Scope::StatsRead], KeyFor::Site(SiteId(9))).is_err());
    assert!(create(&[Scope::StatsRead], KeyFor::User(UserId(9))).is_err());

    let keys = rig.accounts.keys().unwrap();
    assert_eq!(keys[0].last_used, Some(keys[0].created.clone()));
    rig.accounts.revoke_key(Actor::CommandLine, keys[0].id).unwrap();
    assert!(matches!(rig.accounts.caller_by_key(&bearer), Err(Denied::NotSignedIn)));
    assert!(rig.accounts.revoke_key(Actor::CommandLine, keys[0].id).is_err());
    assert!(rig.accounts.caller_by_key("th_").is_err());
}

#[test]
fn another_processs_change_is_seen() {
    let rig = Rig::new();
    let other = Accounts::open(&rig.path(), rig.clock.clone()).unwrap();
    assert!(!rig.accounts.refresh_if_changed().unwrap());
    let mut watch = rig.accounts.watch_directory();
    other.add_site(Actor::CommandLine, "a.example", &SiteChange::default()).unwrap();
    assert!(rig.accounts.directory().by_domain("a.example").is_none());
    assert!(rig.accounts.refresh_if_changed().unwrap());
    assert!(!rig.accounts.refresh_if_changed().unwrap());
    assert!(rig.accounts.directory().by_domain("a.example").is_some());
    assert!(watch.has_changed().unwrap());
    assert!(watch.borrow_and_update().by_domain("a.example").is_some());
}

#[test]
fn two_processes_may_write_at_once() {
    let rig = Rig::new();
    let site = rig.site("a.example");
    let other = Accounts::open(&rig.path(), rig.clock.clone()).unwrap();
    std::thread::scope(|scope| {
        for accounts in [&rig.accounts, &other] {
            scope.spawn(move || {
                for days in 1..=5 {
                    let retention_days = Some(days);
                    let change = SiteChange { retention_days, ..SiteChange::default() };
                    accounts.set_site(Actor::CommandLine, site, &change).unwrap();
                }
            });
        }
    });
    rig.accounts.refresh_if_changed().unwrap();
    let directory = rig.accounts.directory();
    assert_eq!(directory.by_domain("a.example").map(|site| site.retention_days), Some(5));
    assert_eq!(rig.accounts.audit(100).unwrap().len(), 11);
}

#[test]
fn the_file_is_private_and_newer_ones_are_refused() {
    let rig = Rig::new();
    rig.site("a.example");
    for entry in std::fs::read_dir(rig.dir.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
    }
    rig.accounts.with(|db| db.pragma_update(None, "user_version", 99)).unwrap();
    let newer = Accounts::open(&rig.path(), rig.clock.clone());
    assert!(matches!(newer.err(), Some(AccountsError::Newer { found: 99, .. })));
}

#[test]
fn secrets_are_neither_printed_nor_kept() {
    let rig = Rig::new();
    let new = NewUser {
        email: "ann@example.org".to_owned(),
        name: String::new(),
        owner: true,
        password: Some(Secret::new(PASSWORD)),
    };
    assert!(!format!("{new:?}").contains(PASSWORD));
    let user = rig.accounts.add_user(Actor::CommandLine, &new).unwrap();
    let session = rig.accounts.sign_in("ann@example.org", PASSWORD).unwrap();
    let token = session.token.reveal();
    let debug = format!("{session:?}");
    assert!(!debug.contains(token) && !debug.contains(session.caller.csrf().unwrap()));
    let of = KeyFor::User(user.id);
    let key = rig.accounts.create_key(Actor::CommandLine, "x", &[Scope::StatsRead], of).unwrap();
    let link = rig.accounts.password_link(Actor::CommandLine, "ann@example.org").unwrap();

    let mut kept = Vec::new();
    for file in ["accounts.db", "accounts.db-wal"] {
        kept.extend(std::fs::read(rig.dir.path().join(file)).unwrap());
    }
    for secret in [PASSWORD, token, key.reveal(), link.reveal()] {
        let found = kept.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "a secret is in the file");
    }
}

#[test]
fn changes_are_audited() {
    let rig = Rig::new();
    let ann = rig.user("ann@example.org", true);
    rig.accounts.add_site(Actor::User(ann.id), "a.example", &SiteChange::default()).unwrap();
    let audit = rig.accounts.audit(10).unwrap();
    let lines = audit.iter().map(|e| format!("{}: {} {}", e.actor, e.action, e.subject));
    assert_eq!(
        lines.collect::<Vec<_>>(),
        ["user 1: add site a.example", "command line: add user ann@example.org"]
    );
}

#[test]
fn settings_are_kept() {
    let rig = Rig::new();
    assert_eq!(rig.accounts.setting("k").unwrap(), None);
    rig.accounts.set_setting("k", "1").unwrap();
    rig.accounts.set_setting("k", "2").unwrap();
    assert_eq!(rig.accounts.setting("k").unwrap().as_deref(), Some("2"));
}
