//! The page a visitor came from: its host and path, in one form for all spellings. Scheme, port,
//! query and fragment go; so does `www.`.

use std::borrow::Cow;

use url::Url;

use crate::ingest::enrich::cut;

/// Longest referrer kept; longer ones are cut, since nothing depends on their end.
const REFERRER_BYTES_MAX: usize = 500;

/// A referring page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::ingest) struct Referrer<'a> {
    text: Cow<'a, str>,
    host_length: usize,
}

impl<'a> Referrer<'a> {
    /// Reads an address; what is none, or comes from no other place, is no referrer.
    pub(in crate::ingest) fn parse(text: &'a str) -> Option<Referrer<'a>> {
        Referrer::scan(text).or_else(|| Referrer::reference(text))
    }

    /// Host without `www.`, then path without a slash at its end.
    pub(in crate::ingest) fn text(&self) -> &str {
        &self.text
    }

    pub(in crate::ingest) fn host(&self) -> &str {
        &self.text[..self.host_length]
    }

    /// Nearly all referrers are a plain host, with a plain path or none.
    fn scan(text: &'a str) -> Option<Referrer<'a>> {
        let (scheme, rest) = text.split_once("://")?;
        if !matches!(scheme, "https" | "http" | "android-app") {
            return None;
        }
        let rest = rest.split(['?', '#']).next().unwrap_or(rest);
        let host_length = rest.find('/').unwrap_or(rest.len());
        let (host, path) = rest.split_at(host_length);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._".contains(&b);
        if host.is_empty() || !host.bytes().all(plain) || host.ends_with('.') {
            return None;
        }
        if !path.bytes().all(|b| b.is_ascii_graphic()) {
            return None;
        }
        let rest = without_www(rest);
        let host_length = rest.find('/').unwrap_or(rest.len());
        Some(Referrer { text: shorten(rest).into(), host_length })
    }

    fn reference(text: &str) -> Option<Referrer<'a>> {
        let url = Url::parse(text).ok()?;
        if !matches!(url.scheme(), "https" | "http" | "android-app") {
            return None;
        }
        let host = url.host_str()?.to_ascii_lowercase();
        let host = without_www(host.strip_suffix('.').unwrap_or(&host));
        if host.is_empty() {
            return None;
        }
        let text = format!("{host}{}", url.path());
        Some(Referrer { text: shorten(&text).to_owned().into(), host_length: host.len() })
    }
}

pub(in crate::ingest) fn without_www(host: &str) -> &str {
    host.strip_prefix("www.").filter(|rest| rest.contains('.')).unwrap_or(host)
}

fn shorten(text: &str) -> &str {
    let text = cut(text, REFERRER_BYTES_MAX);
    text.strip_suffix('/').unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::Referrer;

    #[track_caller]
    fn check(text: &str, host: &str, kept: &str) {
        let referrer = Referrer::parse(text).expect(text);
        assert_eq!((referrer.host(), referrer.text()), (host, kept));
    }

    #[test]
    fn one_form_for_all_spellings() {
        check("https://www.google.com/", "google.com", "google.com");
        check("https://t.co/AbC", "t.co", "t.co/AbC");
        check("https://news.example/a/b/?id=5#x", "news.example", "news.example/a/b");
        check("HTTPS://WWW.Example.ORG:8080/A", "example.org", "example.org/A");
        check("https://example.org?q=secret", "example.org", "example.org");
        check("http://www.example.org./", "example.org", "example.org");
        check("https://user:pw@example.org/x", "example.org", "example.org/x");
        check("https://bücher.example/ü", "xn--bcher-kva.example", "xn--bcher-kva.example/%C3%BC");
        check(
            "android-app://com.google.android.gm/",
            "com.google.android.gm",
            "com.google.android.gm",
        );
        check("https://www.com/", "www.com", "www.com");
        let long = format!("https://example.org/{}", "x".repeat(900));
        assert_eq!(Referrer::parse(&long).unwrap().text().len(), 500);
    }

    #[test]
    fn what_is_no_page_is_no_referrer() {
        for text in [
            "",
            "example.org",
            "about:blank",
            "file:///x",
            "https://",
            "data:x",
            "chrome://newtab/",
        ] {
            assert_eq!(Referrer::parse(text), None, "{text}");
        }
    }
}
