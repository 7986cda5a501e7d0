//! How far a long command is: a bar with rate and time left on a terminal, a line now and then
//! elsewhere.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(5);

/// A progress display on standard error.
pub struct Progress {
    total: u64,
    unit: Unit,
    show: Show,
}

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Bytes,
    Days,
}

enum Show {
    Bar(ProgressBar),
    Lines { what: &'static str, started: Instant, said: Instant },
    Nothing,
}

impl Progress {
    /// Shows `what` is being done, of `total` in all.
    pub fn new(what: &'static str, total: u64, unit: Unit) -> Progress {
        let show = if std::io::stderr().is_terminal() {
            let numbers = match unit {
                Unit::Bytes => "{bytes}/{total_bytes} {bytes_per_sec}",
                Unit::Days => "{pos}/{len} days {per_sec}",
            };
            let template = format!("{{msg}} {{wide_bar}} {numbers}, {{eta}} left");
            let style = ProgressStyle::with_template(&template);
            let bar = ProgressBar::new(total).with_message(what);
            Show::Bar(bar.with_style(style.expect("the template is well formed")))
        } else {
            let now = Instant::now();
            Show::Lines { what, started: now, said: now }
        };
        Progress { total, unit, show }
    }

    /// Shows nothing.
    pub fn silent() -> Progress {
        Progress { total: 0, unit: Unit::Days, show: Show::Nothing }
    }

    /// So much is done.
    pub fn at(&mut self, done: u64) {
        let (total, unit) = (self.total, self.unit);
        match &mut self.show {
            Show::Bar(bar) => bar.set_position(done),
            Show::Lines { what, started, said } if said.elapsed() >= LINE_EVERY => {
                *said = Instant::now();
                let line = line(unit, done, total, started.elapsed());
                // nobody may be listening; the work goes on
                let _ = writeln!(std::io::stderr(), "{what}: {line}");
            }
            Show::Lines { .. } | Show::Nothing => {}
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        if let Show::Bar(bar) = self.show {
            bar.finish_and_clear();
        }
    }
}

fn line(unit: Unit, done: u64, total: u64, took: Duration) -> String {
    let rate = done as f64 / took.as_secs_f64().max(0.001);
    let left_s = total.saturating_sub(done) as f64 / rate.max(0.001);
    match unit {
        Unit::Bytes => {
            let mib = |bytes: f64| bytes / f64::from(1 << 20);
            let (done, total, rate) = (mib(done as f64), mib(total as f64), mib(rate));
            format!("{done:.0} of {total:.0} MiB, {rate:.1} MiB/s, {left_s:.0} s left")
        }
        Unit::Days => format!("{done} of {total} days, {left_s:.0} s left"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Unit, line};

    #[test]
    fn lines_have_rate_and_time_left() {
        let took = Duration::from_secs(10);
        let bytes = line(Unit::Bytes, 50 << 20, 150 << 20, took);
        assert_eq!(bytes, "50 of 150 MiB, 5.0 MiB/s, 20 s left");
        assert_eq!(line(Unit::Days, 30, 90, took), "30 of 90 days, 20 s left");
    }
}
