//! Checks on random histories what no followed autoscaler, and no policy of any step, may ever do, whatever it is told.

#![expect(clippy::unwrap_used, reason = "what cannot be set up fails its test")]

use std::time::Duration;

use proptest::prelude::*;
use scaler_engine::hpa::{
    Behavior, ControllerSettings, HpaPolicy, HpaSpec, Metric, MetricSource, MetricTarget, RESOURCE_WINDOW,
    Release, Resource, ScalingChange, ScalingPolicy, ScalingRules,
};
use scaler_engine::keda::{
    ExternalTargetType, Fallback, FallbackBehavior, PolledTrigger, ScaledObjectPolicy, ScaledObjectSpec,
    Trigger, TriggerSource, TriggerTarget,
};
use scaler_engine::knative::{KnativePolicy, KnativeSpec, KpaSpec, ScaleSettings};
use scaler_engine::policy::watermark::{WatermarkPolicy, WatermarkSettings};
use scaler_engine::{
    Action, Answer, AnyPolicy, Cause, Engine, Limits, Observation, Phase, Policy as _, Reading,
    ResourceRequests, Signal, invariants,
};

/// One thing that happens to an engine.
#[derive(Clone, Debug)]
enum Event {
    Check { wait_seconds: u64, value: Option<f64>, look: Look, works: bool },
    Count(u32),
    ByHand(u32),
    Limits(u32, u32),
    Pause(bool),
    ClockSetBack(u64),
}

/// What is odd about what is seen.
#[derive(Clone, Copy, Debug)]
struct Look {
    unready: usize,
    pending: usize,
    twins: bool,
    is_blind: bool,
    platform_restores: bool,
}

fn any_value() -> impl Strategy<Value = Option<f64>> {
    let hostile = vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 1e300, f64::MIN_POSITIVE];
    prop_oneof![
        2 => Just(None),
        1 => proptest::sample::select(hostile).prop_map(Some),
        4 => Just(Some(0.0)),
        8 => (0.0..3.0).prop_map(Some),
    ]
}

fn any_look() -> impl Strategy<Value = Look> {
    (0..12_usize, 0..12_usize, 0..20_u32, 0..20_u32, 0..4_u32).prop_map(
        |(unready, pending, twins, sight, platform)| Look {
            unready: unready.saturating_sub(9),
            pending: pending.saturating_sub(9),
            twins: twins == 0,
            is_blind: sight == 0,
            platform_restores: platform == 0,
        },
    )
}

fn any_event() -> impl Strategy<Value = Event> {
    let check =
        (1..40_u64, any_value(), any_look(), 0..10_u32).prop_map(|(wait_seconds, value, look, luck)| {
            Event::Check { wait_seconds, value, look, works: luck > 0 }
        });
    prop_oneof![
        40 => check,
        1 => (0..12_u32).prop_map(Event::Count),
        1 => (0..12_u32).prop_map(Event::ByHand),
        1 => (0..4_u32, 1..9_u32).prop_map(|(min, max)| Event::Limits(min, max)),
        1 => any::<bool>().prop_map(Event::Pause),
        1 => (1..4_000_u64).prop_map(Event::ClockSetBack),
    ]
}

fn any_rules() -> impl Strategy<Value = Option<ScalingRules>> {
    let rules =
        (1..5_i32, any::<bool>(), 1..8_u64, 0..5_u64).prop_map(|(change, is_pods, quarters, window)| {
            let change =
                if is_pods { ScalingChange::Pods(change) } else { ScalingChange::Percent(change * 40) };
            let policy = ScalingPolicy { change, period: Duration::from_secs(quarters * 15) };
            ScalingRules {
                policies: Some(vec![policy]),
                stabilization_window: Some(Duration::from_secs(window * 30)),
                ..ScalingRules::default()
            }
        });
    proptest::option::of(rules)
}

fn any_hpa() -> impl Strategy<Value = HpaPolicy> {
    let behavior = proptest::option::of(
        (any_rules(), any_rules()).prop_map(|(scale_up, scale_down)| Behavior { scale_up, scale_down }),
    );
    let release = proptest::sample::select(vec![Release::V1_35, Release::V1_36, Release::V1_37]);
    (behavior, 0..4_u32, 4..12_u32, release, any::<bool>()).prop_map(
        |(behavior, min, max, release, has_cpu)| {
            let external = Metric {
                source: MetricSource::External("orders_waiting".into()),
                target: Some(MetricTarget::AverageValue { milli: 500 }),
            };
            let cpu = Metric {
                source: MetricSource::Resource(Resource::Cpu),
                target: Some(MetricTarget::Utilization { percent: 60 }),
            };
            let metrics = if has_cpu { vec![cpu, external] } else { vec![external] };
            let settings = ControllerSettings::of(release);
            let min = if release == Release::V1_36 { min.max(1) } else { min };
            HpaPolicy::new(HpaSpec { min_replicas: min, max_replicas: max, behavior, metrics }, settings)
                .unwrap()
        },
    )
}

fn any_scaled_object() -> impl Strategy<Value = ScaledObjectPolicy> {
    (0..3_u32, 3..12_u32, 1..5_u64, any::<bool>(), any::<bool>()).prop_map(
        |(min, max, polling, has_fallback, uses_cached_metrics)| {
            let source = TriggerSource::External { metric: "orders_waiting".into(), activation: 0.5 };
            let target =
                TriggerTarget::External { target_type: ExternalTargetType::AverageValue, milli: 400 };
            let trigger = Trigger { name: "s0".to_owned(), target };
            let fallback = has_fallback.then_some(Fallback {
                failure_threshold: 2,
                replicas: 3,
                behavior: FallbackBehavior::Static,
            });
            let spec = ScaledObjectSpec {
                min_replicas: Some(min),
                max_replicas: Some(max),
                triggers: vec![PolledTrigger { trigger, source, uses_cached_metrics }],
                polling_interval: Duration::from_secs(polling * 10),
                fallback,
                ..ScaledObjectSpec::default()
            };
            ScaledObjectPolicy::new(spec, ControllerSettings::default()).unwrap()
        },
    )
}

fn any_knative() -> impl Strategy<Value = KnativePolicy> {
    (0..3_u32, 3..12_u32, 6..90_u64, 0..3_u64, -1..2_i32).prop_map(|(min, max, window, delay, burst)| {
        let kpa = KpaSpec {
            target: 0.7,
            total: 1.0,
            target_burst_capacity: f64::from(burst),
            stable_window: Duration::from_secs(window),
            scale_down_delay: Duration::from_secs(delay * 20),
            ..KpaSpec::default()
        };
        let scale = ScaleSettings { min_scale: min, max_scale: max, ..ScaleSettings::default() };
        let spec = KnativeSpec { kpa, scale, panic_window: Duration::from_secs(3), ..KnativeSpec::default() };
        KnativePolicy::new(spec).unwrap()
    })
}

fn any_watermark() -> impl Strategy<Value = WatermarkPolicy> {
    (1..4_u32, 0..60_u64, 1..3_u32, 3..9_u32).prop_map(|(checks, cooldown, min, max)| {
        let settings = WatermarkSettings {
            low: 0.5,
            high: 1.5,
            scale_down_checks: checks,
            scale_up_cooldown: Duration::from_secs(cooldown),
            scale_down_cooldown: Duration::from_secs(cooldown),
            min_replicas: min,
            max_replicas: max,
            ..WatermarkSettings::default()
        };
        WatermarkPolicy::new(settings).unwrap()
    })
}

fn any_policy() -> impl Strategy<Value = AnyPolicy> {
    prop_oneof![
        1 => any_watermark().prop_map(AnyPolicy::from),
        2 => any_hpa().prop_map(AnyPolicy::from),
        1 => any_scaled_object().prop_map(AnyPolicy::from),
        1 => any_knative().prop_map(AnyPolicy::from),
    ]
}

fn observation(engine: &Engine, now: Duration, replicas: u32, value: Option<f64>, look: Look) -> Observation {
    let mut seen = Observation { window: RESOURCE_WINDOW, ..Observation::of_replicas(now, replicas) };
    let total = value.map(|value| value * f64::from(replicas.max(1)));
    for need in engine.policy().needs() {
        let of_replicas = seen.replicas.iter().map(|replica| (replica.id.clone(), value)).collect();
        let reading = Some(Reading { value: total, age: Duration::ZERO });
        seen.further.push(Answer { need, reading, of_replicas });
    }
    for signal in Signal::ALL {
        seen.service.insert(signal, Reading { value: total, age: Duration::ZERO });
        for replica in &mut seen.replicas {
            replica.signals.insert(signal, value);
        }
    }
    for replica in &mut seen.replicas {
        replica.requests = ResourceRequests { cpu_cores: Some(1.0), memory_bytes: None };
        replica.started_at = Some(now.saturating_sub(Duration::from_secs(1_000)));
    }
    for replica in seen.replicas.iter_mut().take(look.unready) {
        replica.ready = false;
        seen.ready -= 1;
    }
    for replica in seen.replicas.iter_mut().skip(look.unready).take(look.pending) {
        (replica.ready, replica.phase) = (false, Phase::Pending);
        seen.ready -= 1;
    }
    if look.twins
        && let Some(first) = seen.replicas.first().cloned()
    {
        seen.replicas.push(first);
    }
    seen.rotation_unknown_for = look.is_blind.then_some(Duration::from_secs(9));
    seen.platform_restores = look.platform_restores;
    seen
}

/// Plays a history; gives the number of actions. `restarts` saves and restores the engine before each event.
fn play(policy: AnyPolicy, events: &[Event], restarts: bool) -> Result<(u32, Engine), TestCaseError> {
    let mut engine = Engine::new(policy);
    let (mut now, mut replicas, mut actions) = (Duration::from_secs(1_796_000_000), 1, 0);
    for event in events {
        if restarts {
            let saved = serde_json::to_string(&engine.state()).unwrap();
            let mut restored = Engine::new(engine.policy().clone());
            restored.restore(serde_json::from_str(&saved).unwrap()).unwrap();
            prop_assert_eq!(&restored, &engine, "a saved state must give the same future");
            engine = restored;
        }
        match event {
            Event::Check { wait_seconds, value, look, works } => {
                now += Duration::from_secs(*wait_seconds);
                let seen = observation(&engine, now, replicas, *value, *look);
                let before = engine.clone();
                let decision = engine.decide(&seen);
                prop_assert_eq!(
                    before.clone().decide(&seen),
                    decision.clone(),
                    "the same input, the same output"
                );
                prop_assert!(invariants::within_limits(&decision, engine.limits()), "{decision:?}");
                prop_assert!(invariants::action_matches_counts(&decision), "{decision:?}");
                prop_assert!(
                    invariants::no_removal_while_rotation_is_unknown(&decision, &seen),
                    "{decision:?}"
                );
                prop_assert_eq!(engine.policy().broken_rule(&decision, &seen, None), None, "{:?}", decision);
                if decision.action != Action::Hold && *works {
                    engine.record_scaled(now, decision.from, decision.to, decision.reason.cause());
                    replicas = decision.to;
                    actions += 1;
                }
            }
            Event::Count(count) => replicas = *count,
            Event::ByHand(asked) => {
                if let Ok(decision) = engine.by_hand(&Observation::of_replicas(now, replicas), *asked) {
                    engine.record_scaled(now, decision.from, decision.to, decision.reason.cause());
                    replicas = *asked;
                }
            }
            Event::Limits(min, max) => {
                if let Ok(limits) = Limits::new(*min, *max) {
                    let taken = engine.set_limits(limits);
                    prop_assert_eq!(taken.is_ok(), *min > 0 || engine.policy().can_leave_zero());
                }
            }
            Event::Pause(true) => engine.pause(),
            Event::Pause(false) => engine.resume(),
            Event::ClockSetBack(seconds) => now = now.saturating_sub(Duration::from_secs(*seconds)),
        }
    }
    Ok((actions, engine))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_history_breaks_an_invariant_and_restarting_anywhere_changes_nothing(
        policy in any_policy(),
        events in proptest::collection::vec(any_event(), 1..100),
    ) {
        let (_, without) = play(policy.clone(), &events, false)?;
        let (_, with) = play(policy, &events, true)?;
        prop_assert_eq!(with.state(), without.state());
    }

    #[test]
    fn without_any_data_no_hpa_and_no_revision_changes_its_count(
        policy in prop_oneof![any_hpa().prop_map(AnyPolicy::from), any_knative().prop_map(AnyPolicy::from)],
        waits in proptest::collection::vec(1..40_u64, 1..60),
    ) {
        let replicas = policy.limits().max();
        let mut engine = Engine::new(policy);
        let mut now = Duration::from_secs(1_796_000_000);
        for wait in waits {
            now += Duration::from_secs(wait);
            let decision = engine.decide(&Observation::of_replicas(now, replicas));
            prop_assert_eq!(decision.action, Action::Hold, "{:?}", decision);
        }
    }

    #[test]
    fn no_period_sees_more_replicas_come_than_its_rate_allows(
        pods in 1..5_i32,
        quarters in 1..8_u64,
        loads in proptest::collection::vec((1..40_u64, 0.0..3.0_f64), 1..80),
    ) {
        let period = Duration::from_secs(quarters * 15);
        let rules = ScalingRules {
            policies: Some(vec![ScalingPolicy { change: ScalingChange::Pods(pods), period }]),
            ..ScalingRules::default()
        };
        let down = ScalingRules { stabilization_window: Some(Duration::ZERO), ..ScalingRules::default() };
        let behavior = Some(Behavior { scale_up: Some(rules), scale_down: Some(down) });
        let target = Some(MetricTarget::AverageValue { milli: 500 });
        let metrics = vec![Metric { source: MetricSource::External("orders_waiting".into()), target }];
        let spec = HpaSpec { min_replicas: 1, max_replicas: 50, behavior, metrics };
        let mut engine = Engine::new(AnyPolicy::from(HpaPolicy::new(spec, ControllerSettings::default()).unwrap()));
        let (mut now, mut replicas) = (Duration::from_secs(1_796_000_000), 1);
        let mut came: Vec<(Duration, i64)> = Vec::new();
        let look = Look { unready: 0, pending: 0, twins: false, is_blind: false, platform_restores: false };
        for (wait, load) in loads {
            now += Duration::from_secs(wait);
            let seen = observation(&engine, now, replicas, Some(load), look);
            let decision = engine.decide(&seen);
            if decision.action != Action::Hold {
                prop_assert_eq!(decision.reason.cause(), Cause::Policy);
                engine.record_scaled(now, decision.from, decision.to, decision.reason.cause());
                came.push((now, i64::from(decision.to) - i64::from(decision.from)));
                replicas = decision.to;
            }
            let recent = came.iter().filter(|(at, _)| now.saturating_sub(*at) < period);
            // A rate bounds the distance from the lowest count that the period's changes lead back to.
            let up: i64 = recent.clone().map(|(_, change)| change.max(&0)).sum();
            let down: i64 = recent.map(|(_, change)| -change.min(&0)).sum();
            if decision.action == Action::Up {
                prop_assert!(up - down <= i64::from(pods), "{came:?}");
            }
        }
    }
}

#[test]
fn the_random_histories_do_contain_actions_of_each_kind() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let events = proptest::collection::vec(any_event(), 120);
    let policies: [BoxedStrategy<AnyPolicy>; 4] = [
        any_watermark().prop_map(AnyPolicy::from).boxed(),
        any_hpa().prop_map(AnyPolicy::from).boxed(),
        any_scaled_object().prop_map(AnyPolicy::from).boxed(),
        any_knative().prop_map(AnyPolicy::from).boxed(),
    ];
    for policies in policies {
        let mut total = 0;
        for _ in 0..10 {
            let policy = policies.new_tree(&mut runner).unwrap().current();
            total += play(policy, &events.new_tree(&mut runner).unwrap().current(), false).unwrap().0;
        }
        assert!(
            total > 50,
            "only {total} actions in 10 histories: the properties would hold for want of a try"
        );
    }
}
