//! Turns observations into decisions under one policy, and keeps what every policy has in common.

use alloc::vec::Vec;
use core::time::Duration;

use crate::decision::{Action, Decision, Limit, Observed, ReadValue};
use crate::invariants;
use crate::limits::{Limits, LimitsError, OutOfLimits};
use crate::need::Scope;
use crate::observation::Observation;
use crate::policy::{AnyPolicy, Check, Miscount, Policy, Proposal, Scaled, Situation};
use crate::reason::{Cause, Reason};
use crate::state::{EngineState, StateError};

/// Decides for one service.
///
/// # What it does at a check, first match wins
///
/// 1. Paused: nothing.
/// 2. The policy has lost and surplus replicas restored, the platform does not do that itself, and another count than
///    the desired one is found: it is corrected at once, whatever the cooldown, by as many replicas as it takes. Outside
///    the limits the reason is `below_minimum` or `above_maximum`; otherwise replicas were lost or came unasked
///    (`replicas_lost`, `unexpected_replicas`). The policy is not asked at that check. If the next check finds the same,
///    it is asked, and what it wants wins over the correction: a replica that keeps dying does not stop it.
/// 3. Otherwise the policy judges the observation.
///
/// While it is not known which replicas are in rotation, none is removed (`rotation_unknown`).
///
/// At the very first check the count found is taken for the desired one. Under a policy that adopts
/// ([`Miscount::Adopt`], and [`Miscount::Follow`] where the platform restores), the platform's desired count is taken at
/// each check.
#[derive(Clone, Debug, PartialEq)]
pub struct Engine<P: Policy = AnyPolicy> {
    policy: P,
    desired: Option<u32>,
    cooldown_since: Option<Duration>,
    next_check_at: Option<Duration>,
    limits: Option<Limits>,
    is_paused: bool,
    was_restoring: bool,
}

impl<P: Policy> Engine<P> {
    /// An engine without any history but the policy's: no cooldown is running and the first check is due at once.
    pub const fn new(policy: P) -> Self {
        Self {
            policy,
            desired: None,
            cooldown_since: None,
            next_check_at: None,
            limits: None,
            is_paused: false,
            was_restoring: false,
        }
    }

    /// Judges what was seen. Nothing is remembered as done: that takes [`Engine::record_scaled`].
    ///
    /// Times may not run backwards; where they do (a wall clock that was set back), a cooldown counts again from
    /// the earlier time instead of lasting until the clock has caught up.
    pub fn decide(&mut self, seen: &Observation) -> Decision {
        self.advance_to(seen.at);
        self.policy.begin_check(Check { at: seen.at, is_paused: self.is_paused });
        let follows = self.follows(seen);
        if follows || self.policy.miscount() == Miscount::Adopt {
            self.adopt(seen);
        }
        let limits = self.limits();
        let settled = *self.desired.get_or_insert(seen.desired);
        let desired = if follows { settled } else { limits.clamp(settled) };
        let last_action_at = self.cooldown_since;
        let from = self.counted(seen);
        let proposal = if self.is_paused {
            Proposal { to: from, reason: Reason::Paused, limited_by: None }
        } else {
            keep_while_rotation_is_unknown(seen, from, self.propose(seen, settled, desired))
        };
        let decision = self.decision(seen, desired, proposal);
        debug_assert!(invariants::within_limits(&decision, limits), "{decision:?}");
        debug_assert!(invariants::no_removal_while_rotation_is_unknown(&decision, seen), "{decision:?}");
        debug_assert!(invariants::action_matches_counts(&decision), "{decision:?}");
        debug_assert_eq!(self.policy.broken_rule(&decision, seen, last_action_at), None, "{decision:?}");
        decision
    }

    /// The decision to go to the count that was asked for by hand; allowed while paused, and whatever the cooldown.
    ///
    /// # Errors
    /// If `asked` is outside the limits in force.
    pub fn by_hand(&self, seen: &Observation, asked: u32) -> Result<Decision, OutOfLimits> {
        let limits = self.limits();
        if !limits.contains(asked) {
            return Err(OutOfLimits { asked, limits });
        }
        let desired = limits.clamp(self.desired.unwrap_or(seen.desired));
        let proposal = Proposal { to: asked, reason: Reason::ByHand { asked }, limited_by: None };
        Ok(self.decision(seen, desired, proposal))
    }

    /// Confirms that the count was brought from one number to another; not to be called for an action that failed.
    ///
    /// The policy learns of it, and cooldowns start in both directions; but a restoration changes nothing that was asked
    /// for and starts none, see [`Cause::Restoration`].
    pub fn record_scaled(&mut self, at: Duration, from: u32, to: u32, cause: Cause) {
        if cause != Cause::Restoration {
            self.desired = Some(to);
            if from == to {
                return;
            }
            self.cooldown_since = Some(at);
        }
        self.policy.on_scaled(&Scaled { at, from, to, cause });
    }

    /// Behaves as if an action had happened at `at`; for a driver that lost its memory and must be careful.
    pub fn start_cooldown(&mut self, at: Duration) {
        self.cooldown_since = Some(at);
        let count = self.desired.unwrap_or_else(|| self.limits().min());
        self.policy.on_scaled(&Scaled { at, from: count, to: count, cause: Cause::Unknown });
    }

    /// Time until the next check is due; zero if it is due now. Checks keep their cadence: one that came late does
    /// not shift those after it, and missed ones are not made up for.
    pub fn next_check(&self, now: Duration) -> Duration {
        match self.next_check_at {
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
        let Some(late) = self.next_check_at.and_then(|due| now.checked_sub(due)) else {
            return now;
        };
        let since_due = late.as_nanos() % self.policy.check_interval().as_nanos();
        let due = now.saturating_sub(Duration::from_nanos(u64::try_from(since_due).unwrap_or(u64::MAX)));
        self.cooldown_since.map_or(due, |acted| due.max(acted.min(now)))
    }

    /// Stops all automatic actions until [`Engine::resume`].
    pub fn pause(&mut self) {
        self.is_paused = true;
    }

    /// Allows automatic actions again.
    pub fn resume(&mut self) {
        self.is_paused = false;
    }

    /// Whether the engine is paused.
    pub const fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Replaces the limits; a count outside them is corrected at the next check.
    ///
    /// # Errors
    /// If the minimum is 0 and the policy's own limits cannot begin there; nothing is changed then.
    pub fn set_limits(&mut self, limits: Limits) -> Result<(), LimitsError> {
        if limits.min() == 0 && !self.policy.can_leave_zero() {
            return Err(LimitsError::MinimumIsZero);
        }
        self.limits = Some(limits);
        Ok(())
    }

    /// Follows another policy from the next check on. Count, cooldown, pause and limits set at run time stay; what the
    /// policy itself remembers stays where it was learned from the same measurements, and is forgotten otherwise.
    ///
    /// Returns whether it stayed.
    pub fn set_policy(&mut self, mut policy: P) -> bool {
        let stays = policy.take_over(&self.policy);
        self.policy = policy;
        stays
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.limits.unwrap_or_else(|| self.policy.limits())
    }

    /// Replicas wanted, within the limits; none before the first check.
    pub fn desired(&self) -> Option<u32> {
        self.desired.map(|desired| self.limits().clamp(desired))
    }

    /// The policy followed.
    pub const fn policy(&self) -> &P {
        &self.policy
    }

    /// All history, to be saved.
    pub fn state(&self) -> EngineState<P::History> {
        EngineState {
            version: EngineState::<P::History>::VERSION,
            desired: self.desired,
            cooldown_since: self.cooldown_since,
            next_check_at: self.next_check_at,
            limits: self.limits,
            paused: self.is_paused,
            was_restoring: self.was_restoring,
            history: self.policy.history(),
        }
    }

    /// Continues from a saved state.
    ///
    /// # Errors
    /// If the state was written by another version of the engine or belongs to another kind of policy; nothing is changed
    /// then.
    pub fn restore(&mut self, state: EngineState<P::History>) -> Result<(), StateError> {
        if state.version != EngineState::<P::History>::VERSION {
            return Err(StateError::Version { found: state.version });
        }
        let expected = self.policy.kind();
        self.policy.restore(state.history).map_err(|_| StateError::Kind { expected })?;
        self.desired = state.desired;
        self.cooldown_since = state.cooldown_since;
        self.next_check_at = state.next_check_at;
        self.limits = state.limits;
        self.is_paused = state.paused;
        self.was_restoring = state.was_restoring;
        Ok(())
    }

    fn advance_to(&mut self, now: Duration) {
        if let Some(since) = &mut self.cooldown_since {
            *since = (*since).min(now);
        }
        let interval = self.policy.check_interval();
        let next = match self.next_check_at {
            Some(due) if now.checked_sub(due).is_some_and(|late| late < interval) => due + interval,
            _ => now + interval,
        };
        self.next_check_at = Some(next);
    }

    /// Whether the platform's own count stands for the one asked for, as in a cluster.
    fn follows(&self, seen: &Observation) -> bool {
        seen.platform_restores && self.policy.miscount() == Miscount::Follow
    }

    /// The count that an action goes from.
    fn counted(&self, seen: &Observation) -> u32 {
        if self.follows(seen) { seen.desired } else { seen.current }
    }

    /// A count that was set by something else is the count asked for from now on.
    fn adopt(&mut self, seen: &Observation) {
        if let Some(before) = self.desired
            && before != seen.desired
        {
            self.record_scaled(seen.at, before, seen.desired, Cause::Elsewhere);
        }
    }

    fn propose(&mut self, seen: &Observation, settled: u32, desired: u32) -> Proposal {
        let limits = self.limits();
        let correction = match self.policy.miscount() {
            Miscount::Follow if self.follows(seen) => None,
            Miscount::Restore | Miscount::Follow => correction(seen, settled, limits),
            Miscount::Adopt => None,
        };
        let is_first_attempt = !self.was_restoring;
        self.was_restoring =
            correction.as_ref().is_some_and(|correction| correction.reason.cause() == Cause::Restoration);
        match correction {
            Some(correction) if is_first_attempt || !self.was_restoring => correction,
            Some(correction) => {
                let proposal = self.ask_policy(seen, desired);
                let wanted = Action::between(desired, proposal.to);
                if wanted == Action::Hold {
                    correction
                } else if proposal.to == seen.current {
                    // What it wants is there already, so nothing will be carried out that could be recorded.
                    self.record_scaled(seen.at, desired, proposal.to, Cause::Policy);
                    proposal
                } else if wanted == Action::between(seen.current, proposal.to) {
                    proposal
                } else {
                    correction
                }
            }
            None => {
                self.desired = Some(desired);
                self.ask_policy(seen, desired)
            }
        }
    }

    fn ask_policy(&mut self, seen: &Observation, desired: u32) -> Proposal {
        let limits = self.limits();
        let situation = Situation { seen, desired, limits, last_action_at: self.cooldown_since };
        let mut proposal = self.policy.propose(&situation);
        let stays_outside = proposal.to == desired && self.follows(seen);
        if !limits.contains(proposal.to) && !stays_outside {
            let limit = if proposal.to < limits.min() { Limit::Minimum } else { Limit::Maximum };
            proposal.to = limits.clamp(proposal.to);
            proposal.limited_by = Some(limit);
        }
        proposal
    }

    fn decision(&self, seen: &Observation, desired: u32, proposal: Proposal) -> Decision {
        let Proposal { to, reason, limited_by } = proposal;
        let from = self.counted(seen);
        Decision {
            at: seen.at,
            action: Action::between(from, to),
            from,
            to,
            reason,
            limited_by,
            observation: Observed {
                read: self.read(seen),
                current: seen.current,
                ready: seen.ready,
                desired,
            },
        }
    }

    fn read(&self, seen: &Observation) -> Vec<ReadValue> {
        let needs = self.policy.needs().into_iter().filter(|need| need.scope != Scope::EachReplica);
        needs
            .map(|need| {
                let reading = seen.service_reading(&need);
                ReadValue {
                    value: reading.and_then(|reading| reading.value).filter(|value| value.is_finite()),
                    age: reading.map(|reading| reading.age),
                    metric: need.metric,
                    window: need.window,
                }
            })
            .collect()
    }
}

/// A replica that is removed must first leave the rotation, which only a gateway that answers can confirm.
fn keep_while_rotation_is_unknown(seen: &Observation, from: u32, proposal: Proposal) -> Proposal {
    match seen.rotation_unknown_for {
        Some(age) if proposal.to < from => {
            Proposal { to: from, reason: Reason::RotationUnknown { age }, limited_by: None }
        }
        _ => proposal,
    }
}

/// What brings the count back to the one that was asked for; none where nothing is to be corrected.
fn correction(seen: &Observation, settled: u32, limits: Limits) -> Option<Proposal> {
    // The surge of a rolling update is there in addition, but a replica that it has not replaced yet may be missing.
    let to = limits.clamp(settled);
    let counted = if seen.platform_restores { seen.desired } else { seen.current };
    let current = if counted > to { to.max(counted.saturating_sub(seen.surge)) } else { counted };
    if current == to {
        return None;
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
    Some(Proposal { to, reason, limited_by })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::threshold::{ThresholdPolicy, ThresholdSettings};
    use crate::signal::Signal;

    fn engine() -> Engine {
        Engine::new(ThresholdPolicy::default().into())
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
        engine.set_limits(Limits::new(2, 3).unwrap()).unwrap();
        let before = engine.clone();
        let state = EngineState { version: 99, paused: true, ..engine.state() };
        assert_eq!(engine.restore(state), Err(StateError::Version { found: 99 }));
        assert_eq!(engine, before);
    }

    fn policy(change: impl FnOnce(&mut ThresholdSettings)) -> AnyPolicy {
        let mut settings = ThresholdSettings::default();
        change(&mut settings);
        AnyPolicy::Threshold(ThresholdPolicy::new(settings).unwrap())
    }

    /// An engine with one breach counted, a cooldown and limits set by hand.
    fn engine_with_a_past() -> Engine {
        let mut engine = engine();
        engine.record_scaled(seconds(5), 1, 2, Cause::ByHand);
        engine.set_limits(Limits::new(2, 3).unwrap()).unwrap();
        let mut seen = Observation { window: seconds(30), ..Observation::of_replicas(seconds(10), 2) };
        seen.report_from_all(Signal::ResponseTimeMeanSeconds, 0.9);
        assert_eq!(engine.decide(&seen).reason.code(), "breach_pending");
        engine
    }

    #[test]
    fn another_policy_of_the_same_measurements_keeps_what_was_counted() {
        let mut engine = engine_with_a_past();
        let before = engine.state();
        assert!(engine.set_policy(policy(|settings| {
            settings.scale_up_threshold = 0.5;
            settings.max_replicas = 9;
            settings.check_interval = seconds(2);
        })));
        assert_eq!(engine.state(), before);
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
            let before = engine.state();
            assert!(!engine.set_policy(policy(change)));
            let history = policy(change).history();
            assert_ne!(before.history, history);
            assert_eq!(engine.state(), EngineState { history, ..before });
        }
    }

    #[test]
    fn a_count_by_hand_outside_the_limits_is_refused() {
        let error = engine().by_hand(&Observation::of_replicas(seconds(0), 1), 7).unwrap_err();
        assert_eq!(alloc::string::ToString::to_string(&error), "7 replicas were asked for, expected 1 to 6");
    }
}
