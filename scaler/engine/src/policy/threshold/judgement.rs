//! Judges one reading: counts breaches, then asks the limits, then the cooldown.
//!
//! The limit is asked before the cooldown: at the maximum, waiting would change nothing, so "at the maximum" is
//! the truthful reason. A counter keeps counting while a cooldown holds an action back; so a lasting breach acts
//! at the first check after it.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::{ThresholdPolicy, ThresholdReason};
use crate::decision::Limit;
use crate::need::{Metric, Need};
use crate::observation::Standstill;
use crate::policy::{Proposal, Situation};
use crate::reason::{Direction, Reason};
use crate::signal::Signal;

/// How many checks in a row breached each threshold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ThresholdHistory {
    /// Checks in a row above the scale-up threshold.
    pub above: u32,
    /// Checks in a row below the scale-down threshold.
    pub below: u32,
}

impl ThresholdHistory {
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

impl ThresholdPolicy {
    pub(super) fn judge(&mut self, situation: &Situation<'_>) -> Proposal {
        let signal = self.settings.signal;
        let value = match self.usable_value(situation) {
            Ok(value) => value,
            Err(reason) => {
                self.history.reset();
                return Proposal::hold(situation, standstill(situation, signal).unwrap_or(reason), None);
            }
        };
        let (upper, lower) = (self.settings.scale_up_threshold, self.settings.scale_down_threshold);
        let history = &mut self.history;
        if value > upper {
            history.below = 0;
            history.above = history.above.saturating_add(1);
            return self.on_breach(Direction::Up, value, situation);
        }
        history.above = 0;
        // A replica that is removed must first leave the rotation, which only a gateway that answers can confirm.
        if let Some(age) = situation.seen.rotation_unknown_for {
            history.below = 0;
            return Proposal::hold(situation, Reason::RotationUnknown { age }, None);
        }
        // A replica that did not report can only hide load, so what follows needs all of them.
        let need = Need::of_each_replica(signal, self.settings.window);
        let (reported, ready) = (situation.seen.reported(&need), situation.seen.ready);
        if reported < ready || ready == 0 {
            history.below = 0;
            let partial = Reason::PartialData { signal: signal.into(), reported, ready };
            return Proposal::hold(situation, standstill(situation, signal).unwrap_or(partial), None);
        }
        if value < lower {
            history.below = history.below.saturating_add(1);
            return self.on_breach(Direction::Down, value, situation);
        }
        history.below = 0;
        Proposal::hold(
            situation,
            ThresholdReason::WithinThresholds { signal, value, lower, upper }.into(),
            None,
        )
    }

    fn usable_value(&self, situation: &Situation<'_>) -> Result<f64, Reason> {
        let signal = Metric::from(self.settings.signal);
        let Some(reading) = situation.seen.service_reading(&self.need()) else {
            return Err(Reason::MissingData { signal });
        };
        let Some(value) = reading.value else { return Err(Reason::MissingData { signal }) };
        let bound = self.stale_after();
        if reading.age > bound {
            return Err(Reason::StaleData { signal, age: reading.age, bound });
        }
        // Without a ready replica there is none to share it with; what is judged then is the whole of it.
        let shares = if self.settings.per_replica { situation.seen.ready.max(1) } else { 1 };
        let value = value / f64::from(shares);
        if value.is_finite() { Ok(value) } else { Err(Reason::NotANumber { signal }) }
    }

    fn on_breach(&self, direction: Direction, value: f64, situation: &Situation<'_>) -> Proposal {
        let (settings, limits, count) = (&self.settings, situation.limits, situation.desired);
        let signal = settings.signal;
        let (checks, threshold, needed, cooldown, at_limit) = match direction {
            Direction::Up => (
                self.history.above,
                settings.scale_up_threshold,
                settings.scale_up_checks,
                settings.scale_up_cooldown,
                count >= limits.max(),
            ),
            Direction::Down => (
                self.history.below,
                settings.scale_down_threshold,
                settings.scale_down_checks,
                settings.scale_down_cooldown,
                count <= limits.min(),
            ),
        };
        let hold = |reason, limited_by| Proposal::hold(situation, reason, limited_by);
        if checks < needed {
            let pending =
                ThresholdReason::BreachPending { direction, signal, value, threshold, checks, needed };
            return hold(pending.into(), None);
        }
        if at_limit {
            let (reason, limit) = match direction {
                Direction::Up => (
                    ThresholdReason::AtMaximum { signal, value, threshold, max: limits.max() },
                    Limit::Maximum,
                ),
                Direction::Down => (
                    ThresholdReason::AtMinimum { signal, value, threshold, min: limits.min() },
                    Limit::Minimum,
                ),
            };
            return hold(reason.into(), Some(limit));
        }
        let elapsed =
            situation.last_action_at.map_or(Duration::MAX, |at| situation.seen.at.saturating_sub(at));
        if let Some(remaining) = cooldown.checked_sub(elapsed).filter(|remaining| !remaining.is_zero()) {
            return hold(Reason::CooldownActive { direction, remaining }, Some(Limit::Cooldown));
        }
        let (to, reason) = match direction {
            Direction::Up => {
                (count + 1, ThresholdReason::AboveThreshold { signal, value, threshold, checks })
            }
            Direction::Down => {
                (count - 1, ThresholdReason::BelowThreshold { signal, value, threshold, checks })
            }
        };
        Proposal { to, reason: reason.into(), limited_by: None }
    }
}

/// Why a signal of completed jobs is missing where replicas stand still; none where that explains nothing.
fn standstill(situation: &Situation<'_>, signal: Signal) -> Option<Reason> {
    let Standstill { replicas, jobs, refused_per_second, at_least } =
        situation.seen.standstill.filter(|_| signal.needs_completions())?;
    Some(Reason::NothingCompleted { signal: signal.into(), replicas, jobs, refused_per_second, at_least })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::observation::Observation;
    use crate::policy::threshold::ThresholdSettings;

    /// How many replicas a policy of 60/s asks for at its first check.
    fn asked_for(per_replica: bool, requests_per_second: f64, replicas: u32) -> u32 {
        let signal = Signal::RequestsPerSecond;
        let settings = ThresholdSettings {
            signal,
            per_replica,
            scale_up_threshold: 60.0,
            scale_down_threshold: 27.0,
            scale_up_checks: 1,
            scale_down_checks: 1,
            ..ThresholdSettings::default()
        };
        let mut policy = ThresholdPolicy::new(settings).unwrap();
        let mut seen = Observation::of_replicas(Duration::from_secs(100), replicas);
        seen.window = policy.settings().window;
        seen.report_from_all(signal, requests_per_second);
        let limits = Limits::new(1, 6).unwrap();
        let situation = Situation { seen: &seen, desired: replicas, limits, last_action_at: None };
        policy.judge(&situation).to
    }

    #[test]
    fn a_sum_over_the_service_is_judged_per_ready_replica_where_asked_for() {
        assert_eq!(asked_for(true, 100.0, 2), 2, "50/s each");
        assert_eq!(asked_for(true, 130.0, 2), 3, "65/s each");
        assert_eq!(asked_for(true, 50.0, 2), 1, "25/s each");
        assert_eq!(asked_for(false, 100.0, 2), 3, "100/s in all");
    }
}
