//! Time series without holes: every step of the range is there, zeros included, up to the horizon.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::dashboard::range::{Interval, Range};
use crate::hours::{Day, Hour, Zone};
use crate::store::query::timeseries::{DayPoint, HourPoint};
use crate::store::query::totals::Totals;

/// One point per local hour of the range that is closed whole.
pub(super) fn hours(
    rows: &[HourPoint],
    zone: &Zone,
    range: &Range,
    closed_until: Hour,
) -> Vec<Value> {
    let known: BTreeMap<u32, Totals> = rows.iter().map(|row| (row.hour_s, of_hour(row))).collect();
    let start_ms = zone.day_start_ms(range.from);
    let end_ms = zone.day_start_ms(range.until).min(closed_until.start_ms());
    let mut points = Vec::new();
    let mut at_ms = start_ms;
    while at_ms < end_ms {
        let label = zone.local(at_ms);
        let hour_ms = i64::from(label.hour_s) * 1000;
        // The next label begins an hour on, or earlier where a daylight-saving step cuts one short.
        let next_ms = next_label(zone, at_ms);
        if next_ms <= closed_until.start_ms() {
            points.push(point(zone.rfc3339(hour_ms.max(start_ms)), known.get(&label.hour_s)));
        }
        at_ms = next_ms;
    }
    points
}

/// The first instant after `at_ms`, in steps of 15 minutes, that carries another hour's label: all
/// offsets in use and all daylight-saving steps are multiples of 15 minutes.
fn next_label(zone: &Zone, at_ms: i64) -> i64 {
    const STEP_MS: i64 = 15 * 60 * 1000;
    let label = zone.local(at_ms).hour_s;
    let mut next = at_ms - at_ms.rem_euclid(STEP_MS) + STEP_MS;
    while zone.local(next).hour_s == label {
        next += STEP_MS;
    }
    next
}

/// One point per day, week (from Monday) or month; the visitors of days add up.
pub(super) fn days(rows: &[DayPoint], range: &Range, interval: Interval) -> Vec<Value> {
    let mut sums: BTreeMap<Day, Totals> = BTreeMap::new();
    for day in range.from.0..range.until.0 {
        sums.entry(first_of(Day(day), interval)).or_default();
    }
    for row in rows {
        let day = Totals {
            visitors: row.visitors,
            visits: row.visits,
            views: row.views,
            events: row.events,
            bounces: row.bounces,
            duration_ms: row.duration_ms,
            engaged_ms: 0,
        };
        add(sums.entry(first_of(Day(row.day), interval)).or_default(), &day);
    }
    sums.iter().map(|(day, totals)| point(day.to_string(), Some(totals))).collect()
}

fn first_of(day: Day, interval: Interval) -> Day {
    match interval {
        Interval::Hour | Interval::Day => day,
        // 1970-01-01 was a Thursday.
        Interval::Week => Day(day.0.saturating_sub((day.0 + 3) % 7)),
        Interval::Month => Day(day.0 - u16::from(day.of_month() - 1)),
    }
}

/// Adds the figures of another time.
pub(super) fn add(sum: &mut Totals, more: &Totals) {
    sum.visitors += more.visitors;
    sum.visits += more.visits;
    sum.views += more.views;
    sum.events += more.events;
    sum.bounces += more.bounces;
    sum.duration_ms += more.duration_ms;
    sum.engaged_ms += more.engaged_ms;
}

fn of_hour(row: &HourPoint) -> Totals {
    Totals {
        visitors: row.visitors,
        visits: row.visits,
        views: row.views,
        events: row.events,
        bounces: row.bounces,
        duration_ms: row.duration_ms,
        engaged_ms: 0,
    }
}

fn point(t: String, totals: Option<&Totals>) -> Value {
    let totals = totals.copied().unwrap_or_default();
    json!({
        "t": t, "visitors": totals.visitors, "visits": totals.visits, "views": totals.views,
        "events": totals.events, "bounces": totals.bounces, "duration_ms": totals.duration_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::{Interval, first_of, hours};
    use crate::dashboard::range::Range;
    use crate::hours::{Day, Hour, Zone};

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        let check = |at: &str, interval, expected: &str| {
            assert_eq!(first_of(day(at), interval).to_string(), expected);
        };
        check("2026-11-22", Interval::Week, "2026-11-16");
        check("2026-11-23", Interval::Week, "2026-11-23");
        check("2026-11-22", Interval::Month, "2026-11-01");
        check("2024-02-29", Interval::Month, "2024-02-01");
        check("2026-11-22", Interval::Day, "2026-11-22");
    }

    fn count(zone: &str, from: &str, until: &str, closed: &str) -> usize {
        let range = Range { from: day(from), until: day(until), today: day(until) };
        let closed: jiff::Timestamp = closed.parse().unwrap();
        hours(&[], &Zone::named(zone).unwrap(), &range, Hour::of_ms(closed.as_millisecond())).len()
    }

    #[test]
    fn a_day_has_its_own_number_of_hours() {
        let late = "2027-01-01T00:00:00Z";
        assert_eq!(count("Europe/Berlin", "2026-03-29", "2026-03-30", late), 23);
        assert_eq!(count("Europe/Berlin", "2026-10-25", "2026-10-26", late), 25);
        assert_eq!(count("Asia/Kolkata", "2026-03-29", "2026-03-30", late), 24);
        // Kolkata's local hours end at half past: the one that is closed in part is left out.
        assert_eq!(count("Asia/Kolkata", "2026-03-29", "2026-03-30", "2026-03-28T20:00:00Z"), 1);
    }
}
