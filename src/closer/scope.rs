//! What one statement works on: a stretch of time, days, sites, and a range of visitors.

use crate::hours::{Day, Hour};
use crate::limits;
use crate::store::Param;
use crate::tenant::SiteId;

/// Sites, instants and days of one close, seal or check, all ends inclusive but `until_ms`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope {
    site: Option<SiteId>,
    pub(super) from_ms: i64,
    pub(super) until_ms: i64,
    days: (Day, Day),
    /// This pass and how many there are.
    pass: (u16, u16),
}

impl Scope {
    /// One UTC hour, whatever the day is for its sites.
    pub(super) fn hour(hour: Hour) -> Scope {
        Scope {
            site: None,
            from_ms: hour.start_ms(),
            until_ms: hour.next().start_ms(),
            days: (Day(0), Day(u16::MAX)),
            pass: (0, 1),
        }
    }

    /// One site-local day of one site or of all.
    pub(super) fn day(day: Day, site: Option<SiteId>) -> Scope {
        Scope {
            site,
            from_ms: day.begins_somewhere_ms().max(0),
            until_ms: day.over_everywhere_ms(),
            days: (day, day),
            pass: (0, 1),
        }
    }

    /// Cuts the work into ranges of visitors, so that memory is bounded whatever the traffic. Their
    /// hash is uniform, and raw is sorted by it, so that a pass reads little of the others' rows.
    pub(super) fn passes(self, rows: u64, pass_rows: u64) -> impl Iterator<Item = Scope> {
        let count = rows.div_ceil(pass_rows).clamp(1, 1 << 15) as u16;
        (0..count).map(move |pass| Scope { pass: (pass, count), ..self })
    }

    /// The parameters that the fragments `raw.sql` and `stored.sql` name.
    pub(super) fn params(&self) -> Vec<(&'static str, Param)> {
        let (first, last) = self.site.map_or((1, u32::MAX), |site| (site.0, site.0));
        let (from, until) = visitors(self.pass);
        vec![
            ("site_from", Param::from(first)),
            ("site_until", Param::from(last)),
            ("from_ms", Param::I64(self.from_ms)),
            ("until_ms", Param::I64(self.until_ms)),
            ("day_from", Param::from(self.days.0)),
            ("day_until", Param::from(self.days.1)),
            ("visitor_from", Param::from(from)),
            ("visitor_until", Param::from(until)),
            ("gap_ms", Param::I64(limits::VISIT_GAP_MS)),
        ]
    }
}

/// The first and the last visitor of a pass, in hexadecimal.
fn visitors((pass, count): (u16, u16)) -> (String, String) {
    let edge = |n: u16| (u64::from(n) << 32) / u64::from(count);
    let (from, until) = (edge(pass), edge(pass + 1) - 1);
    (format!("{from:08x}{}", "0".repeat(24)), format!("{until:08x}{}", "f".repeat(24)))
}

#[cfg(test)]
mod tests {
    use super::visitors;

    #[test]
    fn passes_cover_every_visitor_once() {
        for count in [1, 2, 3, 7, 1 << 15] {
            let mut next = 0_u128;
            for pass in 0..count {
                let (from, until) = visitors((pass, count));
                assert_eq!(u128::from_str_radix(&from, 16).unwrap(), next, "{pass} of {count}");
                next = u128::from_str_radix(&until, 16).unwrap().wrapping_add(1);
            }
            assert_eq!(next, 0, "the last pass ends at the last visitor");
        }
    }
}
