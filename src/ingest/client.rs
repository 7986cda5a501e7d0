//! The client's address. It exists only inside `ingest` and only while a request is decided (I4):
//! a [`ClientIp`] cannot be printed, copied or serialised.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::FORWARDED;
use ipnet::IpNet;

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// Where a request came from. IPv4 in IPv6 clothes is IPv4.
pub(super) struct ClientIp(IpAddr);

impl ClientIp {
    /// The peer, unless it is a trusted proxy: then the right-most hop it names that is not one
    /// itself. `X-Forwarded-For` is read before `Forwarded`; a proxy must overwrite or remove both.
    /// What a hop does not say as an address (`unknown`, `_hidden`, garbage) ends the walk at the
    /// last hop that did.
    pub(super) fn find(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> ClientIp {
        let peer = peer.to_canonical();
        if !is_trusted(peer, trusted) {
            return ClientIp(peer);
        }
        let plain = headers.get_all(X_FORWARDED_FOR).iter();
        if headers.contains_key(X_FORWARDED_FOR) {
            let hops = plain.rev().flat_map(|line| line.as_bytes().rsplit(|b| *b == b','));
            return ClientIp(last_untrusted(peer, hops.map(hop_address), trusted));
        }
        let lines = headers.get_all(FORWARDED).iter().rev();
        let hops = lines.flat_map(|line| split_quoted(line.as_bytes(), b',').into_iter().rev());
        ClientIp(last_untrusted(peer, hops.map(forwarded_for), trusted))
    }

    pub(super) fn address(&self) -> IpAddr {
        self.0
    }

    /// The bytes that identity hashes.
    pub(super) fn octets(&self) -> Octets {
        Octets::of(self.0)
    }

    /// Text for `X-Debug-Request`: sent to nobody but the client itself.
    pub(super) fn for_the_client_itself(&self) -> String {
        self.0.to_string()
    }
}

/// An address as bytes: four or sixteen.
pub(super) struct Octets([u8; 16], usize);

impl Octets {
    fn of(address: IpAddr) -> Octets {
        match address {
            IpAddr::V4(v4) => {
                let mut bytes = [0; 16];
                bytes[..4].copy_from_slice(&v4.octets());
                Octets(bytes, 4)
            }
            IpAddr::V6(v6) => Octets(v6.octets(), 16),
        }
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

fn is_trusted(address: IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|net| net.contains(&address))
}

/// Walks from the proxy nearest to us towards the client.
fn last_untrusted(
    peer: IpAddr,
    hops: impl Iterator<Item = Option<IpAddr>>,
    trusted: &[IpNet],
) -> IpAddr {
    let mut last = peer;
    for hop in hops {
        let Some(address) = hop else { return last };
        last = address;
        if !is_trusted(address, trusted) {
            return last;
        }
    }
    last
}

/// One hop: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn hop_address(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?.trim();
    let address = if let Some(rest) = hop.strip_prefix('[') {
        let (inside, port) = rest.split_once(']')?;
        if !port.is_empty() && !is_port(port.strip_prefix(':')?) {
            return None;
        }
        inside
    } else {
        match hop.split_once(':') {
            Some((v4, port)) if !port.contains(':') => is_port(port).then_some(v4)?,
            _ => hop,
        }
    };
    address.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

fn is_port(text: &str) -> bool {
    // RFC 7239 also allows an obfuscated port, `_` and letters.
    !text.is_empty() && (text.starts_with('_') || text.bytes().all(|b| b.is_ascii_digit()))
}

/// The `for` of one RFC 7239 element.
fn forwarded_for(element: &[u8]) -> Option<IpAddr> {
    for pair in split_quoted(element, b';') {
        let pair = std::str::from_utf8(pair).ok()?;
        let Some((name, value)) = pair.split_once('=') else { continue };
        if !name.trim().eq_ignore_ascii_case("for") {
            continue;
        }
        let value = value.trim();
        let quoted = value.strip_prefix('"').and_then(|v| v.strip_suffix('"'));
        return hop_address(quoted.unwrap_or(value).as_bytes());
    }
    None
}

/// Splits at `separator` where it stands outside of quotes.
fn split_quoted(text: &[u8], separator: u8) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut escaped) = (0, false, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use http::{HeaderMap, HeaderName, HeaderValue};
    use ipnet::IpNet;
    use proptest::prelude::*;

    use super::ClientIp;

    fn trusted() -> Vec<IpNet> {
        ["10.0.0.0/8", "fd00::/8", "192.0.2.7/32"].iter().map(|n| n.parse().unwrap()).collect()
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in lines {
            let name: HeaderName = name.parse().unwrap();
            map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        map
    }

    #[track_caller]
    fn check(peer: &str, lines: &[(&str, &str)], expected: &str) {
        let found = ClientIp::find(peer.parse().unwrap(), &headers(lines), &trusted());
        assert_eq!(found.address(), expected.parse::<IpAddr>().unwrap());
    }

    #[test]
    fn the_peer_counts_unless_it_is_a_trusted_proxy() {
        const XFF: &str = "x-forwarded-for";
        check("203.0.113.5", &[(XFF, "198.51.100.1")], "203.0.113.5");
        check("::ffff:203.0.113.5", &[], "203.0.113.5");
        check("10.0.0.1", &[], "10.0.0.1");
        check("10.0.0.1", &[(XFF, "198.51.100.1")], "198.51.100.1");
        check("::ffff:10.0.0.1", &[(XFF, "::ffff:198.51.100.1")], "198.51.100.1");
        check("10.0.0.1", &[(XFF, "1.1.1.1, 198.51.100.1, 10.2.3.4")], "198.51.100.1");
        check("10.0.0.1", &[(XFF, "1.1.1.1"), (XFF, "198.51.100.1,10.2.3.4")], "198.51.100.1");
        check("10.0.0.1", &[(XFF, "198.51.100.1"), (XFF, "10.9.9.9")], "198.51.100.1");
        check("10.0.0.1", &[(XFF, "198.51.100.1:4711")], "198.51.100.1");
        check("10.0.0.1", &[(XFF, "[2001:db8::1]:443")], "2001:db8::1");
        check("10.0.0.1", &[(XFF, "2001:db8::1")], "2001:db8::1");
        check("fd00::1", &[(XFF, "10.1.1.1, 10.2.2.2")], "10.1.1.1");
        // Garbage hides what stands to its left.
        check("10.0.0.1", &[(XFF, "198.51.100.1, unknown, 10.2.2.2")], "10.2.2.2");
        check("10.0.0.1", &[(XFF, "198.51.100.1, ")], "10.0.0.1");
        check("10.0.0.1", &[(XFF, "198.51.100.1, [10.0.0.3")], "10.0.0.1");
        check("10.0.0.1", &[(XFF, "fe80::1%eth0")], "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_says() {
        const F: &str = "forwarded";
        check("10.0.0.1", &[(F, "for=198.51.100.1")], "198.51.100.1");
        check(
            "10.0.0.1",
            &[(F, "For=\"[2001:db8:cafe::17]:4711\";proto=https")],
            "2001:db8:cafe::17",
        );
        check("10.0.0.1", &[(F, "proto=http;by=10.0.0.9;for=198.51.100.1;host=a")], "198.51.100.1");
        check("10.0.0.1", &[(F, "for=1.1.1.1, for=198.51.100.1, for=10.3.3.3")], "198.51.100.1");
        check("10.0.0.1", &[(F, "for=1.1.1.1;host=\"a,b;c\\\"\", for=10.3.3.3")], "1.1.1.1");
        check("10.0.0.1", &[(F, "for=1.1.1.1"), (F, "for=10.3.3.3")], "1.1.1.1");
        check("10.0.0.1", &[(F, "for=1.1.1.1, for=_hidden, for=10.3.3.3")], "10.3.3.3");
        check("10.0.0.1", &[(F, "for=1.1.1.1, for=unknown")], "10.0.0.1");
        check("10.0.0.1", &[(F, "for=1.1.1.1, proto=https")], "10.0.0.1");
        check("10.0.0.1", &[(F, "for=\"192.0.2.43:_gazonk\"")], "192.0.2.43");
        // One road is enough: the other header is not consulted.
        check("10.0.0.1", &[(F, "for=6.6.6.6"), ("x-forwarded-for", "1.1.1.1")], "1.1.1.1");
    }

    fn hop() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<[u8; 4]>().prop_map(IpAddr::from),
            any::<[u8; 16]>().prop_map(|b| IpAddr::from(b).to_canonical()),
            (1u8..255).prop_map(|n| IpAddr::from([10, 0, 0, n])),
        ]
    }

    fn find(peer: IpAddr, lines: &[String]) -> IpAddr {
        let lines: Vec<_> = lines.iter().map(|l| ("x-forwarded-for", l.as_str())).collect();
        ClientIp::find(peer, &headers(&lines), &trusted()).address()
    }

    proptest! {
        #[test]
        fn a_trusted_hop_is_never_chosen_over_an_untrusted_one(
            hops in prop::collection::vec(hop(), 1..8),
        ) {
            let line = hops.iter().map(|h| h.to_string()).collect::<Vec<_>>().join(", ");
            let found = find("10.0.0.1".parse().unwrap(), &[line]);
            let is_trusted = |h: &IpAddr| super::is_trusted(*h, &trusted());
            prop_assert_eq!(is_trusted(&found), hops.iter().all(is_trusted));
        }

        #[test]
        fn what_the_client_puts_in_front_changes_nothing(
            spoofed in "[ -~]{0,60}", client in hop(),
            proxies in prop::collection::vec(1u8..255, 0..3),
        ) {
            prop_assume!(!super::is_trusted(client, &trusted()));
            let proxies: String = proxies.iter().map(|n| format!(", 10.1.0.{n}")).collect();
            let honest = format!("{client}{proxies}");
            let peer = "10.0.0.1".parse().unwrap();
            prop_assert_eq!(find(peer, std::slice::from_ref(&honest)), client);
            prop_assert_eq!(find(peer, &[format!("{spoofed}, {honest}")]), client);
            prop_assert_eq!(find(peer, &[spoofed, honest]), client);
        }

        #[test]
        fn an_untrusted_peer_cannot_speak_for_others(peer in hop(), line in "[ -~]{0,80}") {
            prop_assume!(!super::is_trusted(peer, &trusted()));
            prop_assert_eq!(find(peer, &[line]), peer);
        }

        #[test]
        fn no_header_makes_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..120), old in any::<bool>(),
        ) {
            let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
            let name = if old { "x-forwarded-for" } else { "forwarded" };
            let mut map = HeaderMap::new();
            map.append(name, value);
            ClientIp::find("10.0.0.1".parse().unwrap(), &map, &trusted());
        }
    }
}
