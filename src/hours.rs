//! Hours and days. A *bucket* is a UTC hour: what is closed. A site's own hours and days are labels
//! computed from its time zone, right for half-hour zones and through daylight saving.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 3_600_000;
/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// A UTC hour, counted since the Unix epoch: the unit that is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hour(pub u32);

impl Hour {
    /// The hour that holds this instant. Instants before 1970 count as the first hour.
    pub fn of_ms(ms: i64) -> Hour {
        Hour(u32::try_from(ms.max(0) / HOUR_MS).unwrap_or(u32::MAX))
    }

    /// Its first millisecond.
    pub fn start_ms(self) -> i64 {
        i64::from(self.0) * HOUR_MS
    }

    /// Its first second, as ClickHouse's DateTime wants it.
    pub fn start_s(self) -> u32 {
        self.0 * 3600
    }

    /// The hour after it.
    pub fn next(self) -> Hour {
        Hour(self.0 + 1)
    }

    /// The hour before it.
    pub fn previous(self) -> Hour {
        Hour(self.0.saturating_sub(1))
    }
}

/// A site-local calendar date, in days since 1970-01-01 (ClickHouse's Date).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u16);

impl Day {
    /// The UTC date of an instant.
    pub fn of_ms(ms: i64) -> Day {
        Day(u16::try_from(ms.max(0) / DAY_MS).unwrap_or(u16::MAX))
    }

    /// UTC midnight at its start, in milliseconds.
    pub fn start_ms(self) -> i64 {
        i64::from(self.0) * DAY_MS
    }

    /// The instant from which no time zone on Earth still has this date: UTC-12 is the last.
    pub fn over_everywhere_ms(self) -> i64 {
        self.start_ms() + DAY_MS + 12 * HOUR_MS
    }

    /// The first instant at which some time zone has this date: UTC+14 is the first.
    pub fn begins_somewhere_ms(self) -> i64 {
        self.start_ms() - 14 * HOUR_MS
    }

    /// The day after it.
    pub fn next(self) -> Day {
        Day(self.0 + 1)
    }

    /// Its place in its month, from 1.
    pub fn of_month(self) -> u8 {
        self.civil().day().unsigned_abs()
    }

    fn civil(self) -> jiff::civil::Date {
        jiff::civil::date(1970, 1, 1) + jiff::Span::new().days(i64::from(self.0))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.civil())
    }
}

impl std::str::FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Day, String> {
        let date: jiff::civil::Date =
            text.parse().map_err(|_| format!("`{text}` is not a date like 2026-01-31"))?;
        let days = date.since(jiff::civil::date(1970, 1, 1)).map_err(|e| e.to_string())?.get_days();
        u16::try_from(days).map(Day).map_err(|_| format!("`{text}` is out of range (1970 to 2149)"))
    }
}

/// When an instant is for a site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalTime {
    /// The UTC instant, in seconds, at which the site's local hour began.
    pub hour_s: u32,
    /// The site's local date.
    pub day: Day,
}

/// A site's time zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

impl Zone {
    /// Finds a zone by its IANA name, such as `Europe/Berlin`.
    ///
    /// # Errors
    /// The name is unknown.
    pub fn named(name: &str) -> Result<Zone, String> {
        TimeZone::get(name).map(Zone).map_err(|_| {
            format!("`{name}` is not a time zone; use an IANA name such as Europe/Berlin or UTC")
        })
    }

    /// UTC.
    pub fn utc() -> Zone {
        Zone(TimeZone::UTC)
    }

    /// The site-local hour and date of an instant.
    pub fn local(&self, ms: i64) -> LocalTime {
        let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
        let offset_s = i64::from(self.0.to_offset(at).seconds());
        let local_s = ms.div_euclid(1000) + offset_s;
        let hour_s = local_s.div_euclid(3600) * 3600 - offset_s;
        LocalTime { hour_s: hour_s.max(0) as u32, day: Day::of_ms(local_s.max(0) * 1000) }
    }

    /// An instant in this zone's time, such as `2026-11-22T13:00:00+01:00`.
    pub fn rfc3339(&self, ms: i64) -> String {
        let at = Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH);
        at.display_with_offset(self.0.to_offset(at)).to_string()
    }

    /// The first instant of a local date, in milliseconds.
    pub fn day_start_ms(&self, day: Day) -> i64 {
        let zoned = day.civil().to_zoned(self.0.clone());
        zoned.map_or(day.start_ms(), |z| z.timestamp().as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::{Day, Zone};

    fn check(zone: &str, at: &str, hour_began: &str, day: &str) {
        let zone = Zone::named(zone).unwrap();
        let at: jiff::Timestamp = at.parse().unwrap();
        let began: jiff::Timestamp = hour_began.parse().unwrap();
        let local = zone.local(at.as_millisecond());
        assert_eq!(i64::from(local.hour_s), began.as_second(), "hour of {at}");
        assert_eq!(local.day.to_string(), day, "day of {at}");
    }

    #[test]
    fn local_hours_and_days() {
        check("UTC", "2026-03-01T10:59:59Z", "2026-03-01T10:00:00Z", "2026-03-01");
        check("Asia/Kolkata", "2026-03-01T18:29:59Z", "2026-03-01T17:30:00Z", "2026-03-01");
        check("Asia/Kolkata", "2026-03-01T18:30:00Z", "2026-03-01T18:30:00Z", "2026-03-02");
        check("Asia/Kathmandu", "2026-03-01T18:20:00Z", "2026-03-01T18:15:00Z", "2026-03-02");
        // Berlin springs forward at 01:00 UTC and falls back at 01:00 UTC.
        check("Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T00:00:00Z", "2026-03-29");
        check("Europe/Berlin", "2026-03-29T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29");
        check("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25");
        check("Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25");
    }

    #[test]
    fn a_day_reads_as_it_prints() {
        let day: Day = "2026-02-28".parse().unwrap();
        assert_eq!(day.next().to_string(), "2026-03-01");
        assert!("28.2.2026".parse::<Day>().is_err());
    }

    #[test]
    fn a_day_with_daylight_saving_starts_at_its_own_midnight() {
        let zone = Zone::named("Europe/Berlin").unwrap();
        let start = |d: &str| zone.day_start_ms(d.parse().unwrap());
        assert_eq!(start("2026-03-30") - start("2026-03-29"), 23 * 3_600_000);
    }
}
