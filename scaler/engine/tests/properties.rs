//! Checks on thousands of random histories what no decision may ever do.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails its test")]

use std::time::Duration;

use proptest::prelude::*;
use scaler_engine::{
    Action, AnyPolicy, Cause, Engine, Limits, Observation, Policy, Reading, Signal, ThresholdPolicy,
    ThresholdSettings, invariants,
};

const SIGNAL: Signal = Signal::ResponseTimeMeanSeconds;

/// One thing that happens to an engine.
#[derive(Clone, Debug)]
enum Event {
    Check {
        wait_ms: u64,
        value: Option<f64>,
        age_ms: u64,
        silent: u32,
        unready: u32,
        is_blind: bool,
        works: bool,
    },
    Lost(u32),
    Came(u32),
    ByHand(u32),
    Limits(u32, u32),
    Pause,
    Resume,
    Restart,
}

fn any_value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        1 => Just(None),
        1 => proptest::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300]).prop_map(Some),
        4 => (0.0..0.2).prop_map(Some),
        2 => (0.2..0.7).prop_map(Some),
        4 => (0.6..2.0).prop_map(Some),
    ]
}

fn any_event() -> impl Strategy<Value = Event> {
    let check = (100..60_000_u64, any_value(), 0..40_000_u64, 0..20_u32, 0..20_u32, 0..10_u32, 0..10_u32)
        .prop_map(|(wait_ms, value, age_ms, silent, unready, sight, luck)| Event::Check {
            wait_ms,
            value,
            // Mostly fresh and complete, or no history would ever get far.
            age_ms: if age_ms < 30_000 { age_ms / 10 } else { age_ms },
            silent: silent.saturating_sub(17),
            unready: unready.saturating_sub(17),
            is_blind: sight == 0,
            works: luck > 0,
        });
    prop_oneof![
        30 => check,
        1 => (1..3_u32).prop_map(Event::Lost),
        1 => (1..3_u32).prop_map(Event::Came),
        1 => (0..12_u32).prop_map(Event::ByHand),
        1 => (0..5_u32, 0..9_u32).prop_map(|(min, max)| Event::Limits(min, max)),
        1 => Just(Event::Pause),
        2 => Just(Event::Resume),
        1 => Just(Event::Restart),
    ]
}

fn any_policy() -> impl Strategy<Value = AnyPolicy> {
    (1..4_u32, 1..4_u32, 1..3_u32, 3..8_u32, 0..90_u64, 0..90_u64).prop_map(
        |(up_checks, down_checks, min, max, up_cooldown, down_cooldown)| {
            let settings = ThresholdSettings {
                scale_up_checks: up_checks,
                scale_down_checks: down_checks,
                min_replicas: min,
                max_replicas: max,
                scale_up_cooldown: Duration::from_secs(up_cooldown),
                scale_down_cooldown: Duration::from_secs(down_cooldown),
                ..ThresholdSettings::default()
            };
            AnyPolicy::Threshold(ThresholdPolicy::new(settings).unwrap())
        },
    )
}

fn observation(now: Duration, replicas: u32, event: &Event) -> Observation {
    let mut seen = Observation { window: Duration::from_secs(30), ..Observation::of_replicas(now, replicas) };
    if let Event::Check { value, age_ms, silent, unready, is_blind, .. } = event {
        seen.report_from_all(SIGNAL, 0.0);
        seen.service.insert(SIGNAL, Reading { value: *value, age: Duration::from_millis(*age_ms) });
        for replica in seen.replicas.iter_mut().take(*silent as usize) {
            replica.signals.insert(SIGNAL, None);
        }
        for replica in seen.replicas.iter_mut().rev().take(*unready as usize) {
            replica.ready = false;
        }
        seen.ready = replicas.saturating_sub(*unready);
        seen.rotation_unknown_for = is_blind.then_some(Duration::from_secs(4));
    }
    seen
}

/// What an outside witness notes, without looking into the engine.
struct Witness {
    last_action_at: Option<Duration>,
    replicas: u32,
}

fn play(policy: AnyPolicy, events: &[Event], mut each: impl FnMut(&Engine)) -> Result<u32, TestCaseError> {
    let mut engine = Engine::new(policy);
    let mut witness = Witness { last_action_at: None, replicas: 1 };
    let (mut now, mut actions) = (Duration::from_secs(1_000), 0);
    for event in events {
        match event {
            Event::Check { wait_ms, works, .. } => {
                now += Duration::from_millis(*wait_ms);
                let seen = observation(now, witness.replicas, event);
                let decision = engine.decide(&seen);
                prop_assert!(invariants::within_limits(&decision, engine.limits()), "{decision:?}");
                prop_assert!(
                    invariants::no_removal_while_rotation_is_unknown(&decision, &seen),
                    "{decision:?}"
                );
                prop_assert_eq!(
                    engine.policy().broken_rule(&decision, &seen, witness.last_action_at),
                    None,
                    "{:?} after {:?}",
                    decision,
                    witness.last_action_at
                );
                prop_assert!(invariants::action_matches_counts(&decision), "{decision:?}");
                if engine.is_paused() {
                    prop_assert_eq!(decision.action, Action::Hold);
                }
                if decision.action != Action::Hold && *works {
                    let cause = decision.reason.cause();
                    engine.record_scaled(now, decision.from, decision.to, cause);
                    witness.replicas = decision.to;
                    if cause != Cause::Restoration {
                        witness.last_action_at = Some(now);
                    }
                    actions += 1;
                }
            }
            Event::Lost(count) => witness.replicas = witness.replicas.saturating_sub(*count),
            Event::Came(count) => witness.replicas += count,
            Event::ByHand(asked) => {
                let seen = Observation::of_replicas(now, witness.replicas);
                if let Ok(decision) = engine.by_hand(&seen, *asked) {
                    prop_assert!(engine.limits().contains(*asked));
                    engine.record_scaled(now, decision.from, decision.to, decision.reason.cause());
                    if decision.action != Action::Hold {
                        witness.last_action_at = Some(now);
                    }
                    witness.replicas = *asked;
                } else {
                    prop_assert!(!engine.limits().contains(*asked));
                }
            }
            Event::Limits(min, max) => {
                if let Ok(limits) = Limits::new(*min, *max) {
                    let taken = engine.set_limits(limits);
                    prop_assert_eq!(taken.is_ok(), limits.min() > 0, "without a replica nothing is measured");
                }
            }
            Event::Pause => engine.pause(),
            Event::Resume => engine.resume(),
            Event::Restart => {
                let saved = serde_json::to_string(&engine.state()).unwrap();
                let before = engine.clone();
                engine = Engine::new(before.policy().clone());
                engine.restore(serde_json::from_str(&saved).unwrap()).unwrap();
                prop_assert_eq!(&engine, &before, "a saved state must give the same future");
            }
        }
        each(&engine);
    }
    Ok(actions)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_an_invariant(policy in any_policy(), events in proptest::collection::vec(any_event(), 1..120)) {
        play(policy, &events, |_| ())?;
    }

    #[test]
    fn restarting_at_every_step_changes_nothing(
        policy in any_policy(),
        events in proptest::collection::vec(any_event(), 1..60),
    ) {
        let mut without = Vec::new();
        play(policy.clone(), &events, |engine| without.push(engine.state()))?;
        let restarting: Vec<Event> = events.iter().flat_map(|event| [Event::Restart, event.clone()]).collect();
        let mut with = Vec::new();
        play(policy, &restarting, |engine| with.push(engine.state()))?;
        let with: Vec<_> = with.into_iter().skip(1).step_by(2).collect();
        prop_assert_eq!(with, without);
    }
}

#[test]
fn the_random_histories_do_contain_actions() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let strategy = proptest::collection::vec(any_event(), 120);
    let total: u32 = (0..20)
        .map(|_| {
            let events = strategy.new_tree(&mut runner).unwrap().current();
            play(AnyPolicy::Threshold(ThresholdPolicy::default()), &events, |_| ()).unwrap()
        })
        .sum();
    assert!(total > 100, "only {total} actions in 20 histories: the properties would hold for want of a try");
}
