//! Holds the rules of a scaler's loop: when a check counts, which count is believed, and what an action leaves behind.
//!
//! The live driver and a simulator follow the same ones. Looks at the service and actions take time, so both overlap
//! with checks: a look that began before an action ended shows a count of the past, and an action may be carried out
//! only in part.

use core::time::Duration;

use crate::decision::{Action, Decision};
use crate::engine::Engine;
use crate::limits::OutOfLimits;
use crate::observation::Observation;
use crate::policy::{AnyPolicy, Miscount, Policy};
use crate::reason::Cause;
use crate::state::EngineState;

/// An engine in its loop.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlLoop<P: Policy = AnyPolicy> {
    engine: Engine<P>,
    /// Whether anything is carried out here; otherwise counts change by the doing of others, and are taken as they are.
    acts: bool,
    in_flight: Option<Decision>,
    /// Looks that began before this moment (run time) show a count of the past.
    counts_from: Duration,
    /// The count that was read back at that moment.
    read_back: Option<u32>,
}

/// What an action brought about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ActionOutcome {
    /// Replicas before; none if they could not be counted.
    pub before: Option<u32>,
    /// Replicas that were asked for.
    pub asked: u32,
    /// Replicas that were read back afterwards; none if they could not be counted.
    pub after: Option<u32>,
    /// Whether everything that was asked for was done.
    pub succeeded: bool,
}

impl<P: Policy> ControlLoop<P> {
    /// The loop of an engine that acts, or only watches what others do (`acts` false).
    pub const fn new(engine: Engine<P>, acts: bool) -> Self {
        Self { engine, acts, in_flight: None, counts_from: Duration::ZERO, read_back: None }
    }

    /// The engine.
    pub const fn engine(&self) -> &Engine<P> {
        &self.engine
    }

    /// The engine, to pause it, or to replace its limits or policy.
    pub const fn engine_mut(&mut self) -> &mut Engine<P> {
        &mut self.engine
    }

    /// The decision that is being carried out.
    pub const fn in_flight(&self) -> Option<&Decision> {
        self.in_flight.as_ref()
    }

    /// Whether a look that began at `look_began_at` shows the count as it is: no action is in flight, and none has ended
    /// since.
    pub fn shows_the_present(&self, look_began_at: Duration) -> bool {
        self.in_flight.is_none() && look_began_at >= self.counts_from
    }

    /// The time that a check made `now` stands for, if one is due and a look that began at `look_began_at` may be judged.
    pub fn check_due(&self, now: Duration, look_began_at: Duration) -> Option<Duration> {
        let is_due = self.engine.next_check(now).is_zero();
        (is_due && self.shows_the_present(look_began_at)).then(|| self.engine.check_time(now))
    }

    /// What a look that began at `look_began_at` shows, with the count of an action that has ended since.
    #[must_use]
    pub fn up_to_date(&self, mut seen: Observation, look_began_at: Duration) -> Observation {
        if look_began_at < self.counts_from {
            seen.current = self.read_back.unwrap_or(seen.current);
        }
        seen
    }

    /// Makes a check. The decision is to be carried out if [`ControlLoop::is_to_act`] says so.
    pub fn check(&mut self, seen: &Observation) -> Decision {
        let platform_counts = seen.platform_restores && self.engine.policy().miscount() == Miscount::Follow;
        if !self.acts
            && !platform_counts
            && let Some(before) = self.engine.desired()
            && before != seen.current
        {
            self.engine.record_scaled(seen.at, before, seen.current, Cause::Elsewhere);
        }
        self.engine.decide(seen)
    }

    /// The decision to go to the count that was asked for by hand.
    ///
    /// # Errors
    /// If `asked` is outside the limits in force.
    pub fn by_hand(&self, seen: &Observation, asked: u32) -> Result<Decision, OutOfLimits> {
        self.engine.by_hand(seen, asked)
    }

    /// Whether something is to be done after this decision.
    pub fn is_to_act(&self, decision: &Decision) -> bool {
        self.acts && decision.action != Action::Hold
    }

    /// The action that follows from `decision` has begun; until it ends, no check is due.
    pub fn begin_action(&mut self, decision: Decision) {
        self.in_flight = Some(decision);
    }

    /// The action in flight ended `now`; gives its decision back. `outcome` is none if nothing is known about it.
    ///
    /// What was reached is recorded, all of it or a part; what was not is asked for again at a later check. Replicas that
    /// others took or added meanwhile are beyond both ends of the way: they were not asked for, and the next check
    /// corrects them.
    pub fn end_action(&mut self, now: Duration, outcome: Option<&ActionOutcome>) -> Option<Decision> {
        let decision = self.in_flight.take()?;
        self.counts_from = now;
        self.read_back = outcome.and_then(|outcome| outcome.after);
        if let Some(ActionOutcome { before: Some(before), asked, after: Some(after), succeeded }) =
            outcome.copied()
            && (before != after || succeeded)
        {
            let reached = after.clamp(before.min(asked), before.max(asked));
            self.engine.record_scaled(decision.at, before, reached, decision.reason.cause());
        }
        Some(decision)
    }

    /// What is to be saved: while an action is in flight, what the engine will remember once that has been carried out. A
    /// scaler that is killed in the middle finds an action begun: it finishes it rather than undoing it, and its cooldown
    /// runs.
    pub fn state(&self) -> EngineState<P::History> {
        let Some(decision) = &self.in_flight else { return self.engine.state() };
        let mut engine = self.engine.clone();
        engine.record_scaled(decision.at, decision.from, decision.to, decision.reason.cause());
        engine.state()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::threshold::ThresholdPolicy;
    use crate::signal::Signal;

    fn seconds(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    fn busy(at: Duration, replicas: u32) -> Observation {
        let mut seen = Observation { window: seconds(30), ..Observation::of_replicas(at, replicas) };
        seen.report_from_all(Signal::ResponseTimeMeanSeconds, 0.9);
        seen
    }

    /// A loop whose second check, at 20 s, asked for a second replica.
    fn acting() -> ControlLoop<ThresholdPolicy> {
        let mut control = ControlLoop::new(Engine::new(ThresholdPolicy::default()), true);
        control.check(&busy(seconds(10), 1));
        let decision = control.check(&busy(seconds(20), 1));
        assert!(control.is_to_act(&decision), "{decision:?}");
        control.begin_action(decision);
        control
    }

    #[test]
    fn no_check_is_due_while_an_action_is_in_flight_nor_on_a_look_from_before_its_end() {
        let mut control = acting();
        assert_eq!(control.check_due(seconds(30), seconds(30)), None, "in flight");
        let outcome = ActionOutcome { before: Some(1), asked: 2, after: Some(2), succeeded: true };
        assert!(control.end_action(seconds(31), Some(&outcome)).is_some());
        assert_eq!(control.check_due(seconds(32), seconds(30)), None, "the look shows the past");
        assert_eq!(control.check_due(seconds(32), seconds(31)), Some(seconds(30)));
        let old = control.up_to_date(busy(seconds(32), 1), seconds(30));
        assert_eq!(old.current, 2, "the count that was read back");
        assert_eq!(control.up_to_date(busy(seconds(32), 1), seconds(31)).current, 1, "a new look counts");
    }

    #[test]
    fn what_was_reached_is_recorded_within_both_ends_of_the_way() {
        for (before, after, succeeded, desired, acted) in [
            (Some(1), Some(2), true, 2, true),
            (Some(1), Some(1), false, 1, false),
            (Some(1), Some(5), true, 2, true),
            (Some(1), Some(0), false, 1, false),
            (None, Some(2), false, 1, false),
            (Some(1), None, false, 1, false),
        ] {
            let mut control = acting();
            control.end_action(seconds(21), Some(&ActionOutcome { before, asked: 2, after, succeeded }));
            let state = control.state();
            let case = (before, after, succeeded);
            assert_eq!((state.desired, state.cooldown_since.is_some()), (Some(desired), acted), "{case:?}");
        }
        let mut control = acting();
        assert!(control.end_action(seconds(21), None).is_some());
        assert_eq!(control.engine().desired(), Some(1), "nothing is known about it");
        assert!(control.end_action(seconds(22), None).is_none(), "no action is in flight");
    }

    #[test]
    fn the_state_saved_during_an_action_is_the_one_after_it() {
        let control = acting();
        let state = control.state();
        assert_eq!((state.desired, state.cooldown_since), (Some(2), Some(seconds(20))));
        assert_eq!(control.engine().state().desired, Some(1), "it has not happened yet");
    }

    #[test]
    fn where_others_act_their_count_is_taken() {
        let mut control = ControlLoop::new(Engine::new(ThresholdPolicy::default()), false);
        control.check(&busy(seconds(10), 1));
        let decision = control.check(&busy(seconds(20), 4));
        assert_eq!((decision.action, control.engine().desired()), (Action::Hold, Some(4)));
        let decision = control.check(&busy(seconds(60), 4));
        assert!(decision.action == Action::Up && !control.is_to_act(&decision), "{decision:?}");
    }
}
