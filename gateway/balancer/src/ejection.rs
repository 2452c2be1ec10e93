//! Notices by its answers that an endpoint fails, and says for how long it should stay out.
//!
//! Probes alone do not suffice: a replica can answer `/ready` and fail every request. Whether it may be taken out
//! (never more than half, never the last) is the rotation's decision, because it needs to see all endpoints.

use core::time::Duration;

use crate::outcome::Outcome;
use crate::settings::EjectionSettings;
use crate::window::RecentCounts;

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
    pub(crate) fn record(
        &mut self,
        outcome: Outcome,
        counts: RecentCounts,
        settings: &EjectionSettings,
    ) -> bool {
        match outcome {
            // A 4xx may be the client's own fault; comparing endpoints, not ejecting them, deals with the others.
            Outcome::Success { .. } | Outcome::ClientError { .. } => {
                self.consecutive_failures = 0;
                self.consecutive_successes = self.consecutive_successes.saturating_add(1);
                if self.consecutive_successes >= settings.probation_successes {
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
                self.consecutive_failures = self.consecutive_failures.saturating_add(1);
                self.consecutive_successes = 0;
                self.on_probation
                    || self.consecutive_failures >= settings.consecutive_failures
                    || (counts.total() >= u64::from(settings.failed_share_answers_min)
                        && counts.failed_share() >= settings.failed_share)
            }
        }
    }

    /// Whether it counts failures, or successes on probation. If not, only a failure changes anything.
    pub(crate) fn counts_something(&self) -> bool {
        self.consecutive_failures > 0 || self.on_probation
    }

    /// Notes an ejection at `now` and returns when it ends.
    pub(crate) fn eject(&mut self, now: Duration, settings: &EjectionSettings) -> Duration {
        if now.saturating_sub(self.returned_at) >= settings.forget_after {
            self.ejections_remembered = 0;
        }
        // More doublings than fit saturate, far beyond the longest back-off.
        let factor = 1_u32.checked_shl(self.ejections_remembered).unwrap_or(u32::MAX);
        self.ejections_remembered = self.ejections_remembered.saturating_add(1);
        now.saturating_add(settings.back_off_base.saturating_mul(factor).min(settings.back_off_max))
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
    const SETTINGS: EjectionSettings = EjectionSettings::DEFAULT;

    fn record(ejection: &mut Ejection, outcome: Outcome) -> bool {
        ejection.record(outcome, RecentCounts::default(), &SETTINGS)
    }

    #[test]
    fn failures_in_a_row_ask_for_ejection_and_any_proper_answer_ends_the_row() {
        for proper in [SUCCESS, Outcome::Refused] {
            let mut ejection = Ejection::default();
            for _ in 0..SETTINGS.consecutive_failures - 1 {
                assert!(!record(&mut ejection, FAILED));
            }
            assert!(!record(&mut ejection, proper));
            for _ in 0..SETTINGS.consecutive_failures - 1 {
                assert!(!record(&mut ejection, FAILED));
            }
            assert!(record(&mut ejection, FAILED));
        }
    }

    #[test]
    fn half_of_the_window_failed_asks_for_ejection_when_there_are_enough_answers() {
        let half = RecentCounts { succeeded: 10, failed: 10, ..RecentCounts::default() };
        assert!(Ejection::default().record(FAILED, half, &SETTINGS));
        let few = RecentCounts { succeeded: 9, failed: 10, ..RecentCounts::default() };
        assert!(!Ejection::default().record(FAILED, few, &SETTINGS));
        let less = RecentCounts { succeeded: 11, failed: 10, ..RecentCounts::default() };
        assert!(!Ejection::default().record(FAILED, less, &SETTINGS));
    }

    #[test]
    fn the_back_off_doubles_up_to_its_bound_and_is_forgotten_after_a_good_time() {
        let mut ejection = Ejection::default();
        let mut now = Duration::from_secs(100);
        for expected in [5, 10, 20, 40, 60, 60] {
            let until = ejection.eject(now, &SETTINGS);
            assert_eq!(until, now + Duration::from_secs(expected));
            now = until;
            ejection.return_to_rotation(now);
        }
        now += SETTINGS.forget_after;
        assert_eq!(ejection.eject(now, &SETTINGS), now + SETTINGS.back_off_base);
    }

    #[test]
    fn on_probation_one_failure_suffices_until_it_has_proved_itself() {
        let mut ejection = Ejection::default();
        ejection.eject(Duration::ZERO, &SETTINGS);
        ejection.return_to_rotation(Duration::from_secs(5));
        for _ in 0..SETTINGS.probation_successes - 1 {
            assert!(!record(&mut ejection, SUCCESS));
        }
        assert!(record(&mut ejection.clone(), FAILED), "still on probation");
        assert!(!record(&mut ejection, SUCCESS));
        assert!(!record(&mut ejection, FAILED), "probation is over");
    }
}
