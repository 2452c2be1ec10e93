//! Turns observations into decisions under one policy, and remembers what the next decision needs.

use core::time::Duration;

use crate::decision::{Action, Decision, Limit, Observed};
use crate::invariants;
use crate::limits::{Limits, OutOfLimits};
use crate::observation::Observation;
use crate::policy::{Policy, Proposal, Situation};
use crate::reason::{Cause, Reason};
use crate::state::{EngineState, StateError};

/// Decides for one service.
///
/// # What it does at a check, first match wins
///
/// 1. Paused: nothing, and the breach counters start again from 0.
/// 2. Another count than the desired one is found: it is corrected at once, whatever the cooldown, by as many
///    replicas as it takes. Outside the limits the reason is `below_minimum` or `above_maximum`; otherwise
///    replicas were lost or came unasked (`replicas_lost`, `unexpected_replicas`). The policy is not asked at
///    that check, and its counters stay. While it is not known which replicas are in rotation, none is removed
///    (`rotation_unknown`).
/// 3. Otherwise the policy judges the observation.
///
/// At the very first check the count found is taken for the desired one.
#[derive(Clone, Debug, PartialEq)]
pub struct Engine {
    policy: Policy,
    state: EngineState,
}

impl Engine {
    /// An engine without any history: no cooldown is running and the first check is due at once.
    pub fn new(policy: Policy) -> Self {
        let history = policy.empty_history();
        let state = EngineState {
            version: EngineState::VERSION,
            desired: None,
            cooldown_since: None,
            next_check_at: None,
            limits: None,
            paused: false,
            history,
        };
        Self { policy, state }
    }

    /// Judges what was seen. Nothing is remembered as done: that takes [`Engine::record_scaled`].
    ///
    /// Times may not run backwards; where they do (a wall clock that was set back), a cooldown counts anew from
    /// the earlier time instead of lasting until the clock has caught up.
    pub fn decide(&mut self, seen: &Observation) -> Decision {
        self.advance_to(seen.at);
        let limits = self.limits();
        let settled = *self.state.desired.get_or_insert(seen.desired);
        let desired = limits.clamp(settled);
        let proposal = if self.state.paused {
            self.state.history.reset();
            Proposal { to: seen.current, reason: Reason::Paused, limited_by: None }
        } else if seen.current != desired {
            correction(seen, settled, limits)
        } else {
            self.state.desired = Some(desired);
            let situation = Situation { seen, desired, limits, cooldown_since: self.state.cooldown_since };
            self.policy.propose(&mut self.state.history, &situation)
        };
        let decision = self.decision(seen, desired, &proposal);
        debug_assert!(invariants::within_limits(&decision, limits), "{decision:?}");
        debug_assert!(invariants::no_removal_while_rotation_is_unknown(&decision, seen), "{decision:?}");
        debug_assert!(invariants::no_scale_down_without_data(&decision, seen, &self.policy), "{decision:?}");
        debug_assert!(
            invariants::outside_cooldown(&decision, self.state.cooldown_since, &self.policy),
            "{decision:?}"
        );
        debug_assert!(invariants::one_replica_at_a_time(&decision), "{decision:?}");
        debug_assert!(invariants::action_matches_counts(&decision), "{decision:?}");
        decision
    }

    /// The decision to go to the count that somebody asked for; allowed while paused, and whatever the cooldown.
    ///
    /// # Errors
    /// If `asked` is outside the limits in force.
    pub fn by_hand(&self, seen: &Observation, asked: u32) -> Result<Decision, OutOfLimits> {
        let limits = self.limits();
        if !limits.contains(asked) {
            return Err(OutOfLimits { asked, limits });
        }
        let desired = limits.clamp(self.state.desired.unwrap_or(seen.desired));
        let proposal = Proposal { to: asked, reason: Reason::ByHand { asked }, limited_by: None };
        Ok(self.decision(seen, desired, &proposal))
    }

    /// Confirms that the count was brought from one number to another; not to be called for an action that failed.
    ///
    /// Starts the cooldowns in both directions and sets the breach counters to 0. A restoration does neither, see
    /// [`Cause::Restoration`].
    pub fn record_scaled(&mut self, at: Duration, from: u32, to: u32, cause: Cause) {
        if cause == Cause::Restoration {
            return;
        }
        self.state.desired = Some(to);
        if from != to {
            self.start_cooldown(at);
        }
    }

    /// Behaves as if an action had happened at `at`; for a driver that lost its memory and must be careful.
    pub fn start_cooldown(&mut self, at: Duration) {
        self.state.cooldown_since = Some(at);
        self.state.history.reset();
    }

    /// Time until the next check is due; zero if it is due now. Checks keep their cadence: one that came late does
    /// not shift those after it, and missed ones are not made up for.
    pub fn next_check(&self, now: Duration) -> Duration {
        match self.state.next_check_at {
            Some(due) if due <= now + self.policy.check_interval() => due.saturating_sub(now),
            // The clock was set back further than a check lies ahead.
            Some(_) | None => Duration::ZERO,
        }
    }

    /// The time that a check made `now` stands for, to be used as its observation's time: the last moment at which one
    /// was due, but not before the last action.
    ///
    /// A check that is some milliseconds late at one end of a cooldown and punctual at the other would otherwise find
    /// the cooldown a hair too short, and wait a whole interval longer.
    pub fn check_time(&self, now: Duration) -> Duration {
        let Some(late) = self.state.next_check_at.and_then(|due| now.checked_sub(due)) else {
            return now;
        };
        let since_due = late.as_nanos() % self.policy.check_interval().as_nanos();
        let due = now.saturating_sub(Duration::from_nanos(u64::try_from(since_due).unwrap_or(u64::MAX)));
        self.state.cooldown_since.map_or(due, |acted| due.max(acted.min(now)))
    }

    /// Stops all automatic actions until [`Engine::resume`].
    pub fn pause(&mut self) {
        self.state.paused = true;
    }

    /// Allows automatic actions again.
    pub fn resume(&mut self) {
        self.state.paused = false;
    }

    /// Whether the engine is paused.
    pub const fn is_paused(&self) -> bool {
        self.state.paused
    }

    /// Replaces the limits; a count outside them is corrected at the next check.
    pub fn set_limits(&mut self, limits: Limits) {
        self.state.limits = Some(limits);
    }

    /// Follows another policy from the next check on. Count, cooldown, pause and limits set at run time stay; what the
    /// policy itself remembers stays where it was learned from the same measurements, and is forgotten otherwise.
    ///
    /// Returns whether it stayed.
    pub fn set_policy(&mut self, policy: Policy) -> bool {
        let stays = self.policy.measures_as(&policy);
        if !stays {
            self.state.history = policy.empty_history();
        }
        self.policy = policy;
        stays
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.state.limits.unwrap_or_else(|| self.policy.limits())
    }

    /// Replicas wanted, within the limits; none before the first check.
    pub fn desired(&self) -> Option<u32> {
        self.state.desired.map(|desired| self.limits().clamp(desired))
    }

    /// The policy followed.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// All history, to be saved.
    pub const fn state(&self) -> &EngineState {
        &self.state
    }

    /// Continues from a saved state.
    ///
    /// # Errors
    /// If the state was written by another version of the engine; nothing is changed then.
    pub fn restore(&mut self, state: EngineState) -> Result<(), StateError> {
        if state.version != EngineState::VERSION {
            return Err(StateError::Version { found: state.version });
        }
        self.state = state;
        Ok(())
    }

    fn advance_to(&mut self, now: Duration) {
        if let Some(since) = &mut self.state.cooldown_since {
            *since = (*since).min(now);
        }
        let interval = self.policy.check_interval();
        let next = match self.state.next_check_at {
            Some(due) if now.checked_sub(due).is_some_and(|late| late < interval) => due + interval,
            _ => now + interval,
        };
        self.state.next_check_at = Some(next);
    }

    fn decision(&self, seen: &Observation, desired: u32, proposal: &Proposal) -> Decision {
        let signal = self.policy.signal();
        let reading = seen.service.get(&signal);
        Decision {
            at: seen.at,
            action: Action::between(seen.current, proposal.to),
            from: seen.current,
            to: proposal.to,
            reason: proposal.reason,
            limited_by: proposal.limited_by,
            observation: Observed {
                signal,
                value: reading.and_then(|reading| reading.value).filter(|value| value.is_finite()),
                age: reading.map(|reading| reading.age),
                current: seen.current,
                ready: seen.ready,
                desired,
            },
        }
    }
}

fn correction(seen: &Observation, settled: u32, limits: Limits) -> Proposal {
    let (current, to) = (seen.current, limits.clamp(settled));
    if let Some(age) = seen.rotation_unknown_for.filter(|_| to < current) {
        return Proposal { to: current, reason: Reason::RotationUnknown { age }, limited_by: None };
    }
    let (reason, limited_by) = if settled < limits.min() {
        (Reason::BelowMinimum { current, min: limits.min() }, Some(Limit::Minimum))
    } else if settled > limits.max() {
        (Reason::AboveMaximum { current, max: limits.max() }, Some(Limit::Maximum))
    } else if current < settled {
        (Reason::ReplicasLost { current, desired: settled }, None)
    } else {
        (Reason::UnexpectedReplicas { current, desired: settled }, None)
    };
    Proposal { to, reason, limited_by }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::threshold::{ThresholdPolicy, ThresholdSettings};
    use crate::signal::Signal;

    fn engine() -> Engine {
        Engine::new(Policy::Threshold(ThresholdPolicy::default()))
    }

    fn seconds(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    #[test]
    fn a_late_check_does_not_shift_the_ones_after_it() {
        let mut engine = engine();
        assert_eq!(engine.next_check(seconds(100)), Duration::ZERO, "the first check is due at once");
        engine.decide(&Observation::of_replicas(seconds(100), 1));
        engine.decide(&Observation::of_replicas(Duration::from_millis(110_300), 1));
        assert_eq!(engine.next_check(seconds(111)), seconds(9), "due at 120 s, not at 120.3 s");
        engine.decide(&Observation::of_replicas(engine.check_time(seconds(505)), 1));
        assert_eq!(engine.next_check(seconds(505)), seconds(5), "missed checks are not made up for");
    }

    #[test]
    fn a_check_stands_for_the_time_it_was_due() {
        let mut engine = engine();
        assert_eq!(engine.check_time(seconds(100)), seconds(100));
        engine.decide(&Observation::of_replicas(seconds(100), 1));
        assert_eq!(engine.check_time(Duration::from_millis(110_004)), seconds(110));
        assert_eq!(engine.check_time(seconds(135)), seconds(130), "of several that were missed the last");
        assert_eq!(engine.check_time(seconds(105)), seconds(105), "asked early");
        engine.record_scaled(seconds(112), 1, 2, Cause::ByHand);
        assert_eq!(
            engine.check_time(seconds(113)),
            seconds(112),
            "time does not run backwards over an action"
        );
    }

    #[test]
    fn a_clock_set_back_by_a_day_neither_stops_checks_nor_freezes_the_cooldown() {
        let day = seconds(86_400);
        let mut engine = engine();
        engine.decide(&Observation::of_replicas(day, 1));
        engine.record_scaled(day, 1, 2, Cause::Policy);
        assert_eq!(engine.next_check(seconds(0)), Duration::ZERO);
        engine.decide(&Observation::of_replicas(seconds(0), 2));
        assert_eq!(engine.state().cooldown_since, Some(seconds(0)));
    }

    #[test]
    fn a_state_of_another_version_is_refused_and_changes_nothing() {
        let mut engine = engine();
        engine.set_limits(Limits::new(2, 3).unwrap());
        let before = engine.clone();
        let state = EngineState { version: 99, paused: true, ..engine.state().clone() };
        assert_eq!(engine.restore(state), Err(StateError::Version { found: 99 }));
        assert_eq!(engine, before);
    }

    fn policy(change: impl FnOnce(&mut ThresholdSettings)) -> Policy {
        let mut settings = ThresholdSettings::default();
        change(&mut settings);
        Policy::Threshold(ThresholdPolicy::new(settings).unwrap())
    }

    /// An engine with one breach counted, a cooldown and limits set by hand.
    fn engine_with_a_past() -> Engine {
        let mut engine = engine();
        engine.record_scaled(seconds(5), 1, 2, Cause::ByHand);
        engine.set_limits(Limits::new(2, 3).unwrap());
        let mut seen = Observation::of_replicas(seconds(10), 2);
        seen.report_from_all(Signal::ResponseTimeMeanSeconds, 0.9);
        assert_eq!(engine.decide(&seen).reason.code(), "breach_pending");
        engine
    }

    #[test]
    fn another_policy_of_the_same_measurements_keeps_what_was_counted() {
        let mut engine = engine_with_a_past();
        let before = engine.state().clone();
        assert!(engine.set_policy(policy(|settings| {
            settings.scale_up_threshold = 0.5;
            settings.max_replicas = 9;
            settings.check_interval = seconds(2);
        })));
        assert_eq!(*engine.state(), before);
        assert_eq!(engine.limits(), Limits::new(2, 3).unwrap(), "limits set by hand stay");
        assert_eq!(engine.next_check(seconds(11)), Duration::ZERO, "further ahead than the new interval");
    }

    #[test]
    fn another_policy_of_other_measurements_forgets_them_and_nothing_else() {
        let changes: [fn(&mut ThresholdSettings); 3] = [
            |settings| settings.signal = Signal::ResponseTimeP95Seconds,
            |settings| settings.window = seconds(10),
            |settings| settings.per_replica = true,
        ];
        for change in changes {
            let mut engine = engine_with_a_past();
            let before = engine.state().clone();
            assert!(!engine.set_policy(policy(change)));
            let history = engine.policy().empty_history();
            assert_ne!(before.history, history);
            assert_eq!(*engine.state(), EngineState { history, ..before });
        }
    }

    #[test]
    fn a_count_by_hand_outside_the_limits_is_refused() {
        let error = engine().by_hand(&Observation::of_replicas(seconds(0), 1), 7).unwrap_err();
        assert_eq!(alloc::string::ToString::to_string(&error), "7 replicas were asked for, expected 1 to 6");
    }
}
