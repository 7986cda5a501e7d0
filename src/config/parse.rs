//! Texts into values. Each error says what the text should look like.

use std::net::SocketAddr;
use std::time::Duration;

use ipnet::IpNet;
use url::Url;

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "use an address and a port, such as 127.0.0.1:8080".to_owned())
}

/// A bare address is a network of one.
pub(super) fn network(text: &str) -> Result<IpNet, String> {
    let network = text.parse().ok();
    network
        .or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
        .map(|network| network.trunc())
        .ok_or_else(|| "use an address or a network, such as 10.0.0.0/8".to_owned())
}

/// `http` or `https`, with nothing after the path.
pub(super) fn url(text: &str) -> Result<Url, String> {
    let problem = || "use a URL such as https://stats.example.org".to_owned();
    let url = Url::parse(text).map_err(|_| problem())?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            "take user and password out of the URL; they have settings of their own".to_owned()
        );
    }
    let plain = url.query().is_none() && url.fragment().is_none();
    match matches!(url.scheme(), "http" | "https") && url.has_host() && plain {
        true => Ok(url),
        false => Err(problem()),
    }
}

/// A URL of plain http: the ClickHouse client is built without TLS.
pub(super) fn http_url(text: &str) -> Result<Url, String> {
    let url = url(text)?;
    match url.scheme() {
        "http" => Ok(url),
        _ => {
            Err("use http:// over a private network, or a local proxy that does TLS; https is not \
                  built in"
                .to_owned())
        }
    }
}

/// A URL without a path.
pub(super) fn origin(text: &str) -> Result<Url, String> {
    let url = url(text)?;
    match url.path() == "/" {
        true => Ok(url),
        false => {
            Err("use a URL without a path; tallyhouse needs a host name of its own".to_owned())
        }
    }
}

pub(super) fn path(text: &str) -> Result<String, String> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
    match text.len() > 1 && text.starts_with('/') && text.bytes().all(allowed) {
        true => Ok(text.to_owned()),
        false => Err("use a path such as /api/note (letters, digits, / - _ . ~)".to_owned()),
    }
}

pub(super) fn rate(text: &str) -> Result<u32, String> {
    let rate = text.parse().ok().filter(|&rate: &u32| rate > 0);
    rate.ok_or_else(|| "use a whole number of 1 or more".to_owned())
}

/// `100ms`, `2s`, `5m`; always with its unit.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = number_and_unit(text);
    let unit_ms = match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        _ => None,
    };
    let ms = number.zip(unit_ms).and_then(|(number, unit)| number.checked_mul(unit));
    ms.map(Duration::from_millis).ok_or_else(|| "use a duration such as 100ms or 1s".to_owned())
}

/// `20GiB`, `512MiB`, `1GB`, or plain bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let (number, unit) = number_and_unit(text);
    let unit_bytes = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        "tb" => Some(1_000_000_000_000),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1 << 30),
        "t" | "tib" => Some(1_u64 << 40),
        _ => None,
    };
    let bytes = number.zip(unit_bytes).and_then(|(number, unit)| number.checked_mul(unit));
    bytes.ok_or_else(|| "use a size such as 20GiB, 512MiB or 1000000 (bytes)".to_owned())
}

/// Seconds, signed, with or without `s`; in milliseconds.
pub(super) fn offset_ms(text: &str) -> Result<i64, String> {
    let seconds: Option<i64> = text.strip_suffix('s').unwrap_or(text).parse().ok();
    let ms = seconds.and_then(|seconds| seconds.checked_mul(1_000));
    ms.ok_or_else(|| "use seconds, such as -3600".to_owned())
}

/// A name that needs no quotes in SQL.
pub(super) fn identifier(text: &str) -> Result<String, String> {
    let letters = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    match text.len() <= 64
        && text.bytes().all(letters)
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && !text.is_empty()
    {
        true => Ok(text.to_owned()),
        false => Err("use letters, digits and _".to_owned()),
    }
}

/// What `tracing` understands, but not a lone word that is no level: `infoo` would log nothing.
pub(super) fn log_filter(text: &str) -> Result<String, String> {
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    let words = text.split(',').map(str::trim);
    let known = |word: &str| {
        word.contains(['=', ':', '[']) || levels.contains(&word) || word == "tallyhouse"
    };
    let fits = tracing_subscriber::EnvFilter::try_new(text).is_ok();
    match fits && words.into_iter().all(known) {
        true => Ok(text.to_owned()),
        false => {
            let near = super::nearest::hint(text, levels);
            Err(format!(
                "use error, warn, info, debug or a filter such as tallyhouse::drain=debug{near}"
            ))
        }
    }
}

fn number_and_unit(text: &str) -> (Option<u64>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    (number.parse().ok(), unit.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T: PartialEq + std::fmt::Debug>(
        parse: fn(&str) -> Result<T, String>,
        right: &[(&str, T)],
        wrong: &[&str],
    ) {
        for (text, value) in right {
            assert_eq!(parse(text).as_ref(), Ok(value), "{text}");
        }
        for text in wrong {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn values_are_read_with_their_units() {
        let ms = Duration::from_millis;
        check(duration, &[("100ms", ms(100)), ("1s", ms(1000))], &["", "100", "ms", "1.5s", "-1s"]);
        let sizes = [("20GiB", 20 << 30), ("512 MiB", 512 << 20), ("7", 7), ("1gb", 1_000_000_000)];
        check(size, &sizes, &["", "GiB", "1XB", "-1", "99999999999TiB"]);
        check(offset_ms, &[("-3600", -3_600_000), ("90s", 90_000), ("0", 0)], &["", "1h", "s"]);
        check(rate, &[("1", 1), ("25000", 25_000)], &["0", "-1", "many", "5000000000"]);
    }

    #[test]
    fn addresses_and_urls() {
        check(address, &[], &["localhost:80", ":80", "127.0.0.1", "80"]);
        let nets =
            [("10.1.2.3/8", "10.0.0.0/8".parse().unwrap()), ("::1", "::1/128".parse().unwrap())];
        check(network, &nets, &["10.0.0.0/33", "proxy.example"]);
        assert!(origin("https://stats.example.org").is_ok());
        let wrong = [
            "stats.example.org",
            "ftp://a.example",
            "https://a.example/x",
            "https://u:p@a.example",
            "https://a.example?x",
        ];
        check(origin, &[], &wrong);
        check(path, &[("/a/b.c", "/a/b.c".to_owned())], &["", "/", "a", "/a?b", "/a b"]);
        check(identifier, &[("t_1", "t_1".to_owned())], &["", "1t", "a-b", "a b"]);
    }

    #[test]
    fn log_filters() {
        for right in ["info", "warn,tallyhouse::drain=debug", "off"] {
            assert!(log_filter(right).is_ok(), "{right}");
        }
        assert!(log_filter("infoo").unwrap_err().contains("did you mean info?"));
        assert!(log_filter("a=b=c").is_err());
    }
}
