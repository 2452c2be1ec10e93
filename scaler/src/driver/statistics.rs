//! Sums up each minute of the loop for one line in the log.

use std::fmt;
use std::time::Duration;

use scaler_engine::{Action, Decision};

/// One minute in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Statistics {
    checks: u32,
    up: u32,
    down: u32,
    hold: u32,
    failures: u32,
    value_sum: f64,
    value_count: u32,
    value_max: Option<f64>,
    replica_seconds: f64,
    seen: Option<(Duration, u32)>,
}

impl Statistics {
    pub(super) fn count(&mut self, decision: &Decision) {
        match decision.action {
            Action::Up => self.up += 1,
            Action::Down => self.down += 1,
            Action::Hold => self.hold += 1,
        }
        if let Some(value) = decision.observation.read.first().and_then(|read| read.value) {
            self.value_sum += value;
            self.value_count += 1;
            self.value_max = Some(self.value_max.map_or(value, |max| max.max(value)));
        }
    }

    pub(super) fn count_check(&mut self) {
        self.checks += 1;
    }

    pub(super) fn count_failure(&mut self) {
        self.failures += 1;
    }

    /// Notes how many replicas there are at `now` (run time).
    pub(super) fn see(&mut self, now: Duration, replicas: u32) {
        if let Some((before, count)) = self.seen {
            self.replica_seconds += now.saturating_sub(before).as_secs_f64() * f64::from(count);
        }
        self.seen = Some((now, replicas));
    }

    /// The minute so far; a new one begins.
    pub(super) fn take(&mut self) -> Self {
        let next = Self { seen: self.seen, ..Self::default() };
        std::mem::replace(self, next)
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "STATISTICS checks={} up={} down={} hold={}", self.checks, self.up, self.down, self.hold)?;
        write!(f, " failed_actions={} replica_seconds={:.0}", self.failures, self.replica_seconds)?;
        match self.value_max {
            Some(max) => {
                write!(
                    f,
                    " signal_mean={:.4} signal_max={max:.4}",
                    self.value_sum / f64::from(self.value_count)
                )
            }
            None => write!(f, " signal_mean=none signal_max=none"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replica_seconds_are_counted_across_minutes() {
        let mut statistics = Statistics::default();
        statistics.see(Duration::from_secs(10), 2);
        statistics.see(Duration::from_secs(12), 3);
        let line = statistics.take().to_string();
        assert!(line.contains("replica_seconds=4 ") && line.contains("signal_max=none"), "{line}");
        statistics.see(Duration::from_secs(13), 1);
        assert!(statistics.take().to_string().contains("replica_seconds=3 "));
    }
}
