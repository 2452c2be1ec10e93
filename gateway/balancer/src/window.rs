//! Counts an endpoint's answers by kind over a sliding window of ten steps.
//!
//! The sum over the window is kept, not computed: a pick reads it of two endpoints, and answers leave it only when a step
//! ends. The sum is what a pick reads ([`Window`]); the steps it consists of lie apart ([`Past`]).

use crate::outcome::Outcome;

/// Steps of the window: the present one and the nine before it.
pub(crate) const STEPS: usize = 10;

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
    fn add(&mut self, counts: RecentCounts) {
        self.succeeded += u64::from(counts.succeeded);
        self.client_errors += u64::from(counts.client_errors);
        self.refused += u64::from(counts.refused);
        self.failed += u64::from(counts.failed);
    }
}

/// Answers by kind within the window, or within a step of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct RecentCounts {
    /// 4xx included.
    pub(crate) succeeded: u32,
    pub(crate) client_errors: u32,
    pub(crate) refused: u32,
    pub(crate) failed: u32,
}

impl RecentCounts {
    /// All answers.
    #[inline]
    pub(crate) fn total(&self) -> u64 {
        u64::from(self.succeeded) + u64::from(self.refused) + u64::from(self.failed)
    }

    /// Share of failures, 0 to 1; 0 without answers.
    pub(crate) fn failed_share(&self) -> f64 {
        if self.failed == 0 { 0.0 } else { f64::from(self.failed) / self.total() as f64 }
    }

    #[inline]
    fn count(&mut self, outcome: Outcome) {
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

    fn subtract(&mut self, counts: Self) {
        self.succeeded -= counts.succeeded;
        self.client_errors -= counts.client_errors;
        self.refused -= counts.refused;
        self.failed -= counts.failed;
    }
}

/// The sum over the steps of an endpoint's [`Past`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Window {
    counts: RecentCounts,
    newest: u64,
}

/// The steps of the window, the oldest overwritten, and all that came before them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Past {
    steps: [RecentCounts; STEPS],
    before: OutcomeCounts,
}

impl Window {
    /// The answers of the window, as of the last step that it was moved to.
    #[inline]
    pub(crate) fn counts(&self) -> RecentCounts {
        self.counts
    }

    /// Moves the window so that it ends with `step`. It never moves back.
    #[inline]
    pub(crate) fn advance(&mut self, step: u64, past: &mut Past) {
        if step <= self.newest {
            return;
        }
        if self.counts.total() > 0 {
            self.retire(step, past);
        }
        self.newest = step;
    }

    #[inline(never)]
    fn retire(&mut self, step: u64, past: &mut Past) {
        // The first steps after a long silence empty every place, whichever numbers they carry.
        for stale in (self.newest + 1..=step).take(STEPS) {
            let left = core::mem::take(&mut past.steps[place(stale)]);
            self.counts.subtract(left);
            past.before.add(left);
        }
    }

    /// Takes in an answer of `step`, or of the newest step where that is past.
    #[inline]
    pub(crate) fn record(&mut self, step: u64, outcome: Outcome, past: &mut Past) {
        self.advance(step, past);
        self.counts.count(outcome);
        past.steps[place(self.newest)].count(outcome);
    }

    /// Forgets the answers of the window; all that were ever given stay known.
    pub(crate) fn clear(&mut self, past: &mut Past) {
        past.before.add(self.counts);
        past.steps = [RecentCounts::default(); STEPS];
        self.counts = RecentCounts::default();
    }

    /// All answers that were ever taken in.
    pub(crate) fn all(&self, past: &Past) -> OutcomeCounts {
        let mut all = past.before;
        all.add(self.counts);
        all
    }
}

#[inline]
fn place(step: u64) -> usize {
    usize::try_from(step % STEPS as u64).expect("a remainder of ten fits")
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    const FAILED: Outcome = Outcome::Failed { after: Duration::ZERO };
    const SUCCESS: Outcome = Outcome::Success { latency: Duration::ZERO };

    #[test]
    fn counts_slide_out_after_the_window() {
        let (mut window, mut past) = (Window::default(), Past::default());
        window.record(0, FAILED, &mut past);
        window.record(4, SUCCESS, &mut past);
        window.record(4, Outcome::ClientError { latency: Duration::ZERO }, &mut past);
        window.record(4, Outcome::Refused, &mut past);
        window.advance(9, &mut past);
        assert_eq!(window.counts(), RecentCounts { succeeded: 2, client_errors: 1, refused: 1, failed: 1 });
        window.advance(10, &mut past);
        assert_eq!(
            window.counts(),
            RecentCounts { succeeded: 2, client_errors: 1, refused: 1, failed: 0 },
            "the first step is over"
        );
        window.advance(14, &mut past);
        assert_eq!(window.counts().total(), 0);
        assert_eq!(
            window.all(&past),
            OutcomeCounts { succeeded: 2, client_errors: 1, refused: 1, failed: 1 },
            "all that were given stay known"
        );
    }

    #[test]
    fn a_long_silence_clears_all_of_it() {
        let (mut window, mut past) = (Window::default(), Past::default());
        for step in 0..10 {
            window.record(step, FAILED, &mut past);
        }
        window.record(1003, SUCCESS, &mut past);
        assert_eq!(window.counts(), RecentCounts { succeeded: 1, ..RecentCounts::default() });
    }

    #[test]
    fn an_answer_of_a_step_that_is_over_counts_with_the_newest() {
        let (mut window, mut past) = (Window::default(), Past::default());
        window.advance(7, &mut past);
        window.record(3, FAILED, &mut past);
        window.advance(16, &mut past);
        assert_eq!(window.counts().failed, 1);
        window.advance(17, &mut past);
        assert_eq!(window.counts().failed, 0);
    }

    #[test]
    fn the_sum_is_always_that_of_the_steps() {
        let (mut window, mut past) = (Window::default(), Past::default());
        let mut sent = 0;
        for (step, number) in (0..400_u64).map(|number| (number * number % 37 + number / 3, number)) {
            let outcome = if number % 3 == 0 { FAILED } else { SUCCESS };
            window.record(step, outcome, &mut past);
            sent += 1;
            if number % 90 == 89 {
                window.clear(&mut past);
            }
            let sum: u64 = past.steps.iter().map(RecentCounts::total).sum();
            assert_eq!(window.counts().total(), sum);
            let all = window.all(&past);
            assert_eq!(all.succeeded + all.failed, sent);
        }
    }
}
