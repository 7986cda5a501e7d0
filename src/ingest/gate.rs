//! What is cheap to refuse: senders that do not look like a browser, and pages loaded ahead of time
//! that nobody has seen yet.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::USER_AGENT;

use crate::ingest::reply::Dropped;
use crate::limits::{USER_AGENT_BYTES_MAX, USER_AGENT_BYTES_MIN};

/// Headers in which browsers say that nobody looks at the page yet (a tracker that waits for the
/// page to be shown sends none of them).
const PURPOSE_HEADERS: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
const AHEAD_OF_TIME: [&str; 3] = ["prefetch", "prerender", "preview"];

/// Lets a request pass and gives its user agent, or says why it is junk.
pub(super) fn pass(headers: &HeaderMap) -> Result<&str, Dropped> {
    if PURPOSE_HEADERS.iter().any(|name| is_ahead_of_time(headers, name)) {
        return Err(Dropped::Prefetch);
    }
    let agent = headers.get(USER_AGENT).map_or(&b""[..], |value| value.as_bytes());
    let agent = std::str::from_utf8(agent).ok().filter(|text| text.is_ascii());
    match agent.map(str::trim) {
        Some(agent) if is_browser_like(agent) => Ok(agent),
        _ => Err(Dropped::UserAgent),
    }
}

pub(super) fn is_browser_like(agent: &str) -> bool {
    let length = USER_AGENT_BYTES_MIN..=USER_AGENT_BYTES_MAX;
    length.contains(&agent.len()) && agent.parse::<IpAddr>().is_err() && !is_uuid(agent)
}

fn is_ahead_of_time(headers: &HeaderMap, name: &str) -> bool {
    let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) else { return false };
    let mut words = value.split(|c: char| !c.is_ascii_alphanumeric());
    words.any(|word| AHEAD_OF_TIME.iter().any(|ahead| word.eq_ignore_ascii_case(ahead)))
}

fn is_uuid(text: &str) -> bool {
    let text = text.strip_prefix('{').and_then(|t| t.strip_suffix('}')).unwrap_or(text);
    let hex = |b: u8| b.is_ascii_hexdigit();
    match text.len() {
        32 => text.bytes().all(hex),
        36 => text.bytes().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => b == b'-',
            _ => hex(b),
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::pass;
    use crate::ingest::reply::Dropped;

    const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0";

    fn request(agent: Option<&[u8]>, extra: Option<(&str, &str)>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(agent) = agent {
            headers.insert("user-agent", HeaderValue::from_bytes(agent).unwrap());
        }
        if let Some((name, value)) = extra {
            headers.insert(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn user_agents() {
        let long_enough = "x".repeat(500);
        let too_long = "x".repeat(501);
        let table: &[(&[u8], bool)] = &[
            (FIREFOX.as_bytes(), true),
            (b"Mozilla/5.0 (X;)", true),
            (b"Mozilla/5.0 (X)", false),
            (b"   Mozilla/5.0 (X)   ", false),
            (long_enough.as_bytes(), true),
            (too_long.as_bytes(), false),
            (b"", false),
            ("Mozilla/5.0 (Großer Rechner)".as_bytes(), false),
            (b"Mozilla/5.0 \xff\xfe\xfd\xfc (X11)", false),
            (b"203.0.113.250", false),
            (b"2001:db8:1234:5678:9abc::1", false),
            (b"123e4567-e89b-12d3-a456-426614174000", false),
            (b"{123E4567-E89B-12D3-A456-426614174000}", false),
            (b"123e4567e89b12d3a456426614174000", false),
            (b"123e4567-e89b-12d3-a456-42661417400g", true),
        ];
        for (agent, passes) in table {
            let headers = request(Some(agent), None);
            let result = pass(&headers);
            assert_eq!(result.is_ok(), *passes, "{}", String::from_utf8_lossy(agent));
            assert_eq!(result.err(), (!passes).then_some(Dropped::UserAgent));
        }
        assert_eq!(pass(&request(None, None)), Err(Dropped::UserAgent));
    }

    #[test]
    fn pages_loaded_ahead_of_time() {
        let table = [
            ("sec-purpose", "prefetch", false),
            ("sec-purpose", "prefetch;prerender", false),
            ("Sec-Purpose", "prefetch;anonymous-client-ip", false),
            ("purpose", "Prefetch", false),
            ("x-purpose", "preview", false),
            ("x-moz", "prefetch", false),
            ("sec-purpose", "speech", true),
            ("purpose", "prefetching-is-off", true),
            ("sec-fetch-dest", "prefetch", true),
        ];
        for (name, value, passes) in table {
            let headers = request(Some(FIREFOX.as_bytes()), Some((name, value)));
            assert_eq!(pass(&headers), if passes { Ok(FIREFOX) } else { Err(Dropped::Prefetch) });
        }
    }
}
