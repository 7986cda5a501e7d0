//! What an import did, in numbers: never an address, never a line's text.

use std::collections::BTreeMap;
use std::fmt;

use super::chunk::Stop;
use super::rule::Skip;
use crate::hours::Day;

/// Malformed lines named by their number.
const NAMED_MAX: usize = 3;

/// The count of one run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines of this log imported before this run.
    pub lines_before: u64,
    /// Lines read in this run.
    pub lines: u64,
    /// Page views imported, by site-local day.
    pub views: BTreeMap<Day, u64>,
    /// Lines left out, in the order of [`Skip::ALL`].
    pub skipped: [u64; Skip::ALL.len()],
    /// Numbers of the first malformed lines.
    pub malformed: Vec<u64>,
    /// The last site-local day with an imported view.
    pub newest_day: Option<Day>,
    /// Why reading stopped before the end, if it did.
    pub left: Option<&'static str>,
}

impl Summary {
    pub(super) fn count(&mut self, day: Day) {
        self.lines += 1;
        *self.views.entry(day).or_default() += 1;
        self.newest_day = self.newest_day.max(Some(day));
    }

    pub(super) fn skip(&mut self, reason: Skip, line: u64) {
        self.lines += 1;
        let at = Skip::ALL.iter().position(|r| *r == reason).expect("all reasons are listed");
        self.skipped[at] += 1;
        if reason == Skip::Malformed && self.malformed.len() < NAMED_MAX {
            self.malformed.push(line);
        }
    }

    pub(super) fn stopped(&mut self, stop: Stop) {
        self.left = match stop {
            Stop::RunningHour => {
                Some("lines of the running hour are left: run this again when the hour is over")
            }
            Stop::Unended => Some("the last line is not whole yet: it is left for the next run"),
            Stop::Full | Stop::End => None,
        };
    }

    /// Page views imported.
    pub fn views(&self) -> u64 {
        self.views.values().sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut row = |name: &str, n: u64| writeln!(f, "{name:<24}{n:>12}");
        if self.lines_before > 0 {
            row("lines imported before", self.lines_before)?;
        }
        row("lines read", self.lines)?;
        row("page views imported", self.views())?;
        for (reason, n) in Skip::ALL.iter().zip(self.skipped).filter(|(_, n)| *n > 0) {
            row(&format!("skipped: {}", reason.as_str()), n)?;
        }
        if !self.malformed.is_empty() {
            let lines: Vec<_> = self.malformed.iter().map(u64::to_string).collect();
            writeln!(f, "first malformed lines: {}", lines.join(", "))?;
        }
        if let (Some((first, _)), Some((last, _))) =
            (self.views.first_key_value(), self.views.last_key_value())
        {
            writeln!(f, "days: {first} to {last}")?;
        }
        self.left.map_or(Ok(()), |left| writeln!(f, "{left}"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Skip, Summary};
    use crate::hours::Day;

    #[test]
    fn the_table() {
        let mut summary = Summary::default();
        summary.count(Day(16_572));
        (2..8).for_each(|line| summary.skip(Skip::Malformed, line));
        summary.skip(Skip::Bot, 8);
        let expected = "lines read                         8\n\
                        page views imported                1\n\
                        skipped: bot                       1\n\
                        skipped: malformed                 6\n\
                        first malformed lines: 2, 3, 4\n\
                        days: 2015-05-17 to 2015-05-17\n";
        assert_eq!(summary.to_string(), expected);
    }
}
