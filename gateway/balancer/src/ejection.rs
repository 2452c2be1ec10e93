//! Notices by its answers that an endpoint fails, and says for how long it should stay out.
//!
//! Probes alone do not suffice: a replica can answer `/ready` and fail every request. Whether it may be taken out
//! (never more than half, never the last) is the rotation's decision, because it needs to see all endpoints.

use core::time::Duration;

use crate::outcome::Outcome;
use crate::window::OutcomeCounts;

/// Failures in a row that ask for ejection.
pub const CONSECUTIVE_FAILURES_OUT: u32 = 5;

/// Share of failures in the window (0 to 1) that asks for ejection, once there are
/// [`FAILED_SHARE_SAMPLES_MIN`] answers in it.
pub const FAILED_SHARE_OUT: f64 = 0.5;

/// Answers the window must hold before their share of failures says something.
pub const FAILED_SHARE_SAMPLES_MIN: u64 = 20;

/// How long the first ejection lasts; each further one lasts twice as long as the one before.
pub const BACK_OFF_BASE: Duration = Duration::from_secs(5);

/// Longest ejection.
pub const BACK_OFF_MAX: Duration = Duration::from_mins(1);

/// Successes in a row that end the probation of an endpoint that came back. Until then one failure suffices.
pub const PROBATION_SUCCESSES: u32 = 5;

/// Time in rotation after which earlier ejections are forgotten and the back-off starts anew.
pub const FORGET_EJECTIONS_AFTER: Duration = Duration::from_mins(1);

/// The failures and ejections of one endpoint.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ejection {
    consecutive_failures: u32,
    consecutive_successes: u32,
    on_probation: bool,
    ejections_remembered: u32,
    returned_at: Duration,
}

impl Ejection {
    /// Takes in an answer and says whether it asks for ejection. `counts` are the window's, this answer included.
    pub(crate) fn record(&mut self, outcome: Outcome, counts: OutcomeCounts) -> bool {
        match outcome {
            // A 4xx may be the client's own fault; comparing endpoints, not ejecting them, deals with the others.
            Outcome::Success { .. } | Outcome::ClientError { .. } => {
                self.consecutive_failures = 0;
                self.consecutive_successes += 1;
                if self.consecutive_successes >= PROBATION_SUCCESSES {
                    self.on_probation = false;
                }
                false
            }
            Outcome::Refused => {
                // It answers as it should; that is no success either.
                self.consecutive_failures = 0;
                false
            }
            Outcome::Failed { .. } => {
                self.consecutive_failures += 1;
                self.consecutive_successes = 0;
                self.on_probation
                    || self.consecutive_failures >= CONSECUTIVE_FAILURES_OUT
                    || (counts.total() >= FAILED_SHARE_SAMPLES_MIN
                        && counts.failed_share() >= FAILED_SHARE_OUT)
            }
        }
    }

    /// Notes an ejection at `now` and returns when it ends.
    pub(crate) fn eject(&mut self, now: Duration) -> Duration {
        if now.saturating_sub(self.returned_at) >= FORGET_EJECTIONS_AFTER {
            self.ejections_remembered = 0;
        }
        // Sixteen doublings are far beyond the longest back-off.
        let doublings = self.ejections_remembered.min(16);
        self.ejections_remembered += 1;
        now + (BACK_OFF_BASE * (1 << doublings)).min(BACK_OFF_MAX)
    }

    /// Notes that the endpoint is back in rotation, on probation if it was ejected before.
    pub(crate) fn return_to_rotation(&mut self, now: Duration) {
        self.consecutive_failures = 0;
        self.consecutive_successes = 0;
        self.on_probation = self.ejections_remembered > 0;
        self.returned_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: Outcome = Outcome::Failed { after: Duration::ZERO };
    const SUCCESS: Outcome = Outcome::Success { latency: Duration::ZERO };

    fn record(ejection: &mut Ejection, outcome: Outcome) -> bool {
        ejection.record(outcome, OutcomeCounts::default())
    }

    #[test]
    fn failures_in_a_row_ask_for_ejection_and_any_proper_answer_ends_the_row() {
        for proper in [SUCCESS, Outcome::Refused] {
            let mut ejection = Ejection::default();
            for _ in 0..CONSECUTIVE_FAILURES_OUT - 1 {
                assert!(!record(&mut ejection, FAILED));
            }
            assert!(!record(&mut ejection, proper));
            for _ in 0..CONSECUTIVE_FAILURES_OUT - 1 {
                assert!(!record(&mut ejection, FAILED));
            }
            assert!(record(&mut ejection, FAILED));
        }
    }

    #[test]
    fn half_of_the_window_failed_asks_for_ejection_when_there_are_enough_answers() {
        let half = OutcomeCounts { succeeded: 10, failed: 10, ..OutcomeCounts::default() };
        assert!(Ejection::default().record(FAILED, half));
        let few = OutcomeCounts { succeeded: 9, failed: 10, ..OutcomeCounts::default() };
        assert!(!Ejection::default().record(FAILED, few));
        let less = OutcomeCounts { succeeded: 11, failed: 10, ..OutcomeCounts::default() };
        assert!(!Ejection::default().record(FAILED, less));
    }

    #[test]
    fn the_back_off_doubles_up_to_its_bound_and_is_forgotten_after_a_good_time() {
        let mut ejection = Ejection::default();
        let mut now = Duration::from_secs(100);
        for expected in [5, 10, 20, 40, 60, 60] {
            let until = ejection.eject(now);
            assert_eq!(until, now + Duration::from_secs(expected));
            now = until;
            ejection.return_to_rotation(now);
        }
        now += FORGET_EJECTIONS_AFTER;
        assert_eq!(ejection.eject(now), now + BACK_OFF_BASE);
    }

    #[test]
    fn on_probation_one_failure_suffices_until_it_has_proved_itself() {
        let mut ejection = Ejection::default();
        ejection.eject(Duration::ZERO);
        ejection.return_to_rotation(Duration::from_secs(5));
        for _ in 0..PROBATION_SUCCESSES - 1 {
            assert!(!record(&mut ejection, SUCCESS));
        }
        assert!(record(&mut ejection.clone(), FAILED), "still on probation");
        assert!(!record(&mut ejection, SUCCESS));
        assert!(!record(&mut ejection, FAILED), "probation is over");
    }
}
