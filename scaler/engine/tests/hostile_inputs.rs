//! What the autoscalers of other systems do with numbers that no cluster should report: they never panic, and what
//! they ask for stays within their bounds.

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
        any_name().prop_map(MetricSource::Pods),
        any_name().prop_map(MetricSource::Object),
        any_name().prop_map(MetricSource::External),
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

mod keda {
    use scaler_engine::keda::{
        ActivationSettings, Fallback, FallbackBehavior, FallbackTarget, KafkaOptions, LatestOffset,
        OffsetResetPolicy, PartitionOffsets, Query, TargetSeen, activate, answer_query, divisors,
        even_factor, exported_milli, kafka_metric, parse_quantity,
    };

    use super::*;

    fn any_offsets() -> impl Strategy<Value = PartitionOffsets> {
        let latest = prop_oneof![any_i64().prop_map(LatestOffset::At), Just(LatestOffset::Absent)];
        (any_i64(), latest, proptest::option::of(any_i64())).prop_map(
            |(committed, latest, previous_committed)| PartitionOffsets {
                committed,
                latest,
                previous_committed,
            },
        )
    }

    proptest! {
        #[test]
        fn a_capped_lag_never_asks_for_more_consumers_than_one_above_the_partitions(
            partitions in proptest::collection::vec(any_offsets(), 0..6),
            lag_threshold in any_i64(),
            flags in any::<[bool; 5]>(),
        ) {
            let [earliest, exclude, to_zero, limit, even] = flags;
            let options = KafkaOptions {
                lag_threshold,
                offset_reset_policy: if earliest { OffsetResetPolicy::Earliest } else { OffsetResetPolicy::Latest },
                exclude_persistent_lag: exclude,
                scale_to_zero_on_invalid_offset: to_zero,
                limit_to_partitions_with_lag: limit,
                ensure_even_distribution: even,
                ..KafkaOptions::default()
            };
            let metric = kafka_metric(&partitions, &options);
            if let (Ok(metric), 1..) = (metric, lag_threshold) {
                let consumers = metric.lag / lag_threshold;
                prop_assert!(consumers <= i64::try_from(partitions.len()).unwrap_or(i64::MAX));
            }
        }

        #[test]
        fn an_even_factor_divides_the_partitions(lag in any_i64(), partitions in any_u32(), threshold in any_i64()) {
            let factor = even_factor(lag, partitions, threshold);
            prop_assert!(partitions == 0 || divisors(partitions).contains(&factor));
        }

        #[test]
        fn exported_values_are_never_negative(value in any_f64()) {
            prop_assert!(exported_milli(value) >= 0);
        }

        #[test]
        fn any_text_is_a_quantity_or_an_error(text in any::<String>()) {
            if let Err(error) = parse_quantity(&text) {
                prop_assert!(!error.text.contains('\n'));
            }
        }

        #[test]
        fn activation_never_leaves_the_counts_it_was_given(
            counts in (any_u32(), proptest::option::of(any_u32()), proptest::option::of(any_u32())),
            fallback_replicas in proptest::option::of(any_i64()),
            spans in (any_duration(), any_duration()),
            flags in any::<[bool; 6]>(),
            ages in (proptest::option::of(any_age()), any_age()),
        ) {
            let (current_replicas, min_replicas, idle_replicas) = counts;
            let [active, error, force_activation, paused, paused_scale_in, paused_scale_out] = flags;
            let settings = ActivationSettings {
                min_replicas,
                idle_replicas,
                fallback_replicas,
                cooldown: spans.0,
                initial_cooldown: spans.1,
                force_activation,
                paused,
                paused_scale_in,
                paused_scale_out,
            };
            let seen = TargetSeen { current_replicas, active, error, last_active_age: ages.0, creation_age: ages.1 };
            let outcome = activate(&settings, &seen);
            if let Some(set) = outcome.set_replicas {
                let allowed = [Some(min_replicas.unwrap_or(0).max(1)), idle_replicas, Some(min_replicas.unwrap_or(0))];
                prop_assert!(allowed.contains(&Some(set)) && !paused);
            }
        }

        #[test]
        fn a_fallback_counts_every_failure(
            numbers in (any_i64(), any_i64(), any_i64()),
            pods in (proptest::option::of(any_u32()), proptest::option::of(any_u32())),
            value in proptest::option::of(any_i64()),
            before in any_u32(),
        ) {
            let (failure_threshold, replicas, milli) = numbers;
            for behavior in [
                FallbackBehavior::Static,
                FallbackBehavior::CurrentReplicas,
                FallbackBehavior::CurrentReplicasIfHigher,
                FallbackBehavior::CurrentReplicasIfLower,
            ] {
                for target in [FallbackTarget::AverageValue { milli }, FallbackTarget::Value { milli }] {
                    let fallback = Fallback { failure_threshold, replicas, behavior };
                    let query = Query { value_milli: value, target, current_replicas: pods.0, ready_pods: pods.1 };
                    let mut failures = before;
                    let answer = answer_query(Some(&fallback), &mut failures, &query);
                    prop_assert_eq!(answer.is_ok_and(|answer| !answer.fallback_active), value.is_some());
                    if fallback.is_valid() {
                        prop_assert_eq!(failures, if value.is_some() { 0 } else { before.saturating_add(1) });
                    } else {
                        prop_assert_eq!(failures, before);
                    }
                }
            }
        }
    }
}

mod knative {
    use scaler_engine::knative::{
        ActiveState, Algorithm, Averages, KpaSpec, KpaState, Probe, Reachability, ScaleSeen, ScaleSettings,
        SlidingMax, WindowBuckets, decide, scale,
    };

    use super::*;

    fn any_kpa() -> impl Strategy<Value = KpaSpec> {
        let floats = (any_f64(), any_f64(), any_f64(), any_f64(), any_f64(), any_f64());
        (floats, any_duration(), any_duration(), any::<bool>(), any_u32()).prop_map(
            |(floats, stable_window, scale_down_delay, reachable, activation_scale)| KpaSpec {
                target: floats.0,
                total: floats.1,
                target_burst_capacity: floats.2,
                panic_threshold: floats.3,
                max_scale_up_rate: floats.4,
                max_scale_down_rate: floats.5,
                stable_window,
                reachable,
                activation_scale,
                scale_down_delay,
            },
        )
    }

    proptest! {
        #[test]
        fn a_panic_never_lowers_the_count(
            spec in any_kpa(),
            steps in proptest::collection::vec((any_u32(), any_f64(), any_f64(), any_duration()), 1..12),
        ) {
            // A delay adds a maximum of its own, which may end within a panic.
            let spec = KpaSpec { scale_down_delay: Duration::ZERO, ..spec };
            let mut state = KpaState::start(Duration::ZERO, Some(2));
            let mut now = Duration::ZERO;
            let mut last = 0;
            for (ready, stable, panic, step) in steps {
                now = now.saturating_add(step);
                let was_panicking = state.panic_since.is_some();
                let decision = decide(&spec, &mut state, now, Some(ready), Some(Averages { stable, panic }));
                let desired = decision.map_or(0, |decision| decision.desired);
                if was_panicking && state.panic_since.is_some() {
                    prop_assert!(desired >= last, "{desired} after {last}");
                    last = desired;
                } else {
                    last = 0;
                }
            }
        }

        #[test]
        fn a_sliding_maximum_is_the_maximum_of_its_window(
            values in proptest::collection::vec((0..3_u64, any::<i64>()), 1..60),
            length in 1..8_u64,
        ) {
            let mut window = SlidingMax::new(Duration::from_secs(length), Duration::from_secs(1));
            let mut now = 0;
            let mut seen = Vec::new();
            for (step, value) in values {
                now += step;
                seen.push((now, value));
                let expected = seen.iter().filter(|(at, _)| now - at < length).map(|(_, value)| *value).max();
                prop_assert_eq!(Some(window.record(Duration::from_secs(now), value)), expected);
            }
        }

        #[test]
        fn an_average_lies_between_zero_and_the_largest_bucket(
            records in proptest::collection::vec((0..20_u64, 0.0..100.0_f64), 1..60),
            window_seconds in 1..15_u64,
            weighted in any::<bool>(),
        ) {
            let algorithm = if weighted { Algorithm::WeightedExponential } else { Algorithm::Linear };
            let window = Duration::from_secs(window_seconds);
            let mut buckets = WindowBuckets::new(algorithm, window, Duration::from_secs(1))
                .expect("both durations are positive");
            let mut total = 0.0;
            for (at, value) in records {
                total += value;
                buckets.record(Duration::from_secs(100 + at), value);
                for query in [0, 100, 110, 119, 130] {
                    let average = buckets.average(Duration::from_secs(query));
                    prop_assert!((0.0..=total + 1e-6).contains(&average), "{average}");
                }
            }
        }

        #[test]
        fn bounds_hold_whatever_the_stage(
            counts in (any_u32(), proptest::option::of(any_u32()), any_u32(), any_u32(), any_u32()),
            spans in (any_duration(), any_duration(), any_duration(), any_duration(), any_duration(), any_duration()),
            flags in any::<[bool; 3]>(),
            state in proptest::sample::select(vec![ActiveState::Active, ActiveState::Activating, ActiveState::Inactive]),
            burst in any_f64(),
        ) {
            // A maximum of 0 is none.
            let max = if counts.3 == 0 { 0 } else { counts.3.max(counts.2) };
            let settings = ScaleSettings {
                min_scale: counts.2,
                max_scale: max,
                initial_scale: counts.4,
                enable_scale_to_zero: flags[0],
                stable_window: spans.0,
                grace_period: spans.1,
                pod_retention: spans.2,
                progress_deadline: spans.3,
                target_burst_capacity: burst,
            };
            let seen = ScaleSeen {
                current_replicas: counts.0,
                desired: counts.1,
                initialized: flags[1],
                reachability: Reachability::Reachable,
                state,
                state_for: spans.4,
                probe: Probe::Ok,
                proxy_mode: flags[2],
                in_path_for: spans.5,
            };
            if let Some(count) = scale(&settings, &seen).patch {
                prop_assert!(count >= counts.2 || count == 1 && counts.2 == 0);
                let floor = counts.2.max(if flags[1] { 0 } else { counts.4 });
                prop_assert!(max == 0 || count <= max.max(floor));
                prop_assert!(count > 0 || flags[0]);
            }
        }
    }
}
