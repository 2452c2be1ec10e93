//! Knative's autoscaler under numbers that no cluster should report.

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
