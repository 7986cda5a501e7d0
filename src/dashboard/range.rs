//! What a report is asked for: dates of the site, cut to what is closed.

use crate::accounts::directory::Site;
use crate::closer::Horizon;
use crate::dashboard::BadRequest;
use crate::hours::Day;
use crate::store::query::Window;

/// Ten years: longer than any product here will have data, short enough to bound an answer.
const DAYS_MAX: u16 = 3_660;
/// Hours are drawn for a month at most.
const HOURLY_DAYS_MAX: u16 = 31;

/// A site's days `from..until`, and how far they are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: Day,
    pub(crate) until: Day,
    /// The running day of the site at the horizon.
    pub(crate) today: Day,
}

impl Range {
    /// Reads `from` and `until` and cuts them at the running day.
    ///
    /// # Errors
    /// Names the parameter that is missing or wrong.
    pub(crate) fn parse(
        from: Option<&str>,
        until: Option<&str>,
        site: &Site,
        horizon: &Horizon,
    ) -> Result<Range, BadRequest> {
        let from = day("from", from)?;
        let until = day("until", until)?;
        if from >= until {
            return Err(BadRequest::new("until", "`until` is exclusive and must be after `from`"));
        }
        if until.0 - from.0 > DAYS_MAX {
            return Err(BadRequest::new("from", "a range may span at most ten years"));
        }
        let today = today(site, horizon);
        let end = Day(today.0.saturating_add(1));
        Ok(Range { from: from.min(end), until: until.min(end), today })
    }

    /// How many days.
    pub(crate) fn days(&self) -> u16 {
        self.until.0 - self.from.0
    }

    /// Whether the running day, closed in part, is inside.
    pub(crate) fn holds_today(&self) -> bool {
        self.from <= self.today && self.today < self.until
    }

    /// The same number of days just before.
    pub(crate) fn previous(&self) -> Range {
        let from = Day(self.from.0.saturating_sub(self.days()));
        Range { from, until: self.from, today: self.today }
    }

    /// What the store is asked for.
    pub(crate) fn window(&self, horizon: &Horizon) -> Window {
        Window {
            from: self.from,
            until: self.until,
            sealed: horizon.sealed_through,
            horizon: horizon.closed_until,
        }
    }
}

/// The site-local date of the horizon: the day whose hours are still being closed.
pub(crate) fn today(site: &Site, horizon: &Horizon) -> Day {
    site.zone.local(horizon.closed_until.start_ms()).day
}

fn day(name: &'static str, text: Option<&str>) -> Result<Day, BadRequest> {
    let text = text.ok_or_else(|| BadRequest::new(name, "a date such as 2026-01-31 is needed"))?;
    text.parse().map_err(|message: String| BadRequest::new(name, &message))
}

/// The step of a time series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interval {
    Hour,
    Day,
    Week,
    Month,
}

impl Interval {
    /// Reads the parameter; days are the default, hours for up to two days.
    ///
    /// # Errors
    /// Names what is allowed.
    pub(crate) fn parse(text: Option<&str>, range: &Range) -> Result<Interval, BadRequest> {
        let interval = match text {
            None if range.days() <= 2 => Interval::Hour,
            None | Some("day") => Interval::Day,
            Some("hour") => Interval::Hour,
            Some("week") => Interval::Week,
            Some("month") => Interval::Month,
            Some(_) => {
                return Err(BadRequest::new("interval", "must be hour, day, week or month"));
            }
        };
        if interval == Interval::Hour && range.days() > HOURLY_DAYS_MAX {
            return Err(BadRequest::new("interval", "hours are given for at most 31 days"));
        }
        Ok(interval)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Interval::Hour => "hour",
            Interval::Day => "day",
            Interval::Week => "week",
            Interval::Month => "month",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Interval, Range};
    use crate::accounts::directory::Site;
    use crate::closer::Horizon;
    use crate::hours::{Day, Hour, Zone};
    use crate::tenant::SiteId;

    fn site(zone: &str) -> Site {
        let mut site = Site::new(SiteId(1), "example.org");
        site.zone = Zone::named(zone).unwrap();
        site
    }

    fn horizon(at: &str) -> Horizon {
        let at: jiff::Timestamp = at.parse().unwrap();
        let closed_until = Hour::of_ms(at.as_millisecond());
        Horizon { closed_until, sealed_through: Day(20_000), epoch: 1 }
    }

    fn parse(from: &str, until: &str, zone: &str, at: &str) -> Result<Range, String> {
        Range::parse(Some(from), Some(until), &site(zone), &horizon(at)).map_err(|e| e.field.into())
    }

    #[test]
    fn a_range_is_cut_at_the_running_day_of_the_site() {
        let at = "2026-11-22T20:00:00Z";
        let range = parse("2026-11-20", "2026-12-24", "UTC", at).unwrap();
        assert_eq!(range.until.to_string(), "2026-11-23");
        assert!(range.holds_today());
        let range = parse("2026-11-20", "2026-12-24", "Asia/Tokyo", at).unwrap();
        assert_eq!(range.until.to_string(), "2026-11-24");
        let before = range.previous();
        assert_eq!((before.from.to_string().as_str(), before.days()), ("2026-11-16", 4));
        assert!(!before.holds_today());
    }

    #[test]
    fn a_bad_range_names_its_parameter() {
        let at = "2026-11-22T20:00:00Z";
        assert_eq!(parse("yesterday", "2026-11-22", "UTC", at), Err("from".into()));
        assert_eq!(parse("2026-11-22", "2026-11-22", "UTC", at), Err("until".into()));
        assert_eq!(parse("1999-11-22", "2026-11-22", "UTC", at), Err("from".into()));
    }

    #[test]
    fn hours_are_for_short_ranges() {
        let at = "2026-11-22T20:00:00Z";
        let short = parse("2026-11-22", "2026-11-23", "UTC", at).unwrap();
        assert_eq!(Interval::parse(None, &short).unwrap(), Interval::Hour);
        let long = parse("2026-09-22", "2026-11-23", "UTC", at).unwrap();
        assert_eq!(Interval::parse(None, &long).unwrap(), Interval::Day);
        assert!(Interval::parse(Some("hour"), &long).is_err());
        assert!(Interval::parse(Some("minute"), &short).is_err());
    }
}
