//! What a hit tells about the visitor's place, device and road here. Pure functions over tables; a
//! request's part is done once per post, a page's once per event.

use crate::event::Screen;

pub(super) mod agent;
pub(super) mod bot;
pub(super) mod channel;
pub(super) mod geo;
pub(super) mod network;
pub(super) mod referrer;
pub(super) mod sources;
pub(super) mod url;

#[cfg(test)]
mod attribution_tests;

/// The class of a viewport's width in CSS pixels; 0 is unknown.
pub(super) fn screen(width: u32) -> Screen {
    match width {
        0 => Screen::Unknown,
        1..576 => Screen::Mobile,
        576..992 => Screen::Tablet,
        992..1440 => Screen::Laptop,
        _ => Screen::Desktop,
    }
}

/// The language a browser asks for first, as two or three letters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Language([u8; 3]);

impl Language {
    /// Reads `Accept-Language`; its first entry is the preferred one in every browser.
    pub(super) fn preferred(header: &[u8]) -> Language {
        let tag = header.trim_ascii_start();
        let letters = tag.iter().take_while(|b| b.is_ascii_alphabetic()).count();
        let ends = tag.get(letters).is_none_or(|b| b"-,;_ ".contains(b));
        let mut code = [0; 3];
        if ends && (2..=3).contains(&letters) {
            code[..letters].copy_from_slice(&tag[..letters]);
            code.make_ascii_lowercase();
        }
        Language(code)
    }

    pub(super) fn as_str(&self) -> &str {
        let length = self.0.iter().position(|b| *b == 0).unwrap_or(3);
        std::str::from_utf8(&self.0[..length]).expect("only ASCII letters are kept")
    }
}

/// The front of a text that is at most `bytes_max` long and ends between two characters.
pub(super) fn cut(text: &str, bytes_max: usize) -> &str {
    if text.len() <= bytes_max {
        return text;
    }
    let mut end = bytes_max;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// The lines of a data file that say something.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::{Language, cut, screen};
    use crate::event::Screen;

    #[test]
    fn widths() {
        let classes = [0, 1, 575, 576, 991, 992, 1439, 1440, 9999].map(screen);
        use Screen::{Desktop, Laptop, Mobile, Tablet, Unknown};
        let expected = [Unknown, Mobile, Mobile, Tablet, Tablet, Laptop, Laptop, Desktop, Desktop];
        assert_eq!(classes, expected);
    }

    #[test]
    fn languages() {
        for (header, expected) in [
            ("de-DE,de;q=0.9,en;q=0.8", "de"),
            ("en", "en"),
            ("EN-us", "en"),
            ("fil-PH", "fil"),
            ("zh_CN", "zh"),
            (" pt;q=1", "pt"),
            ("*", ""),
            ("", ""),
            ("x", ""),
            ("deutsch", ""),
            ("d3", ""),
            ("en\u{e9}", ""),
        ] {
            assert_eq!(Language::preferred(header.as_bytes()).as_str(), expected, "{header}");
        }
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("añb", 2), "a");
        assert_eq!(cut("añb", 3), "añ");
        assert_eq!(cut("añb", 9), "añb");
    }
}
