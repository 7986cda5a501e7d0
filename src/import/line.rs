//! One line of an access log in the combined format of Apache and nginx:
//!
//! ```text
//! address ident user [17/May/2015:10:05:03 +0000] "GET /page HTTP/1.1" 200 1234 "referrer" "agent"
//! ```
//! Fields behind the agent are ignored. The line is bytes: servers write Latin-1, escapes and junk.

use std::borrow::Cow;

/// What a line says. The address lives only as long as the line's bytes (I4).
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// As written: an address or, with HostnameLookups, a name.
    pub address: &'a str,
    /// Milliseconds since the Unix epoch.
    pub ts_ms: i64,
    pub method: &'a str,
    /// Path and query, without scheme and host.
    pub target: Cow<'a, str>,
    pub status: u16,
    /// Empty if the log has `-`.
    pub referrer: Cow<'a, str>,
    pub agent: Cow<'a, str>,
}

/// Reads a line, without its line end. Nothing if it is not in the combined format.
pub(super) fn parse(line: &[u8]) -> Option<Line<'_>> {
    let (address, rest) = split(line, b' ')?;
    let address = std::str::from_utf8(address).ok().filter(|a| !a.is_empty())?;
    let open = find(rest, b" [")?;
    let rest = &rest[open + 2..];
    let (time, rest) = split(rest, b']')?;
    let ts_ms = time_ms(time)?;
    let (request, rest) = quoted(rest.strip_prefix(b" ")?)?;
    let (status, rest) = split(rest.strip_prefix(b" ")?, b' ')?;
    let status = number(status).filter(|s| (100..1000).contains(s))? as u16;
    let (_bytes, rest) = split(rest, b' ')?;
    let (referrer, rest) = quoted(rest)?;
    let (agent, _) = quoted(rest.strip_prefix(b" ")?)?;
    let (method, target) = split_request(request);
    Some(Line {
        address,
        ts_ms,
        method,
        target: text(target),
        status,
        referrer: text(dash(referrer)),
        agent: text(dash(agent)),
    })
}

fn split(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let i = bytes.iter().position(|&b| b == at)?;
    Some((&bytes[..i], &bytes[i + 1..]))
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|w| w == what)
}

fn dash(field: &[u8]) -> &[u8] {
    if field == b"-" { b"" } else { field }
}

fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() || digits.len() > 9 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(digits.iter().fold(0, |n, d| n * 10 + u32::from(d - b'0')))
}

/// A field in quotes, where `\"` does not end it, and what stands behind it.
fn quoted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = bytes.strip_prefix(b"\"")?;
    let mut i = 0;
    while i < inner.len() {
        match inner[i] {
            b'\\' => i += 2,
            b'"' => return Some((&inner[..i], &inner[i + 1..])),
            _ => i += 1,
        }
    }
    None
}

/// Method and target. A target may hold blanks in a broken request, so the version is what stands
/// behind the last one, if it looks like one.
fn split_request(request: &[u8]) -> (&str, &[u8]) {
    let Some((method, rest)) = split(request, b' ') else { return ("", b"") };
    let target = match rest.iter().rposition(|&b| b == b' ') {
        Some(i) if rest[i + 1..].starts_with(b"HTTP/") => &rest[..i],
        _ => rest,
    };
    (std::str::from_utf8(method).unwrap_or(""), origin_form(target))
}

/// Cuts `http://host` off an absolute target, as sent to proxies.
fn origin_form(target: &[u8]) -> &[u8] {
    if target.starts_with(b"/") {
        return target;
    }
    let Some(i) = find(target, b"://") else { return target };
    let host = &target[i + 3..];
    host.iter().position(|&b| b == b'/').map_or(b"/", |slash| &host[slash..])
}

/// Undoes the server's escapes (`\"`, `\\`, `\x41`, `\n`, `\t`); what is not UTF-8 is Latin-1.
fn text(field: &[u8]) -> Cow<'_, str> {
    if field.contains(&b'\\') {
        return Cow::Owned(decode(&unescape(field)).into_owned());
    }
    decode(field)
}

fn decode(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().map(|&b| char::from(b)).collect()),
    }
}

fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut i = 0;
    while i < field.len() {
        let (byte, used) = match (field[i], field.get(i + 1)) {
            (b'\\', Some(b'x')) => match field.get(i + 2..i + 4).and_then(hex) {
                Some(byte) => (byte, 4),
                None => (b'\\', 1),
            },
            (b'\\', Some(b'n')) => (b'\n', 2),
            (b'\\', Some(b't')) => (b'\t', 2),
            (b'\\', Some(&escaped)) => (escaped, 2),
            (byte, _) => (byte, 1),
        };
        out.push(byte);
        i += used;
    }
    out
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    Some((digit(digits[0])? * 16 + digit(digits[1])?) as u8)
}

/// `17/May/2015:10:05:03 +0000`. A second of 60 counts as 59.
fn time_ms(time: &[u8]) -> Option<i64> {
    const MONTHS: [&[u8]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    if time.len() != 26 || [2, 6].iter().any(|&i| time[i] != b'/') || time[20] != b' ' {
        return None;
    }
    if [11, 14, 17].iter().any(|&i| time[i] != b':') {
        return None;
    }
    let at = |from: usize, until: usize| number(&time[from..until]);
    let month = MONTHS.iter().position(|m| *m == &time[3..6])? as i8 + 1;
    let date = jiff::civil::Date::new(at(7, 11)? as i16, month, at(0, 2)? as i8).ok()?;
    let (hour, minute, second) = (at(12, 14)?, at(15, 17)?, at(18, 20)?.min(59));
    if hour > 23 || minute > 59 {
        return None;
    }
    let offset_s = i64::from(at(22, 24)? * 3600 + at(24, 26)? * 60);
    let offset_s = match time[21] {
        b'+' => offset_s,
        b'-' => -offset_s,
        _ => return None,
    };
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
    let utc_s = midnight + i64::from(hour * 3600 + minute * 60 + second) - offset_s;
    Some(utc_s * 1000)
}

#[cfg(test)]
mod tests {
    use super::{parse, time_ms};

    const HEAD: &str = "203.0.113.9 - - [17/May/2015:10:05:03 +0000] ";

    fn line(rest: &str) -> String {
        format!("{HEAD}{rest}")
    }

    #[test]
    fn times_with_their_offsets() {
        let ms = |t: &str| time_ms(t.as_bytes());
        assert_eq!(ms("17/May/2015:10:05:03 +0000"), Some(1_431_857_103_000));
        assert_eq!(ms("17/May/2015:12:05:03 +0200"), Some(1_431_857_103_000));
        assert_eq!(ms("17/May/2015:04:35:03 -0530"), Some(1_431_857_103_000));
        assert_eq!(ms("30/Jun/2015:23:59:60 +0000"), ms("30/Jun/2015:23:59:59 +0000"));
        for wrong in [
            "31/Feb/2015:10:05:03 +0000",
            "17/Mai/2015:10:05:03 +0000",
            "",
            "17/May/2015:25:05:03 +0000",
        ] {
            assert_eq!(ms(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn the_fields_of_a_line() {
        let text =
            line(r#""GET /a?utm_source=x HTTP/1.1" 200 12 "http://r.example/" "Agent/1.0 (x)" 42"#);
        let l = parse(text.as_bytes()).unwrap();
        assert_eq!((l.address, l.method, &*l.target), ("203.0.113.9", "GET", "/a?utm_source=x"));
        assert_eq!(
            (l.status, &*l.referrer, &*l.agent),
            (200, "http://r.example/", "Agent/1.0 (x)")
        );
        assert_eq!(l.ts_ms, 1_431_857_103_000);
    }

    #[test]
    fn odd_but_valid_lines() {
        let v6 = r#"2001:db8::7 - bob smith [17/May/2015:10:05:03 +0000] "GET / HTTP/2.0" 304 - "-" "-""#;
        let l = parse(v6.as_bytes()).unwrap();
        assert_eq!((l.address, l.status, &*l.referrer, &*l.agent), ("2001:db8::7", 304, "", ""));
        let l = line(r#""GET http://h.example/p?q HTTP/1.1" 200 1 "say \"hi\" \\o/" "a\x22b\xe9""#);
        let l = parse(l.as_bytes()).unwrap();
        assert_eq!((&*l.target, &*l.referrer, &*l.agent), ("/p?q", r#"say "hi" \o/"#, "a\"bé"));
        let l = line(r#""\x16\x03\x01" 400 226 "-" "-""#);
        assert_eq!(parse(l.as_bytes()).unwrap().method, "");
        let mut latin = line(r#""GET /caf"#).into_bytes();
        latin.extend_from_slice(b"\xe9 HTTP/1.1\" 200 1 \"-\" \"Agent\"");
        assert_eq!(parse(&latin).unwrap().target, "/café");
        let l = line(r#""GET /a b HTTP/1.0" 200 1 "-" "x""#);
        assert_eq!(parse(l.as_bytes()).unwrap().target, "/a b");
    }

    #[test]
    fn malformed_lines() {
        for wrong in [
            "".to_string(),
            "hello".to_string(),
            line(r#""GET / HTTP/1.1" 200 12"#),
            line(r#""GET / HTTP/1.1" two 12 "-" "x""#),
            line(r#""GET / HTTP/1.1" 200 12 "-" "x\""#),
            r#"1.2.3.4 - - [yesterday] "GET / HTTP/1.1" 200 12 "-" "x""#.to_string(),
        ] {
            assert!(parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
