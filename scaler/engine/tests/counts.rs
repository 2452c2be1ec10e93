//! Checks what an engine does about counts that it did not ask for, under policies that restore or adopt them.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails its test")]

use std::time::Duration;

use scaler_engine::{
    Action, AnyPolicy, Cause, Engine, EngineState, Limits, LimitsError, Miscount, Need, Observation, Policy,
    Proposal, Reason, Scaled, Setting, Situation, StateError, ThresholdPolicy,
};

/// Always wants the same count, and remembers what it was told.
#[derive(Clone, Debug, PartialEq)]
struct Wants {
    count: u32,
    miscount: Miscount,
    told: Vec<(u32, u32, String)>,
}

impl Policy for Wants {
    type History = Vec<(u32, u32, String)>;

    fn kind(&self) -> &'static str {
        "Wants"
    }

    fn limits(&self) -> Limits {
        Limits::new(0, 9).unwrap()
    }

    fn check_interval(&self) -> Duration {
        Duration::from_secs(10)
    }

    fn needs(&self) -> Vec<Need> {
        Vec::new()
    }

    fn propose(&mut self, _situation: &Situation<'_>) -> Proposal {
        Proposal { to: self.count, reason: Reason::other("wants", "that many"), limited_by: None }
    }

    fn miscount(&self) -> Miscount {
        self.miscount
    }

    fn can_leave_zero(&self) -> bool {
        true
    }

    fn on_scaled(&mut self, action: &Scaled) {
        self.told.push((action.from, action.to, format!("{:?}", action.cause)));
    }

    fn history(&self) -> Self::History {
        self.told.clone()
    }

    fn restore(&mut self, history: Self::History) -> Result<(), Self::History> {
        self.told = history;
        Ok(())
    }

    fn settings_shown(&self) -> Vec<Setting> {
        Vec::new()
    }
}

fn engine(count: u32, miscount: Miscount) -> Engine<Wants> {
    Engine::new(Wants { count, miscount, told: Vec::new() })
}

/// A look at a service that has `current` replicas and was asked for `desired` by its platform.
fn seen(second: u64, current: u32, desired: u32) -> Observation {
    Observation { desired, ..Observation::of_replicas(Duration::from_secs(second), current) }
}

#[test]
fn a_policy_that_adopts_takes_the_platforms_count_and_leaves_missing_replicas_to_it() {
    let mut engine = engine(4, Miscount::Adopt);
    let decision = engine.decide(&seen(10, 3, 4));
    assert_eq!((decision.action, decision.to), (Action::Up, 4), "one is missing, and four are wanted");
    assert_eq!(decision.reason.code(), "other", "the policy was asked");
    let decision = engine.decide(&seen(20, 6, 6));
    assert_eq!((decision.action, decision.to, decision.observation.desired), (Action::Down, 4, 6));
    assert_eq!(engine.policy().told, [(4, 6, "Elsewhere".to_owned())], "somebody asked for six");
}

#[test]
fn a_platform_that_restores_its_replicas_is_not_helped() {
    let mut engine = engine(3, Miscount::Restore);
    let restoring =
        |second, current, desired| Observation { platform_restores: true, ..seen(second, current, desired) };
    engine.decide(&restoring(10, 3, 3));
    let decision = engine.decide(&restoring(20, 2, 3));
    assert_eq!(decision.reason.code(), "other", "the platform was asked for three and will bring the third");
    let decision = engine.decide(&restoring(30, 5, 5));
    assert_eq!((decision.to, decision.reason.code()), (3, "unexpected_replicas"), "its count was changed");
}

#[test]
fn the_surge_of_a_rolling_update_is_left_alone() {
    let mut engine = engine(3, Miscount::Restore);
    engine.decide(&seen(10, 3, 3));
    let decision = engine.decide(&Observation { surge: 1, ..seen(20, 4, 3) });
    assert_eq!(decision.reason.code(), "other");
    let decision = engine.decide(&Observation { surge: 1, ..seen(30, 5, 3) });
    assert_eq!(
        decision.reason.code(),
        "unexpected_replicas",
        "two more than wanted, of which one is the surge"
    );
    let mut engine = self::engine(3, Miscount::Restore);
    engine.decide(&seen(10, 3, 3));
    let decision = engine.decide(&Observation { surge: 1, ..seen(20, 2, 3) });
    assert_eq!(decision.reason.code(), "replicas_lost", "a surge does not hide a loss");
}

#[test]
fn steps_of_any_size_end_within_the_limits() {
    let mut engine = engine(40, Miscount::Restore);
    let decision = engine.decide(&seen(10, 1, 1));
    assert_eq!((decision.from, decision.to), (1, 9), "nine is the maximum");
    let mut engine = self::engine(0, Miscount::Restore);
    let decision = engine.decide(&seen(10, 7, 7));
    assert_eq!((decision.action, decision.to), (Action::Down, 0), "limits may begin at 0");
}

#[test]
fn a_minimum_of_zero_is_refused_where_a_policy_cannot_leave_it() {
    let mut threshold = Engine::new(AnyPolicy::Threshold(ThresholdPolicy::default()));
    let before = threshold.clone();
    assert_eq!(threshold.set_limits(Limits::new(0, 3).unwrap()), Err(LimitsError::MinimumIsZero));
    assert_eq!(threshold, before);
    assert_eq!(engine(1, Miscount::Restore).set_limits(Limits::new(0, 3).unwrap()), Ok(()));
}

#[test]
fn every_action_reaches_the_policy_with_its_cause() {
    let mut engine = engine(1, Miscount::Restore);
    for cause in [Cause::Policy, Cause::Limits, Cause::Restoration, Cause::ByHand] {
        engine.record_scaled(Duration::from_secs(10), 1, 2, cause);
    }
    engine.start_cooldown(Duration::from_secs(20));
    let causes: Vec<&str> = engine.policy().told.iter().map(|(_, _, cause)| cause.as_str()).collect();
    assert_eq!(causes, ["Policy", "Limits", "Restoration", "ByHand", "Unknown"]);
}

#[test]
fn the_state_of_another_kind_is_refused_and_changes_nothing() {
    /// Gives every history back.
    #[derive(Clone, Debug, PartialEq)]
    struct Refuses(Wants);
    impl Policy for Refuses {
        type History = Vec<(u32, u32, String)>;
        fn kind(&self) -> &'static str {
            "Refuses"
        }
        fn limits(&self) -> Limits {
            self.0.limits()
        }
        fn check_interval(&self) -> Duration {
            self.0.check_interval()
        }
        fn needs(&self) -> Vec<Need> {
            Vec::new()
        }
        fn propose(&mut self, situation: &Situation<'_>) -> Proposal {
            self.0.propose(situation)
        }
        fn history(&self) -> Self::History {
            Vec::new()
        }
        fn restore(&mut self, history: Self::History) -> Result<(), Self::History> {
            Err(history)
        }
        fn settings_shown(&self) -> Vec<Setting> {
            Vec::new()
        }
    }
    let mut other = engine(2, Miscount::Restore);
    other.decide(&seen(10, 5, 5));
    other.pause();
    let mut engine = Engine::new(Refuses(other.policy().clone()));
    let before = engine.clone();
    let error = engine.restore(other.state()).unwrap_err();
    assert_eq!(error, StateError::Kind { expected: "Refuses" });
    assert_eq!(engine, before);
}

#[test]
fn a_state_saved_by_the_version_before_is_read() {
    let saved = r#"{
        "version": 1, "desired": 3, "cooldown_since": {"secs": 1795365298, "nanos": 0},
        "next_check_at": {"secs": 1795365308, "nanos": 0}, "limits": {"min": 1, "max": 4}, "paused": false,
        "history": {"kind": "ThresholdPolicy", "above": 1, "below": 0}
    }"#;
    let state: EngineState = serde_json::from_str(saved).unwrap();
    let mut engine = Engine::new(AnyPolicy::Threshold(ThresholdPolicy::default()));
    engine.restore(state.clone()).unwrap();
    assert_eq!(engine.state(), state);
    assert_eq!((engine.desired(), engine.limits().max()), (Some(3), 4));
}
