//! A comparison as a table in the terminal.

use std::fmt;

use super::Diff;
use super::comparison::{Comparison, Quantity, Verdict};

impl fmt::Display for Diff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "{:>8} {:>9} {:<10} {:>10} {:>10} {:>8} {:>20} {:>8} {:<8}",
            "replicas", "rate/s", "what", "before", "after", "change", "99 % interval", "visible", "verdict"
        )?;
        for level in &self.levels {
            for comparison in &level.comparisons {
                writeln!(formatter, "{:>8} {:>9.1} {}", level.replicas, level.offered_rps, Row(comparison))?;
            }
            let reason = level.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
            writeln!(
                formatter,
                "{:>8} {:>9.1} the level is {}{reason}",
                level.replicas, level.offered_rps, level.verdict
            )?;
        }
        for note in &self.notes {
            writeln!(formatter, "note: {note}")?;
        }
        let count = |verdict| self.levels.iter().filter(|level| level.verdict == verdict).count();
        write!(
            formatter,
            "{} same, {} worse, {} better, {} unclear; `visible` is the smallest change that would have been found \
             four times in five",
            count(Verdict::Same),
            count(Verdict::Worse),
            count(Verdict::Better),
            count(Verdict::Unclear)
        )
    }
}

struct Row<'a>(&'a Comparison);

impl fmt::Display for Row<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Comparison { quantity, before, after, change, smallest_visible, verdict } = *self.0;
        let value = |value: f64| match quantity {
            Quantity::Mean | Quantity::SloStatistic => format!("{:.1} ms", value / 1000.0),
            Quantity::NotServed => format!("{:.2} %", value * 100.0),
        };
        let percent = change.scaled(100.0);
        let interval = format!("{:+.1} % to {:+.1} %", percent.lower, percent.upper);
        write!(
            formatter,
            "{:<10} {:>10} {:>10} {:>+6.1} % {:>20} {:>6.1} % {:<8}",
            quantity.to_string(),
            value(before),
            value(after),
            percent.estimate,
            interval,
            smallest_visible * 100.0,
            verdict
        )
    }
}
