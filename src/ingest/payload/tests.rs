use proptest::prelude::*;

use super::{Malformed, Payload, parse};

fn one(body: &str) -> Result<Payload<'_>, Malformed> {
    parse(body.as_bytes()).and_then(|mut post| post.events.remove(0))
}

#[track_caller]
fn field_at_fault(body: &str) -> &'static str {
    one(body).expect_err(body).field
}

fn with(extra: &str) -> String {
    format!(r#"{{"n":"pageview","u":"https://example.org/","d":"example.org"{extra}}}"#)
}

fn props_of(json: &str) -> Vec<(String, String)> {
    let body = with(&format!(r#","p":{json}"#));
    let event = one(&body).unwrap();
    event.props.into_iter().map(|(k, v)| (k.into_owned(), v.into_owned())).collect()
}

fn milli(json: &str) -> Result<i64, Malformed> {
    let body = with(&format!(r#","$":{{"currency":"eur","amount":{json}}}"#));
    one(&body).map(|event| event.revenue.expect("sent").revenue().milli)
}

#[test]
fn short_and_long_names_mean_the_same() {
    let short = r##"{"n":"Signup","u":"https:\/\/example.org\/a#x","d":"a.example,b.example",
        "r":"https://t.co/","p":{"plan":"pro"},"$":{"currency":"EUR","amount":"12.5"},"i":false,
        "h":1,"k":"id-1","e":1500,"sd":88,"w":1280,"v":33,"unknown":{"deep":[1,{"x":null}]}}"##;
    let long = r##"{"name":"Signup","url":"https://example.org/a#x","domain":"a.example,b.example",
        "referrer":"https://t.co/","props":"{\"plan\":\"pro\"}","interactive":false,
        "revenue":"{\"currency\":\"EUR\",\"amount\":12.5}","h":true,"k":"id-1","e":1500.2,
        "sd":"88","w":1280}"##;
    let event = one(short).unwrap();
    assert_eq!(event, one(long).unwrap());
    assert_eq!((&*event.name, &*event.url), ("Signup", "https://example.org/a#x"));
    assert_eq!((event.interactive, event.hash_mode), (false, true));
    assert_eq!((event.engaged_ms, event.scroll, event.width), (1500, 88, 1280));
    assert_eq!(event.revenue.unwrap().revenue().currency, "EUR");
}

#[test]
fn a_plain_page_view_has_defaults_and_borrows() {
    let body = with(r#","r":null,"p":null"#);
    let event = one(&body).unwrap();
    assert!(event.interactive && !event.hash_mode && event.props.is_empty());
    assert_eq!((&*event.referrer, event.revenue, event.id), ("", None, None));
    assert!(matches!(event.url, std::borrow::Cow::Borrowed(_)));
}

#[test]
fn the_field_at_fault_is_named() {
    for (body, field) in [
        (String::new(), "body"),
        ("{".to_owned(), "body"),
        ("null".to_owned(), "body"),
        ("\"text\"".to_owned(), "body"),
        ("[]".to_owned(), "body"),
        ("[5]".to_owned(), "body"),
        (with("") + "x", "body"),
        (r#"{"u":"https://a.b/","d":"a.b"}"#.to_owned(), "name"),
        (r#"{"n":"","u":"https://a.b/","d":"a.b"}"#.to_owned(), "name"),
        (r#"{"n":"x","d":"a.b"}"#.to_owned(), "url"),
        (r#"{"n":"x","u":"https://a.b/"}"#.to_owned(), "domain"),
        (r#"{"n":5,"u":"https://a.b/","d":"a.b"}"#.to_owned(), "name"),
        (format!(r#"{{"n":"{}","u":"https://a.b/","d":"a.b"}}"#, "x".repeat(121)), "name"),
        (with(&format!(r#","k":"{}""#, "x".repeat(65))), "k"),
        (with(r#","p":5"#), "props"),
        (with(r#","p":[1]"#), "props"),
        (with(r#","p":"[1]""#), "props"),
        (with(&format!(r#","p":{{"{}":"v"}}"#, "x".repeat(121))), "props"),
        (with(&format!(r#","p":{{"k":"{}"}}"#, "x".repeat(2001))), "props"),
        (with(r#","$":5"#), "revenue"),
        (with(r#","$":{"currency":"EURO","amount":5}"#), "revenue"),
        (with(r#","$":{"currency":"EUR"}"#), "revenue"),
        (with(r#","$":{"amount":5}"#), "revenue"),
        (with(r#","i":"maybe""#), "interactive"),
        (with(r#","e":-1"#), "e"),
        (with(r#","e":"soon""#), "e"),
        (with(r#","sd":[]"#), "sd"),
        (with(r#","w":{}"#), "w"),
    ] {
        assert_eq!(field_at_fault(&body), field, "{body}");
    }
}

#[test]
fn properties() {
    let pair = |k: &str, v: &str| (k.to_owned(), v.to_owned());
    let all = r#"{"s":"t","i":7,"f":1.5,"one":1.0,"b":true,"n":null,"o":{},"l":[1],"":"x","e":""}"#;
    let kept = [("s", "t"), ("i", "7"), ("f", "1.5"), ("one", "1"), ("b", "true")];
    let kept: Vec<_> = kept.iter().map(|(k, v)| pair(k, v)).collect();
    assert_eq!(props_of(all), kept);
    assert_eq!(props_of(&serde_json::to_string(all).unwrap()), kept);
    assert_eq!(props_of(r#"{"a":"1","a":"2"}"#), [pair("a", "2")]);
    assert_eq!(props_of("\"\""), []);
    let many = |n: usize| {
        let pairs: Vec<_> = (0..n).map(|i| format!(r#""k{i}":{i}"#)).collect();
        format!("{{{}}}", pairs.join(","))
    };
    assert_eq!(props_of(&many(30)).len(), 30);
    assert_eq!(field_at_fault(&with(&format!(r#","p":{}"#, many(31)))), "props");
}

#[test]
fn amounts_are_exact_thousandths() {
    for (json, expected) in [
        ("12.34", 12_340),
        ("\"12.34\"", 12_340),
        ("0.1", 100),
        ("1.005", 1_005),
        ("10.015", 10_015),
        ("-5", -5_000),
        ("\"-0.0005\"", -1),
        ("\"0.0004\"", 0),
        ("\"+7.\"", 7_000),
        ("\".5\"", 500),
        ("\"9223372036854775.807\"", i64::MAX),
        ("9223372036854775", 9_223_372_036_854_775_000),
    ] {
        assert_eq!(milli(json), Ok(expected), "{json}");
    }
    for json in [
        "\"\"",
        "\"1e5\"",
        "\"1,5\"",
        "\".\"",
        "\"9223372036854775.808\"",
        "9223372036854776",
        "1e300",
        "-1e300",
        "true",
        "null",
        "{}",
        "\"NaN\"",
        "\"-\"",
        "\"1.2.3\"",
    ] {
        assert_eq!(milli(json).unwrap_err().field, "revenue", "{json}");
    }
}

#[test]
fn an_array_keeps_each_event_apart() {
    let good = with("");
    let body = format!("[{good},5,{{}},{good}]");
    let post = parse(body.as_bytes()).unwrap();
    assert!(post.listed);
    let fields: Vec<_> = post.events.iter().map(|e| e.as_ref().err().map(|m| m.field)).collect();
    assert_eq!(fields, [None, Some("body"), Some("name"), None]);
    let array = |n: usize| format!("[{}]", vec![good.clone(); n].join(","));
    assert_eq!(parse(array(10).as_bytes()).unwrap().events.len(), 10);
    assert_eq!(parse(array(11).as_bytes()).unwrap_err().field, "body");
}

#[test]
fn deep_nesting_is_stepped_over() {
    // Skipping does not recurse, so depth costs no stack; only the body's size bounds it.
    let deep = format!("{}{}", "[".repeat(4_000), "]".repeat(4_000));
    assert!(one(&with(&format!(r#","x":{deep}"#))).is_ok());
    assert_eq!(props_of(&format!(r#"{{"a":{deep},"b":"1"}}"#)), [("b".to_owned(), "1".to_owned())]);
    assert_eq!(field_at_fault(&with(&format!(r#","p":{deep}"#))), "props");
    let objects = format!("{}1{}", "{\"a\":".repeat(1_300), "}".repeat(1_300));
    assert!(one(&with(&format!(r#","p":{objects}"#))).is_ok());
    assert_eq!(field_at_fault(&objects), "name");
    assert_eq!(field_at_fault(&"[".repeat(8_000)), "body");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_json_makes_it_panic(
        key in prop::sample::select(vec!["n", "u", "d", "p", "$", "i", "e", "sd", "w", "k", "h"]),
        value in prop::sample::select(vec![
            "null", "1", "-1", "1e308", "1e-308", "\"\"", "\"\\u0000\"", "\"\\ud83d\\ude00\"", "[]",
            "{}", "[[]]", "{\"currency\":\"eur\",\"amount\":\"-\"}", "18446744073709551615",
        ]),
    ) {
        let body = with(&format!(r#","{key}":{value}"#));
        let _ = parse(body.as_bytes());
        let _ = parse(format!("[{{\"{key}\":{value}}}]").as_bytes());
    }
}
