//! Judges one reading: counts breaches, then asks the limits, then the cooldown.
//!
//! The limit is asked before the cooldown: at the maximum, waiting would change nothing, so "at the maximum" is
//! the truthful reason. A counter keeps counting while a cooldown holds an action back; so a lasting breach acts
//! at the first check after it.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::ThresholdPolicy;
use crate::decision::Limit;
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
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }
}

impl ThresholdPolicy {
    pub(crate) fn propose(&self, history: &mut ThresholdHistory, situation: &Situation<'_>) -> Proposal {
        let signal = self.settings().signal;
        let value = match self.usable_value(situation) {
            Ok(value) => value,
            Err(reason) => {
                history.reset();
                return hold(situation, standstill(situation, signal).unwrap_or(reason), None);
            }
        };
        let settings = self.settings();
        if value > settings.scale_up_threshold {
            history.below = 0;
            history.above = history.above.saturating_add(1);
            return self.on_breach(Direction::Up, value, history.above, situation);
        }
        history.above = 0;
        // A replica that is removed must first leave the rotation, which only a gateway that answers can confirm.
        if let Some(age) = situation.seen.rotation_unknown_for {
            history.below = 0;
            return hold(situation, Reason::RotationUnknown { age }, None);
        }
        // A replica that did not report can only hide load, so what follows needs all of them.
        let (reported, ready) = (situation.seen.reported(signal), situation.seen.ready);
        if reported < ready || ready == 0 {
            history.below = 0;
            let partial = Reason::PartialData { signal, reported, ready };
            return hold(situation, standstill(situation, signal).unwrap_or(partial), None);
        }
        if value < settings.scale_down_threshold {
            history.below = history.below.saturating_add(1);
            return self.on_breach(Direction::Down, value, history.below, situation);
        }
        history.below = 0;
        let (lower, upper) = (settings.scale_down_threshold, settings.scale_up_threshold);
        hold(situation, Reason::WithinThresholds { signal, value, lower, upper }, None)
    }

    fn usable_value(&self, situation: &Situation<'_>) -> Result<f64, Reason> {
        let signal = self.settings().signal;
        let reading = situation.seen.service.get(&signal).ok_or(Reason::MissingData { signal })?;
        let value = reading.value.ok_or(Reason::MissingData { signal })?;
        let bound = self.stale_after();
        if reading.age > bound {
            return Err(Reason::StaleData { signal, age: reading.age, bound });
        }
        // Without a ready replica there is nobody to share it with; what is judged then is the whole of it.
        let shares = if self.settings().per_replica { situation.seen.ready.max(1) } else { 1 };
        let value = value / f64::from(shares);
        if value.is_finite() { Ok(value) } else { Err(Reason::NotANumber { signal }) }
    }

    fn on_breach(
        &self,
        direction: Direction,
        value: f64,
        checks: u32,
        situation: &Situation<'_>,
    ) -> Proposal {
        let (settings, limits, count) = (self.settings(), situation.limits, situation.desired);
        let signal = settings.signal;
        let (threshold, needed, cooldown, at_limit) = match direction {
            Direction::Up => (
                settings.scale_up_threshold,
                settings.scale_up_checks,
                settings.scale_up_cooldown,
                count >= limits.max(),
            ),
            Direction::Down => (
                settings.scale_down_threshold,
                settings.scale_down_checks,
                settings.scale_down_cooldown,
                count <= limits.min(),
            ),
        };
        if checks < needed {
            let pending = Reason::BreachPending { direction, signal, value, threshold, checks, needed };
            return hold(situation, pending, None);
        }
        if at_limit {
            let (reason, limit) = match direction {
                Direction::Up => {
                    (Reason::AtMaximum { signal, value, threshold, max: limits.max() }, Limit::Maximum)
                }
                Direction::Down => {
                    (Reason::AtMinimum { signal, value, threshold, min: limits.min() }, Limit::Minimum)
                }
            };
            return hold(situation, reason, Some(limit));
        }
        let elapsed =
            situation.cooldown_since.map_or(Duration::MAX, |since| situation.seen.at.saturating_sub(since));
        if let Some(remaining) = cooldown.checked_sub(elapsed).filter(|remaining| !remaining.is_zero()) {
            return hold(situation, Reason::CooldownActive { direction, remaining }, Some(Limit::Cooldown));
        }
        let (to, reason) = match direction {
            Direction::Up => (count + 1, Reason::AboveThreshold { signal, value, threshold, checks }),
            Direction::Down => (count - 1, Reason::BelowThreshold { signal, value, threshold, checks }),
        };
        Proposal { to, reason, limited_by: None }
    }
}

/// Why a signal of completed jobs is missing where replicas stand still; none where that explains nothing.
fn standstill(situation: &Situation<'_>, signal: Signal) -> Option<Reason> {
    let Standstill { replicas, jobs, refused_per_second, at_least } =
        situation.seen.standstill.filter(|_| signal.needs_completions())?;
    Some(Reason::NothingCompleted { signal, replicas, jobs, refused_per_second, at_least })
}

fn hold(situation: &Situation<'_>, reason: Reason, limited_by: Option<Limit>) -> Proposal {
    Proposal { to: situation.desired, reason, limited_by }
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
        let policy = ThresholdPolicy::new(settings).unwrap();
        let mut seen = Observation::of_replicas(Duration::from_secs(100), replicas);
        seen.report_from_all(signal, requests_per_second);
        let limits = Limits::new(1, 6).unwrap();
        let situation = Situation { seen: &seen, desired: replicas, limits, cooldown_since: None };
        policy.propose(&mut ThresholdHistory::default(), &situation).to
    }

    #[test]
    fn a_sum_over_the_service_is_judged_per_ready_replica_where_asked_for() {
        assert_eq!(asked_for(true, 100.0, 2), 2, "50/s each");
        assert_eq!(asked_for(true, 130.0, 2), 3, "65/s each");
        assert_eq!(asked_for(true, 50.0, 2), 1, "25/s each");
        assert_eq!(asked_for(false, 100.0, 2), 3, "100/s in all");
    }
}
