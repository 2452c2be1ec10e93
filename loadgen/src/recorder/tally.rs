//! What came of the requests of one name, or of all of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::exchange::{Exchange, Outcome};
use crate::failure_kind::FailureKind;

use super::Histogram;

/// What came of the requests of one name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Requests that ended, whatever came of them.
    pub(crate) requests: u64,
    /// Of these, refused.
    pub(crate) refusals: u64,
    /// Of these, failed, by kind.
    pub(crate) failures: BTreeMap<FailureKind, u64>,
    /// What did not hold of answers, by its description; of few.
    pub(crate) broken_checks: BTreeMap<Arc<str>, u64>,
    /// Slots of the schedule that were never sent.
    pub(crate) unsent: u64,
    /// Requests that were still unanswered when the run was given up.
    pub(crate) unanswered: u64,
    /// From sending to the last byte, of those that were answered and not refused.
    pub(crate) from_sent: Histogram,
    /// From the intended start, of the same and of what was never sent or never answered; empty without a schedule.
    pub(crate) from_intended: Histogram,
}

impl Tally {
    /// Counts a request that ended; `scheduled` where its start was intended by a schedule.
    pub(crate) fn record(&mut self, exchange: &Exchange, scheduled: bool) {
        self.requests += 1;
        match exchange.outcome {
            Outcome::Succeeded => {}
            Outcome::Refused => self.refusals += 1,
            Outcome::Failed(kind) => *self.failures.entry(kind).or_default() += 1,
        }
        if let Some(check) = &exchange.broken_check {
            *self.broken_checks.entry(Arc::clone(check)).or_default() += 1;
        }
        if exchange.outcome.has_latency() {
            self.from_sent.record(exchange.since_sent());
        }
        // A request that timed out took at least as long as it was waited for: leaving it out would hide a freeze.
        let counts =
            exchange.outcome.has_latency() || exchange.outcome == Outcome::Failed(FailureKind::TimedOut);
        if scheduled && counts {
            self.from_intended.record(exchange.since_intended());
        }
    }

    /// Counts a slot that was not sent, `waited` after its intended start.
    pub(crate) fn unsent(&mut self, waited: Duration) {
        self.unsent += 1;
        self.from_intended.record(waited);
    }

    /// Counts a request that was given up, `waited` after its intended start.
    pub(crate) fn unanswered(&mut self, waited: Duration, scheduled: bool) {
        self.unanswered += 1;
        if scheduled {
            self.from_intended.record(waited);
        }
    }

    /// Forgets everything and keeps the histograms' memory.
    pub(crate) fn reset(&mut self) {
        let (mut from_sent, mut from_intended) =
            (std::mem::take(&mut self.from_sent), std::mem::take(&mut self.from_intended));
        from_sent.reset();
        from_intended.reset();
        *self = Self { from_sent, from_intended, ..Self::default() };
    }

    /// Adds all that `other` counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.refusals += other.refusals;
        self.unsent += other.unsent;
        self.unanswered += other.unanswered;
        for (kind, count) in &other.failures {
            *self.failures.entry(*kind).or_default() += count;
        }
        for (check, count) in &other.broken_checks {
            *self.broken_checks.entry(Arc::clone(check)).or_default() += count;
        }
        self.from_sent.merge(&other.from_sent);
        self.from_intended.merge(&other.from_intended);
    }

    /// Failed requests of every kind.
    pub(crate) fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// Requests that succeeded.
    pub(crate) fn succeeded(&self) -> u64 {
        self.requests - self.refusals - self.failed()
    }
}
