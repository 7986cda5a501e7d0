//! The statements of the closer. Each is a file; shared fragments stand in it as `@name`.

use std::sync::LazyLock;

use crate::event::{Channel, DeviceKind, Screen};
use crate::limits;

/// What a close runs, in order.
pub(super) static CLOSE: LazyLock<Vec<String>> = LazyLock::new(|| {
    [
        include_str!("close/visits.sql"),
        include_str!("close/hours.sql"),
        include_str!("close/pages.sql"),
        include_str!("close/events.sql"),
    ]
    .map(|text| render(&text.replace("@split", &split(&open_slots())).replace("@slot", SLOT)))
    .into()
});

/// What a seal runs, in order: `visits` first, for others are made from it.
pub(super) static SEAL: LazyLock<Vec<String>> = LazyLock::new(|| {
    [
        include_str!("seal/visits.sql"),
        include_str!("seal/hours.sql"),
        include_str!("seal/totals.sql"),
        include_str!("seal/pages.sql"),
        include_str!("seal/sources.sql"),
        include_str!("seal/places.sql"),
        include_str!("seal/devices.sql"),
        include_str!("seal/events.sql"),
    ]
    .map(|text| {
        let slots = include_str!("slots.sql").replace("@more", SEALED_MORE);
        let slot = format!("{}, {SEALED_SLOT}", SLOT.trim_end_matches(')'));
        render(&text.replace("@split", &split(&slots)).replace("@slot", &slot))
    })
    .into()
});

/// A query of the closer with its fragments in place.
pub(super) fn query(text: &str) -> String {
    fragments(text)
}

/// What a quarter of an hour of one visitor holds; see `slots.sql`.
const SLOT: &str = "Tuple(first_ms Int64, last_ms Int64, views UInt64, events UInt64, \
     actions UInt64, engaged_ms UInt64, entry String, exit String, attributes String, carried UInt8)";

/// Only a sealed visit keeps its path and its goals.
const SEALED_SLOT: &str = "pages Array(Tuple(UInt128, String)), goals Array(String))";
const SEALED_MORE: &str = ",
    groupArraySortedIf(100)((place, pathname), name = 'pageview'),
    groupUniqArrayIf(100)(name, name NOT IN ('pageview', 'engagement'))";

fn open_slots() -> String {
    let raw = include_str!("slots.sql").replace("@more", "");
    format!("{raw}{}", include_str!("close/carry.sql"))
}

fn split(slots: &str) -> String {
    include_str!("split.sql").replace("@slots", slots)
}

fn fragments(text: &str) -> String {
    text.replace("@facts", include_str!("facts.sql").trim_end())
        .replace("@raw", include_str!("raw.sql").trim_end())
        .replace("@of_day", include_str!("of_day.sql").trim_end())
        .replace("@stored", include_str!("stored.sql").trim_end())
}

/// Bounds what an `INSERT … SELECT` may take; a large `GROUP BY` goes to disk before it fails.
fn render(text: &str) -> String {
    let text = fragments(text)
        .replace("@channel", &Channel::names_sql("toInt8OrZero(a[2])"))
        .replace("@device", &DeviceKind::names_sql("toInt8OrZero(a[3])"))
        .replace("@screen", &Screen::names_sql("toInt8OrZero(a[4])"));
    format!(
        "{}\nSETTINGS max_memory_usage = {}, max_bytes_before_external_group_by = {}, \
         max_bytes_before_external_sort = {}",
        text.trim_end(),
        limits::CLOSE_BYTES_MAX,
        limits::CLOSE_BYTES_MAX / 3,
        limits::CLOSE_BYTES_MAX / 3,
    )
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_placeholder_is_left() {
        for sql in super::CLOSE.iter().chain(super::SEAL.iter()) {
            assert!(!sql.contains('@'), "{sql}");
        }
    }
}
