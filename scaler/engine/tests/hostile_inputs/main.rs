//! What the autoscalers of other systems do with numbers that no cluster should report: they never panic, and what
//! they ask for stays within their bounds.

mod keda;
mod knative;

use std::time::Duration;

use proptest::prelude::*;
use scaler_engine::Age;
use scaler_engine::hpa::{
    self, Behavior, Container, ContainerUsage, ControllerSettings, HpaSpec, HpaState, InitContainer, Metric,
    MetricAnswer, MetricSource, MetricTarget, Pod, PodPhase, PodUsage, PodValue, Requests, Resource, Scale,
    ScaleToZero, ScalingChange, ScalingPolicy, ScalingRules, Seen, SelectPolicy, Selector,
};

fn any_i64() -> impl Strategy<Value = i64> {
    prop_oneof![
        3 => 0..100_000_i64,
        1 => proptest::sample::select(vec![0, 1, -1, i64::MIN, i64::MAX, i64::MAX - 1]),
        1 => any::<i64>(),
    ]
}

fn any_i32() -> impl Strategy<Value = i32> {
    prop_oneof![3 => 0..200_i32, 1 => proptest::sample::select(vec![0, -1, i32::MIN, i32::MAX])]
}

fn any_u32() -> impl Strategy<Value = u32> {
    prop_oneof![4 => 0..20_u32, 1 => proptest::sample::select(vec![0, 1, u32::MAX, 1 << 31])]
}

fn any_f64() -> impl Strategy<Value = f64> {
    prop_oneof![
        3 => 0.0..1e4_f64,
        1 => proptest::sample::select(vec![0.0, -1.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN_POSITIVE]),
    ]
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (0..10_000_u64).prop_map(Duration::from_millis),
        1 => proptest::sample::select(vec![Duration::ZERO, Duration::MAX, Duration::from_nanos(1)]),
    ]
}

fn any_age() -> impl Strategy<Value = Age> {
    prop_oneof![
        3 => (-100.0..1_000.0_f64).prop_map(Age::from_seconds),
        1 => any_f64().prop_map(Age::from_seconds),
        1 => (any_duration(), any_duration()).prop_map(|(now, then)| Age::between(now, then)),
    ]
}

fn any_name() -> impl Strategy<Value = String> {
    proptest::sample::select(vec!["a", "b", "c", "", "stray"]).prop_map(str::to_owned)
}

fn any_requests() -> impl Strategy<Value = Requests> {
    proptest::option::of(any_i64())
        .prop_map(|milli| milli.map(|milli| (Resource::Cpu, milli)).into_iter().collect())
}

fn any_container() -> impl Strategy<Value = Container> {
    (any_name(), any_requests()).prop_map(|(name, requests)| Container { name, requests })
}

fn any_pod() -> impl Strategy<Value = Pod> {
    let phase = proptest::sample::select(vec![
        PodPhase::Pending,
        PodPhase::Running,
        PodPhase::Running,
        PodPhase::Succeeded,
        PodPhase::Failed,
        PodPhase::Unknown,
    ]);
    let ages = (proptest::option::of(any_age()), proptest::option::of(any_age()));
    let containers = proptest::collection::vec(any_container(), 0..3);
    let rest = (any_container(), any::<bool>(), any_requests());
    (any_name(), phase, any::<Option<bool>>(), any::<bool>(), ages, containers, rest).prop_map(
        |(name, phase, ready, deleting, ages, containers, (container, restartable, pod_level_requests))| {
            Pod {
                name,
                phase,
                ready,
                deleting,
                start_age: ages.0,
                ready_transition_age: ages.1,
                containers,
                init_containers: vec![InitContainer { container, restartable }],
                pod_level_requests,
            }
        },
    )
}

fn any_source() -> impl Strategy<Value = MetricSource> {
    prop_oneof![
        Just(MetricSource::Resource(Resource::Cpu)),
        Just(MetricSource::Resource(Resource::Memory)),
        any_name()
            .prop_map(|container| MetricSource::ContainerResource { resource: Resource::Cpu, container }),
        any_name().prop_map(|name| MetricSource::Pods(name.into())),
        any_name().prop_map(|name| MetricSource::Object(name.into())),
        any_name().prop_map(|name| MetricSource::External(name.into())),
        any_name().prop_map(MetricSource::Unknown),
    ]
}

fn any_target() -> impl Strategy<Value = Option<MetricTarget>> {
    prop_oneof![
        Just(None),
        any_i32().prop_map(|percent| Some(MetricTarget::Utilization { percent })),
        any_i64().prop_map(|milli| Some(MetricTarget::AverageValue { milli })),
        any_i64().prop_map(|milli| Some(MetricTarget::Value { milli })),
    ]
}

fn any_answer() -> impl Strategy<Value = MetricAnswer> {
    let usage = (any_name(), any_age(), any_duration(), any_name(), proptest::option::of(any_i64()))
        .prop_map(|(pod, age, window, name, usage_milli)| PodUsage {
            pod,
            age,
            window,
            containers: vec![ContainerUsage { name, usage_milli }],
        });
    let value = (any_name(), any_age(), any_duration(), any_i64())
        .prop_map(|(pod, age, window, value_milli)| PodValue { pod, age, window, value_milli });
    prop_oneof![
        proptest::collection::vec(usage, 0..4).prop_map(MetricAnswer::Resource),
        proptest::collection::vec(value, 0..4).prop_map(MetricAnswer::Pods),
        any_i64().prop_map(MetricAnswer::Object),
        proptest::collection::vec(any_i64(), 0..4).prop_map(MetricAnswer::External),
        any_name().prop_map(MetricAnswer::Failed),
    ]
}

fn any_rules() -> impl Strategy<Value = ScalingRules> {
    let change =
        prop_oneof![any_i32().prop_map(ScalingChange::Pods), any_i32().prop_map(ScalingChange::Percent),];
    let policy = (change, any_duration()).prop_map(|(change, period)| ScalingPolicy { change, period });
    let select = proptest::sample::select(vec![SelectPolicy::Max, SelectPolicy::Min, SelectPolicy::Disabled]);
    (
        proptest::option::of(proptest::collection::vec(policy, 0..3)),
        proptest::option::of(select),
        proptest::option::of(any_duration()),
        proptest::option::of(any_f64()),
    )
        .prop_map(|(policies, select_policy, stabilization_window, tolerance)| ScalingRules {
            policies,
            select_policy,
            stabilization_window,
            tolerance,
        })
}

fn any_spec() -> impl Strategy<Value = HpaSpec> {
    let metric = (any_source(), any_target()).prop_map(|(source, target)| Metric { source, target });
    let behavior = (proptest::option::of(any_rules()), proptest::option::of(any_rules()))
        .prop_map(|(scale_up, scale_down)| Behavior { scale_up, scale_down });
    (any_u32(), any_u32(), proptest::option::of(behavior), proptest::collection::vec(metric, 0..4)).prop_map(
        |(one, other, behavior, metrics)| HpaSpec {
            min_replicas: one.min(other),
            max_replicas: one.max(other),
            behavior,
            metrics,
        },
    )
}

fn any_settings() -> impl Strategy<Value = ControllerSettings> {
    let to_zero = proptest::sample::select(vec![ScaleToZero::Before1_36, ScaleToZero::Off, ScaleToZero::On]);
    (any_f64(), any_duration(), any_duration(), any_duration(), to_zero).prop_map(
        |(tolerance, downscale_stabilization, cpu_initialization_period, delay, scale_to_zero)| {
            ControllerSettings {
                tolerance,
                downscale_stabilization,
                cpu_initialization_period,
                initial_readiness_delay: delay,
                scale_to_zero,
                ..ControllerSettings::default()
            }
        },
    )
}

/// One pass: the step in time, the scale, the pods and the answers, and whether the write works.
type Pass = (Duration, u32, u32, Vec<Pod>, Vec<MetricAnswer>, bool);

fn any_pass() -> impl Strategy<Value = Pass> {
    (
        (0..40_000_u64).prop_map(Duration::from_millis),
        any_u32(),
        any_u32(),
        proptest::collection::vec(any_pod(), 0..5),
        proptest::collection::vec(any_answer(), 0..5),
        any::<bool>(),
    )
}

proptest! {
    #[test]
    fn a_pass_stays_within_its_bounds_whatever_it_sees(
        spec in any_spec(),
        settings in any_settings(),
        passes in proptest::collection::vec(any_pass(), 1..8),
    ) {
        let mut state = HpaState::default();
        let mut now = Duration::from_secs(1_000);
        for (step, spec_replicas, status_replicas, pods, answers, works) in &passes {
            now += *step;
            let scale = Scale {
                spec_replicas: *spec_replicas,
                status_replicas: *status_replicas,
                selector: Selector::Ok,
            };
            let seen = Seen { now, scale: Some(scale), pods, answers };
            let outcome = hpa::reconcile(&spec, &settings, &mut state, &seen);
            if let Some(rescale) = outcome.rescale {
                prop_assert_eq!(rescale.from, *spec_replicas);
                prop_assert_ne!(rescale.from, rescale.to);
                prop_assert!(rescale.to >= spec.min_replicas && rescale.to <= spec.max_replicas, "{rescale:?}");
            }
            if *works {
                outcome.rescaled(&spec, &settings, &mut state, now);
            } else {
                outcome.rescale_failed(&mut state);
            }
        }
        prop_assert!(state.recommendations.map_or(0, |history| history.len()) <= passes.len() + 1);
    }

    #[test]
    fn a_repeated_pass_after_its_write_scales_no_further_than_the_bounds(
        spec in any_spec(),
        replicas in any_u32(),
        answers in proptest::collection::vec(any_answer(), 0..4),
    ) {
        let settings = ControllerSettings::default();
        let mut state = HpaState::default();
        let mut replicas = replicas;
        for second in 0..20_u64 {
            let now = Duration::from_secs(1_000 + 15 * second);
            let scale = Scale { spec_replicas: replicas, status_replicas: replicas, selector: Selector::Ok };
            let seen = Seen { now, scale: Some(scale), pods: &[], answers: &answers };
            let outcome = hpa::reconcile(&spec, &settings, &mut state, &seen);
            outcome.rescaled(&spec, &settings, &mut state, now);
            replicas = outcome.rescale.map_or(replicas, |rescale| rescale.to);
        }
        prop_assert!(replicas == 0 || replicas <= spec.max_replicas);
    }
}
