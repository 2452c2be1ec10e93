//! Counts an endpoint's answers by kind over a sliding window of ten steps.

use core::time::Duration;

use crate::outcome::Outcome;

/// The present step and the nine before it.
pub(crate) const BUCKETS: usize = 10;

/// Answers by kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutcomeCounts {
    /// Answers that served the request, 4xx included.
    pub succeeded: u64,
    /// How many of those were 4xx.
    pub client_errors: u64,
    /// Honest refusals.
    pub refused: u64,
    /// Failures.
    pub failed: u64,
}

impl OutcomeCounts {
    /// All answers.
    pub fn total(&self) -> u64 {
        self.succeeded + self.refused + self.failed
    }

    /// Share of failures, 0 to 1; 0 without answers.
    pub fn failed_share(&self) -> f64 {
        if self.failed == 0 { 0.0 } else { self.failed as f64 / self.total() as f64 }
    }

    pub(crate) fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Success { .. } => self.succeeded += 1,
            Outcome::ClientError { .. } => {
                self.succeeded += 1;
                self.client_errors += 1;
            }
            Outcome::Refused => self.refused += 1,
            Outcome::Failed { .. } => self.failed += 1,
        }
    }
}

/// The sliding window: one bucket per step, the oldest overwritten.
#[derive(Debug, Clone, Default)]
pub(crate) struct OutcomeWindow {
    buckets: [OutcomeCounts; BUCKETS],
    newest: u64,
}

impl OutcomeWindow {
    pub(crate) fn record(&mut self, now: Duration, outcome: Outcome, window: Duration) {
        let bucket = step(now, window).max(self.newest);
        for stale in (self.newest + 1..=bucket).take(BUCKETS) {
            // The first steps after a long silence clear every bucket, whichever numbers they carry.
            self.buckets[position(stale)] = OutcomeCounts::default();
        }
        self.newest = bucket;
        self.buckets[position(bucket)].add(outcome);
    }

    /// The counts of the window that ends with `now`.
    pub(crate) fn counts(&self, now: Duration, window: Duration) -> OutcomeCounts {
        let newest = step(now, window).max(self.newest);
        let first = (newest + 1).saturating_sub(BUCKETS as u64);
        let mut sum = OutcomeCounts::default();
        for bucket in first..=self.newest {
            let counts = self.buckets[position(bucket)];
            sum.succeeded += counts.succeeded;
            sum.client_errors += counts.client_errors;
            sum.refused += counts.refused;
            sum.failed += counts.failed;
        }
        sum
    }

    pub(crate) fn clear(&mut self) {
        self.buckets = [OutcomeCounts::default(); BUCKETS];
    }
}

/// The number of the step of a window of this length that `now` is in.
fn step(now: Duration, window: Duration) -> u64 {
    u64::try_from(now.as_nanos() * BUCKETS as u128 / window.as_nanos()).unwrap_or(u64::MAX)
}

fn position(bucket: u64) -> usize {
    usize::try_from(bucket % BUCKETS as u64).expect("a remainder of ten fits")
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Duration = Duration::from_secs(10);
    const FAILED: Outcome = Outcome::Failed { after: Duration::ZERO };
    const SUCCESS: Outcome = Outcome::Success { latency: Duration::ZERO };

    #[test]
    fn counts_slide_out_after_the_window() {
        let mut window = OutcomeWindow::default();
        window.record(Duration::from_millis(500), FAILED, WINDOW);
        window.record(Duration::from_secs(4), SUCCESS, WINDOW);
        window.record(Duration::from_secs(4), Outcome::ClientError { latency: Duration::ZERO }, WINDOW);
        window.record(Duration::from_secs(4), Outcome::Refused, WINDOW);
        let counts = window.counts(Duration::from_millis(9_999), WINDOW);
        assert_eq!(counts, OutcomeCounts { succeeded: 2, client_errors: 1, refused: 1, failed: 1 });
        let counts = window.counts(Duration::from_secs(10), WINDOW);
        assert_eq!(
            counts,
            OutcomeCounts { succeeded: 2, client_errors: 1, refused: 1, failed: 0 },
            "the first second is over"
        );
        assert_eq!(window.counts(Duration::from_secs(14), WINDOW).total(), 0);
    }

    #[test]
    fn a_long_silence_clears_all_of_it() {
        let mut window = OutcomeWindow::default();
        for second in 0..10 {
            window.record(Duration::from_secs(second), FAILED, WINDOW);
        }
        window.record(Duration::from_secs(1003), SUCCESS, WINDOW);
        let counts = window.counts(Duration::from_secs(1003), WINDOW);
        assert_eq!(counts, OutcomeCounts { succeeded: 1, ..OutcomeCounts::default() });
    }
}
