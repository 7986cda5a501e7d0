//! Which lines of an access log are page views, and why the others are not.

use super::line::Line;

/// Why a line is no page view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Skip {
    /// Not in the combined log format.
    Malformed,
    /// Another method than GET.
    Method,
    /// Another status than 200 and 304.
    Status,
    /// A picture, a script, a feed: the last path segment has a suffix that is no page's.
    Asset,
    /// The user agent is junk by the same gate as live hits.
    Gate,
    /// The user agent is a bot's.
    Bot,
    /// The site's owner excluded the address, country or page.
    Excluded,
    /// More than a day in the future.
    Future,
}

impl Skip {
    /// Every reason, in the order of the summary.
    pub const ALL: [Skip; 8] = [
        Skip::Method,
        Skip::Status,
        Skip::Asset,
        Skip::Gate,
        Skip::Bot,
        Skip::Excluded,
        Skip::Future,
        Skip::Malformed,
    ];

    /// As the summary names it.
    pub fn as_str(self) -> &'static str {
        match self {
            Skip::Malformed => "malformed",
            Skip::Method => "not GET",
            Skip::Status => "status not 200 or 304",
            Skip::Asset => "not a page",
            Skip::Gate => "junk user agent",
            Skip::Bot => "bot",
            Skip::Excluded => "excluded by the site",
            Skip::Future => "in the future",
        }
    }
}

/// Suffixes of pages; any other suffix makes an asset.
const PAGE_SUFFIXES: [&str; 5] = [".html", ".htm", ".php", ".aspx", ".jsp"];

/// The rules that need only the line itself; the user agent's come after them.
pub(super) fn skip(line: &Line<'_>) -> Option<Skip> {
    if line.method != "GET" {
        return Some(Skip::Method);
    }
    if !matches!(line.status, 200 | 304) {
        return Some(Skip::Status);
    }
    (!is_page(path(&line.target))).then_some(Skip::Asset)
}

/// A target without its query and fragment.
pub(super) fn path(target: &str) -> &str {
    &target[..target.find(['?', '#']).unwrap_or(target.len())]
}

fn is_page(path: &str) -> bool {
    let last = path.rsplit('/').next().unwrap_or("").to_ascii_lowercase();
    !last.contains('.') || PAGE_SUFFIXES.iter().any(|s| last.ends_with(s))
}

#[cfg(test)]
mod tests {
    use super::{Skip, is_page, path, skip};
    use crate::import::line;

    #[test]
    fn pages_and_assets() {
        for page in
            ["/", "/a", "/a/", "/a.b/c", "/index.html", "/INDEX.HTM", "/x.php", "/y.aspx", "/z.jsp"]
        {
            assert!(is_page(path(page)), "{page}");
        }
        for query in ["/a?v=1.2", "/a#x.png", "/?p=/x.js"] {
            assert!(is_page(path(query)), "{query}");
        }
        for asset in ["/a.png", "/a/b.js?x", "/feed.xml", "/.well-known", "/robots.txt", "/x.htmlx"]
        {
            assert!(!is_page(path(asset)), "{asset}");
        }
    }

    #[test]
    fn method_and_status_come_first() {
        let of = |request: &str, status: u16| {
            let text =
                format!(r#"h - - [17/May/2015:10:05:03 +0000] "{request}" {status} 1 "-" "a""#);
            skip(&line::parse(text.as_bytes()).unwrap())
        };
        assert_eq!(of("POST /a.png HTTP/1.1", 404), Some(Skip::Method));
        assert_eq!(of("GET /a.png HTTP/1.1", 404), Some(Skip::Status));
        assert_eq!(of("GET /a.png HTTP/1.1", 200), Some(Skip::Asset));
        assert_eq!(of("GET /a HTTP/1.1", 304), None);
        assert_eq!(of("GET /a", 200), None);
    }
}
