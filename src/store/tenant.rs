//! The tenant-first WHERE: every report names a table of ours only together with `WHERE @sealed` or
//! `WHERE @open`, which name the site and the days (I9). Checked when the program is compiled.

/// Sealed days: `daily_*`, `hourly_*`, `visits`.
const SEALED: &str = "(site_id = {site:UInt32} AND day >= {from:Date} AND day < {until:Date} \
                      AND day <= {sealed:Date})";
/// Closed hours of days not sealed yet: `open_*`.
const OPEN: &str = "(site_id = {site:UInt32} AND day >= {from:Date} AND day < {until:Date} \
                    AND day > {sealed:Date} AND bucket < {horizon:DateTime('UTC')})";

/// How the names of our tables start, wherever they stand.
const TABLES: &[&[u8]] = &[b"daily_", b"open_", b"hourly_", b"progress", b"migrations"];
/// Tables that are also columns: tables where FROM or JOIN stands before them.
const AMBIGUOUS: &[&[u8]] = &[b"visits", b"events"];

/// The SQL that ClickHouse gets.
pub(super) fn expand(sql: &str) -> String {
    sql.replace("@sealed", SEALED).replace("@open", OPEN)
}

/// Whether each of our tables in `sql` is followed at once by its `WHERE @sealed` or `WHERE @open`, whether
/// nothing beside it can widen it (`OR` at the same depth), and whether there is one at all.
pub(super) const fn is_guarded(sql: &str) -> bool {
    let text = sql.as_bytes();
    let mut at = 0;
    let mut guards = 0;
    let mut source = false; // the word before was FROM or JOIN
    while at < text.len() {
        if !is_word(text[at]) {
            source = source && (text[at].is_ascii_whitespace() || text[at] == b'.');
            at += 1;
            continue;
        }
        let end = skip_word(text, at);
        if is_table(text, at, end, source) {
            let open = starts(text, at, b"open_");
            match guard_end(text, skip_space(text, end), open) {
                Some(end) if narrow(text, end) => guards += 1,
                _ => return false,
            }
        }
        let qualifies = source && end < text.len() && text[end] == b'.';
        source = qualifies || is(text, at, end, b"from") || is(text, at, end, b"join");
        at = end;
    }
    guards > 0
}

const fn is_table(text: &[u8], at: usize, end: usize, source: bool) -> bool {
    let mut i = 0;
    while i < TABLES.len() {
        if starts(text, at, TABLES[i]) {
            return true;
        }
        i += 1;
    }
    i = 0;
    while i < AMBIGUOUS.len() {
        if source && is(text, at, end, AMBIGUOUS[i]) {
            return true;
        }
        i += 1;
    }
    false
}

/// The end of `WHERE @open` or else `WHERE @sealed` at `at`.
const fn guard_end(text: &[u8], at: usize, open: bool) -> Option<usize> {
    let end = skip_word(text, at);
    if !is(text, at, end, b"where") {
        return None;
    }
    let mark = skip_space(text, end);
    if mark >= text.len() || text[mark] != b'@' {
        return None;
    }
    let end = skip_word(text, mark + 1);
    let wanted: &[u8] = if open { b"open" } else { b"sealed" };
    if is(text, mark + 1, end, wanted) { Some(end) } else { None }
}

/// Whether no `OR` stands at this depth until the clause ends.
const fn narrow(text: &[u8], from: usize) -> bool {
    let mut at = from;
    let mut depth = 0;
    while at < text.len() {
        match text[at] {
            b'(' => depth += 1,
            b')' if depth == 0 => return true,
            b')' => depth -= 1,
            _ => {}
        }
        let end = skip_word(text, at);
        if depth == 0 && is(text, at, end, b"or") {
            return false;
        }
        at = if end > at { end } else { at + 1 };
    }
    true
}

const fn starts(text: &[u8], at: usize, what: &[u8]) -> bool {
    if at + what.len() > text.len() {
        return false;
    }
    let mut i = 0;
    while i < what.len() {
        if text[at + i] != what[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// Whether the word at `at..end` is `what` (lower case), however it is written.
const fn is(text: &[u8], at: usize, end: usize, what: &[u8]) -> bool {
    if end - at != what.len() {
        return false;
    }
    let mut i = 0;
    while i < what.len() {
        if text[at + i].to_ascii_lowercase() != what[i] {
            return false;
        }
        i += 1;
    }
    true
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

const fn skip_space(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && text[at].is_ascii_whitespace() {
        at += 1;
    }
    at
}

const fn skip_word(text: &[u8], mut at: usize) -> usize {
    while at < text.len() && is_word(text[at]) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{expand, is_guarded};

    fn check(sql: &str, guarded: bool) {
        assert_eq!(is_guarded(sql), guarded, "{sql}");
    }

    #[test]
    fn every_table_needs_its_guard() {
        check("SELECT sum(views) FROM daily_pages WHERE @sealed GROUP BY pathname", true);
        check("SELECT 1 FROM open_visits\nWHERE @open AND visits > 0", true);
        check(
            "SELECT a FROM (SELECT a FROM daily_totals WHERE @sealed UNION ALL SELECT a FROM open_hours WHERE @open)",
            true,
        );
        check("SELECT visits, d.events FROM daily_totals WHERE @sealed AND (a = 1 OR b = 2)", true);
        check("SELECT 1", false);
        check("SELECT 1 FROM daily_pages", false);
        check("SELECT 1 FROM daily_pages WHERE site_id = 1", false);
        check("SELECT 1 FROM daily_pages WHERE day > 1 AND @sealed", false);
        check("SELECT 1 FROM daily_pages WHERE @sealed_not", false);
        check("SELECT 1 FROM daily_pages WHERE @sealed UNION ALL SELECT 1 FROM visits", false);
        check("SELECT 1 FROM tallyhouse.daily_pages", false);
        check("SELECT 1 FROM tallyhouse.visits", false);
        check("SELECT sum(d.visits) FROM daily_pages WHERE @open", false);
        check("SELECT 1 FROM open_hours WHERE @sealed", false);
        check("SELECT 1 FROM progress", false);
        check("SELECT 1 from events join visits using x", false);
        check("SELECT 1 FROM (SELECT 1 FROM visits WHERE @sealed), daily_pages", false);
    }

    #[test]
    fn nothing_may_widen_a_guard() {
        check("SELECT 1 FROM daily_pages WHERE @sealed OR 1", false);
        check("SELECT 1 FROM daily_pages WHERE @sealed AND a = 1 or b = 2", false);
        check("SELECT 1 FROM (SELECT 1 FROM visits WHERE @sealed) WHERE a = 1 OR b = 2", true);
    }

    #[test]
    fn joined_tables_are_guarded_too() {
        check("SELECT 1 FROM visits WHERE @sealed AND x IN (SELECT x FROM events)", false);
        check("SELECT 1 FROM (SELECT 1 FROM visits WHERE @sealed) JOIN daily_pages USING x", false);
    }

    #[test]
    fn a_guard_names_site_and_days() {
        let sql = expand("SELECT 1 FROM open_hours WHERE @open");
        assert!(sql.contains("site_id = {site:UInt32}") && sql.contains("{horizon:"), "{sql}");
        assert!(!sql.contains('@'));
    }
}
