//! Computes every signal from what totals grew by in the window.

use scaler_engine::Signal;

use crate::growth::Growth;
use crate::totals::Totals;

/// The signals that a growth tells, each with its value; those it cannot tell are left out.
///
/// A window without requests is data: means, quantiles and rates are then 0. A window in which there was work and
/// nothing of it was completed is not: of what only completed jobs tell, nothing is known. `jobs` are those waiting,
/// in work or in flight at its end.
pub fn signals_of(growth: &Growth, jobs: f64) -> impl Iterator<Item = (Signal, f64)> + '_ {
    let (by, seconds) = (&growth.by, growth.seconds());
    let was_idle = by.duration_count <= 0.0 && !had_work(by, jobs);
    let mean = |sum, count| if was_idle { Some(0.0) } else { ratio(sum, count) };
    let quantile = |q| {
        let bounds =
            growth.bounds.as_deref().filter(|bounds| bounds.iter().any(|bound| bound.is_finite()))?;
        if was_idle { Some(0.0) } else { quantile(q, bounds, &by.buckets) }
    };
    let offered = by.arrived.max(by.duration_count + by.refused);
    let are_errors_known = was_idle || by.duration_count > 0.0 || by.errors > 0.0;
    // A failure may be counted a moment before its job is.
    let error_ratio = if was_idle { Some(0.0) } else { ratio(by.errors, by.duration_count) };
    let error_ratio = error_ratio.map(|share| share.clamp(0.0, 1.0));
    // A job that asks no dependency waits for none.
    let dependency_wait = if by.duration_count > 0.0 && by.dependency_wait_count <= 0.0 {
        Some(0.0)
    } else {
        mean(by.dependency_wait_sum, by.dependency_wait_count)
    };
    [
        (Signal::ResponseTimeMeanSeconds, mean(by.duration_sum, by.duration_count)),
        (Signal::ResponseTimeP50Seconds, quantile(0.50)),
        (Signal::ResponseTimeP95Seconds, quantile(0.95)),
        (Signal::ResponseTimeP99Seconds, quantile(0.99)),
        (Signal::RequestsPerSecond, ratio(offered, seconds).filter(|_| was_idle || offered > 0.0)),
        (Signal::RefusedPerSecond, ratio(by.refused, seconds)),
        (Signal::ErrorsPerSecond, ratio(by.errors, seconds).filter(|_| are_errors_known)),
        (Signal::CompletedPerSecond, ratio(by.duration_count, seconds)),
        (Signal::ErrorRatio, error_ratio),
        (Signal::BacklogGrowthPerSecond, ratio(by.queue_depth, seconds)),
        (Signal::QueueDepth, ratio(by.queue_depth_seconds, by.seconds)),
        // A job's busy time may be booked a moment after the scrape that saw it begin.
        (Signal::Utilization, ratio(by.busy_seconds, by.worker_seconds).map(|share| share.clamp(0.0, 1.0))),
        (Signal::CpuCores, ratio(by.cpu_seconds, by.seconds)),
        (Signal::MemoryBytes, ratio(by.memory_byte_seconds, by.seconds)),
        (Signal::DependencyWaitSeconds, dependency_wait),
    ]
    .into_iter()
    .filter_map(|(signal, value)| Some((signal, value?)))
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// Whether anything says that there was work in the window, or is at its end.
fn had_work(by: &Totals, jobs: f64) -> bool {
    [
        jobs,
        by.arrived,
        by.refused,
        by.errors,
        by.busy_seconds,
        by.queue_depth_seconds,
        by.dependency_wait_count,
    ]
    .iter()
    .any(|sign| *sign > 0.0)
}

/// The `q`-quantile of a histogram with cumulative `buckets`, by linear interpolation within the bucket it falls in, as
/// Prometheus' `histogram_quantile` defines it: the first bucket begins at 0, and what falls above the last finite
/// bound is reported as that bound. None without observations, or without a finite bound.
fn quantile(q: f64, bounds: &[f64], buckets: &[f64]) -> Option<f64> {
    let total = *buckets.last()?;
    let last_finite = bounds.iter().rev().copied().find(|bound| bound.is_finite())?;
    if total <= 0.0 {
        return None;
    }
    let rank = q * total;
    let place = buckets.partition_point(|count| *count < rank);
    let upper = bounds.get(place).copied().filter(|bound| bound.is_finite());
    let Some(upper) = upper else {
        return Some(last_finite);
    };
    let (lower, below) = match place.checked_sub(1) {
        Some(previous) => (bounds[previous], buckets[previous]),
        None => (0.0, 0.0),
    };
    let inside = buckets[place] - below;
    Some(if inside > 0.0 { lower + (upper - lower) * (rank - below) / inside } else { upper })
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeMap;
    use alloc::vec;
    use core::time::Duration;

    use super::*;

    fn growth() -> Growth {
        let by = Totals {
            duration_sum: 40.0,
            duration_count: 100.0,
            buckets: vec![20.0, 60.0, 100.0, 100.0],
            refused: 50.0,
            errors: 5.0,
            dependency_wait_sum: 1.0,
            dependency_wait_count: 4.0,
            busy_seconds: 60.0,
            worker_seconds: 80.0,
            cpu_seconds: 2.0,
            seconds: 20.0,
            queue_depth: -30.0,
            queue_depth_seconds: 200.0,
            memory_byte_seconds: 4000.0,
            ..Totals::default()
        };
        let bounds = Some(vec![0.1, 0.5, 1.0, f64::INFINITY]);
        Growth { from: Duration::ZERO, to: Duration::from_secs(10), by, bounds }
    }

    #[test]
    fn every_signal_by_hand() {
        let found: BTreeMap<Signal, f64> = signals_of(&growth(), 3.0).collect();
        // Median: rank 50 lies 30 of 40 into the bucket from 0.1 to 0.5; p95: rank 95 lies 35 of 40 into 0.5 to 1.
        for (signal, expected) in [
            (Signal::ResponseTimeMeanSeconds, 0.4),
            (Signal::ResponseTimeP50Seconds, 0.4),
            (Signal::ResponseTimeP95Seconds, 0.9375),
            (Signal::ResponseTimeP99Seconds, 0.9875),
            (Signal::RequestsPerSecond, 15.0),
            (Signal::RefusedPerSecond, 5.0),
            (Signal::ErrorsPerSecond, 0.5),
            (Signal::CompletedPerSecond, 10.0),
            (Signal::ErrorRatio, 0.05),
            (Signal::BacklogGrowthPerSecond, -3.0),
            (Signal::QueueDepth, 10.0),
            (Signal::Utilization, 0.75),
            (Signal::CpuCores, 0.1),
            (Signal::MemoryBytes, 200.0),
            (Signal::DependencyWaitSeconds, 0.25),
        ] {
            let value = found.get(&signal).copied().unwrap_or(f64::NAN);
            assert!((value - expected).abs() < 1e-12, "{signal} is {value}, expected {expected}");
        }
        assert_eq!(found.len(), 15, "all but in_flight, which the gateway counts");
    }

    #[test]
    fn a_window_without_requests_is_data() {
        let by = Totals { buckets: vec![0.0; 2], seconds: 5.0, ..Totals::default() };
        let bounds = Some(vec![1.0, f64::INFINITY]);
        let idle = Growth { by, bounds, to: Duration::from_secs(5), ..Growth::default() };
        let found: BTreeMap<Signal, f64> = signals_of(&idle, 0.0).collect();
        for signal in [
            Signal::ResponseTimeMeanSeconds,
            Signal::ResponseTimeP95Seconds,
            Signal::RequestsPerSecond,
            Signal::CompletedPerSecond,
            Signal::ErrorRatio,
            Signal::BacklogGrowthPerSecond,
        ] {
            assert_eq!(found.get(&signal), Some(&0.0), "{signal}");
        }
        assert!(!found.contains_key(&Signal::Utilization), "without a worker there is no share of busy ones");
    }

    #[test]
    fn a_window_with_work_of_which_none_completed_tells_nothing_of_completed_jobs() {
        let signs: [fn(&mut Totals); 6] = [
            |by| by.arrived = 40.0,
            |by| by.refused = 3.0,
            |by| by.busy_seconds = 20.0,
            |by| by.queue_depth_seconds = 500.0,
            |by| by.dependency_wait_count = 4.0,
            |_| {},
        ];
        for (index, sign) in signs.into_iter().enumerate() {
            let mut by =
                Totals { buckets: vec![0.0; 2], seconds: 5.0, worker_seconds: 20.0, ..Totals::default() };
            sign(&mut by);
            let bounds = Some(vec![1.0, f64::INFINITY]);
            let growth = Growth { by, bounds, to: Duration::from_secs(5), ..Growth::default() };
            // The last of them is work that only the gateway, or a gauge, knows.
            let jobs = if index == 5 { 208.0 } else { 0.0 };
            let found: BTreeMap<Signal, f64> = signals_of(&growth, jobs).collect();
            for signal in Signal::ALL.into_iter().filter(|signal| signal.needs_completions()) {
                let waits_are_known = signal == Signal::DependencyWaitSeconds && index == 4;
                assert_eq!(found.contains_key(&signal), waits_are_known, "sign {index}: {signal}: {found:?}");
            }
            assert!(found.contains_key(&Signal::Utilization) && found.contains_key(&Signal::QueueDepth));
            assert_eq!(found.get(&Signal::CompletedPerSecond), Some(&0.0), "that none completed is known");
            let rate = found.get(&Signal::RequestsPerSecond).copied();
            let expected = [Some(8.0), Some(0.6), None, None, None, None][index];
            assert_eq!(rate, expected, "sign {index}: a rate of 0 would say that nobody asks");
        }
    }

    #[test]
    fn jobs_without_buckets_have_no_quantile() {
        let by =
            Totals { duration_count: 5.0, duration_sum: 1.0, buckets: vec![0.0; 2], ..Totals::default() };
        let growth = Growth { by, bounds: Some(vec![1.0, f64::INFINITY]), ..Growth::default() };
        let found: BTreeMap<Signal, f64> = signals_of(&growth, 0.0).collect();
        assert_eq!(found.get(&Signal::ResponseTimeP95Seconds), None, "not 0");
        assert_eq!(found.get(&Signal::ResponseTimeMeanSeconds), Some(&0.2));
    }

    #[test]
    fn quantiles_at_the_edges() {
        let bounds = [0.1, 0.5, f64::INFINITY];
        assert_eq!(quantile(0.5, &bounds, &[10.0, 10.0, 10.0]), Some(0.05), "the first bucket begins at 0");
        assert_eq!(quantile(0.99, &bounds, &[0.0, 1.0, 10.0]), Some(0.5), "above all bounds: the last bound");
        assert_eq!(quantile(1.0, &bounds, &[0.0, 4.0, 4.0]), Some(0.5));
        assert_eq!(quantile(0.5, &[f64::INFINITY], &[3.0]), None, "nothing to interpolate in");
        assert_eq!(quantile(0.5, &[], &[]), None);
    }
}
