//! KEDA's parts under numbers that no cluster should report.

use scaler_engine::keda::{
    ActivationSettings, Fallback, FallbackBehavior, FallbackTarget, KafkaOptions, LatestOffset,
    OffsetResetPolicy, PartitionOffsets, Query, TargetSeen, activate, answer_query, divisors, even_factor,
    exported_milli, kafka_metric, parse_quantity,
};

use super::*;

fn any_offsets() -> impl Strategy<Value = PartitionOffsets> {
    let latest = prop_oneof![any_i64().prop_map(LatestOffset::At), Just(LatestOffset::Absent)];
    (any_i64(), latest, proptest::option::of(any_i64())).prop_map(
        |(committed, latest, previous_committed)| PartitionOffsets { committed, latest, previous_committed },
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
