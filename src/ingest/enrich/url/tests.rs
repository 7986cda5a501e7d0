use proptest::prelude::*;

use super::{Click, Page, Parts};

#[track_caller]
fn check(text: &str, hostname: &str, pathname: &str) {
    let page = Page::parse(text, false).unwrap();
    assert_eq!((&*page.hostname, &*page.pathname), (hostname, pathname), "{text}");
}

#[test]
fn hosts_and_paths() {
    check("https://example.org", "example.org", "/");
    check("https://example.org/", "example.org", "/");
    check("http://Example.ORG./a/B?x#y", "example.org", "/a/B");
    check("https://example.org:8443/a", "example.org", "/a");
    check("https://example.org:8443", "example.org", "/");
    check("https://example.org?x=1", "example.org", "/");
    check("https://example.org#x", "example.org", "/");
    check("https://user:secret@example.org/a", "example.org", "/a");
    check("https://example.org/caf%C3%A9/", "example.org", "/caf%C3%A9/");
    check("https://example.org/café", "example.org", "/caf%C3%A9");
    check("https://example.org/a b", "example.org", "/a%20b");
    check("https://example.org/a/../b", "example.org", "/b");
    check("https://example.org//double", "example.org", "//double");
    check("https://bücher.example/", "xn--bcher-kva.example", "/");
    check("https://192.0.2.1:80/x", "192.0.2.1", "/x");
    check("https://[2001:DB8::1]:80/x", "[2001:db8::1]", "/x");
    check("http://localhost:3000/x", "localhost", "/x");
    check("app://MyApp/screen/one", "myapp", "/screen/one");
    check("app://myapp", "myapp", "/");
}

#[test]
fn what_is_no_address_is_refused() {
    for text in [
        "",
        "example.org",
        "/path",
        "https://",
        "https:///",
        "data:text/html,x",
        "about:blank",
        "mailto:a@example.org",
        "javascript:alert(1)",
        "https://exa mple.org/",
        "https://a:99999/",
        "file:///etc/passwd",
    ] {
        assert_eq!(Page::parse(text, false).err().map(|m| m.field), Some("url"), "{text}");
    }
    let long = |n: usize| format!("https://example.org/{}", "x".repeat(n));
    assert!(Page::parse(&long(1_999), false).is_ok());
    assert!(Page::parse(&long(2_000), false).is_err());
    assert!(Page::parse(&format!("https://{}.org/", "x".repeat(120)), false).is_err());
    let query = format!("https://example.org/?q={}", "x".repeat(5_000));
    assert_eq!(Page::parse(&query, false).unwrap().pathname, "/");
}

#[test]
fn hash_mode_keeps_the_route() {
    let path = |text: &str| Page::parse(text, true).unwrap().pathname.into_owned();
    assert_eq!(path("https://example.org/app#/users/5?token=x"), "/app#/users/5");
    assert_eq!(path("https://example.org/#!/home"), "/#!/home");
    assert_eq!(path("https://example.org/#"), "/");
    assert_eq!(path("https://example.org/?a=1#?b"), "/");
}

#[test]
fn only_attribution_is_read_from_the_query() {
    let text = "https://example.org/?email=a%40b&utm_source=News+Letter&utm_medium=e%2Dmail\
                &utm_campaign=%C3%A9t%C3%A9&utm_content=&utm_term=a%zzb&utm_term=second&gclid=x1#f";
    let page = Page::parse(text, false).unwrap();
    assert_eq!(page.tags.utm, ["News Letter", "e-mail", "été", "", "a%zzb"]);
    assert_eq!(page.tags.click, Some(Click::GoogleAds));
    let text = format!("{page:?}");
    assert!(!text.contains("a@b") && !text.contains("email"), "{text}");
}

#[test]
fn reference_parameters_have_an_order() {
    let tags = |query: &str| {
        let text = format!("https://example.org/?{query}");
        let tags = Page::parse(&text, false).unwrap().tags;
        (tags.reference.into_owned(), tags.click)
    };
    assert_eq!(tags("via=c&ref=b&source=a"), ("a".to_owned(), None));
    assert_eq!(tags("ref=b&via=c"), ("b".to_owned(), None));
    assert_eq!(tags("via=c"), ("c".to_owned(), None));
    assert_eq!(tags("referrer=c&sources=d"), (String::new(), None));
    assert_eq!(tags("fbclid=1&gclid=2").1, Some(Click::GoogleAds));
    assert_eq!(tags("gclid=2&fbclid=1").1, Some(Click::GoogleAds));
    assert_eq!(tags("msclkid=").1, None);
    let long = format!("ref={}", "é".repeat(400));
    assert_eq!(tags(&long).0, "é".repeat(100));
}

fn parts(parts: &Parts<'_>) -> [String; 4] {
    let Parts { hostname, pathname, query, fragment } = parts;
    [hostname, pathname, query, fragment].map(|part| part.to_string())
}

#[track_caller]
fn scan_agrees(text: &str) {
    if let Some(scanned) = Parts::scan(text) {
        let reference = Parts::reference(text).unwrap_or_else(|| panic!("{text} is no URL"));
        let [host, path, ..] = parts(&scanned);
        assert_eq!([host, path], parts(&reference)[..2], "{text}");
    }
}

proptest! {
    #[test]
    fn the_scan_reads_as_the_standard(
        host in "[a-z0-9.-]{1,20}", port in "(:[0-9]{1,6})?", path in "(/[ -~]{0,20})?",
        query in "(\\?[ -~]{0,20})?", fragment in "(#[ -~]{0,10})?",
    ) {
        let usual = format!("https://a{host}.org{port}{path}{query}{fragment}");
        scan_agrees(&usual);
        scan_agrees(&format!("http://{host}{port}{path}{query}{fragment}"));
    }

    #[test]
    fn the_scan_reads_anything_as_the_standard(rest in "\\PC{0,40}") {
        scan_agrees(&format!("https://{rest}"));
    }

    #[test]
    fn nothing_makes_it_panic(text in "\\PC{0,60}", hash in any::<bool>()) {
        let _ = Page::parse(&text, hash);
        let _ = Page::parse(&format!("https://a.b/?utm_source={text}&ref={text}#{text}"), hash);
    }
}
