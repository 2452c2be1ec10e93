//! What came of the requests of one name, or of all of them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use loadgen_baseline::{ErrorSum, FailureKind, RequestOutcome};

use crate::users::exchange::Exchange;

use super::Histogram;
use super::error_tally::{ErrorKind, ErrorTallies};

/// What came of the requests of one name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Requests that ended, whatever came of them.
    pub(crate) requests: u64,
    /// Of these, ended after the window.
    pub(crate) late: u64,
    /// Of the late ones, succeeded.
    pub(crate) late_successes: u64,
    /// Of all, sent a second time because a reused connection was closed.
    pub(crate) repeated: u64,
    /// Of all, refused.
    pub(crate) refusals: u64,
    /// Of these, failed, by kind.
    pub(crate) failures: BTreeMap<FailureKind, u64>,
    /// What did not hold of answers, by its description; of few.
    pub(crate) broken_checks: BTreeMap<Arc<str>, u64>,
    /// Slots of the schedule that were never sent.
    pub(crate) unsent: u64,
    /// Requests that were still unanswered when the run was given up.
    pub(crate) unanswered: u64,
    /// The errors among them, and what was lost.
    pub(crate) errors: ErrorTallies,
    /// From sending to the last byte, of those that were answered and not refused; without a schedule also of what timed
    /// out or was never answered, with the time it waited.
    pub(crate) from_sent: Histogram,
    /// From the intended start, of the same, of what timed out or was never answered, and of what was never sent; empty
    /// without a schedule.
    pub(crate) from_intended: Histogram,
}

impl Tally {
    /// Counts a request that ended; `scheduled` where its start was intended by a schedule, `late` where it ended after
    /// the window.
    pub(crate) fn record(&mut self, exchange: &Exchange, scheduled: bool, late: bool) {
        self.requests += 1;
        self.late += u64::from(late);
        self.late_successes += u64::from(late && exchange.outcome == RequestOutcome::Succeeded);
        self.repeated += u64::from(exchange.repeated);
        match exchange.outcome {
            RequestOutcome::Succeeded => {}
            RequestOutcome::Refused => self.refusals += 1,
            RequestOutcome::Failed(kind) => *self.failures.entry(kind).or_default() += 1,
        }
        if let Some(check) = &exchange.broken_check {
            *self.broken_checks.entry(Arc::clone(check)).or_default() += 1;
        }
        self.errors.record(exchange);
        // A request that timed out took at least as long as it was waited for: leaving it out would hide a freeze.
        let timed_out = exchange.outcome == RequestOutcome::Failed(FailureKind::TimedOut);
        if exchange.outcome.has_latency() || (timed_out && !scheduled) {
            self.from_sent.record(exchange.since_sent());
        }
        if scheduled && (exchange.outcome.has_latency() || timed_out) {
            self.from_intended.record(exchange.since_intended());
        }
    }

    /// Counts a slot that was not sent, `waited` after its intended start.
    pub(crate) fn unsent(&mut self, intended_at: Instant, waited: Duration) {
        self.unsent += 1;
        self.errors.add(ErrorKind::Unsent, intended_at, None);
        self.from_intended.record(waited);
    }

    /// Counts a request that was given up at `now`.
    pub(crate) fn unanswered(
        &mut self,
        intended_at: Instant,
        sent_at: Instant,
        now: Instant,
        scheduled: bool,
    ) {
        self.unanswered += 1;
        self.errors.add(ErrorKind::Unanswered, now, None);
        if scheduled {
            self.from_intended.record(now.saturating_duration_since(intended_at));
        } else {
            self.from_sent.record(now.saturating_duration_since(sent_at));
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

    /// Adds all that `other` counted, but for when which error occurred.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.late += other.late;
        self.late_successes += other.late_successes;
        self.repeated += other.repeated;
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

    /// What is wrong, as a sum.
    pub(crate) fn error_sum(&self) -> ErrorSum {
        ErrorSum {
            failed: self.failed(),
            refused: self.refusals,
            unanswered: self.unanswered,
            unsent: self.unsent,
            requests: self.requests + self.unanswered + self.unsent,
        }
    }
}
