//! Computes every signal from what totals grew by in the window.

use scaler_engine::Signal;

use super::growth::Growth;

/// The signals that a growth tells, each with its value; those it cannot tell are left out.
///
/// A window without requests is data: means, quantiles and rates are
/// then 0.
pub(super) fn of(growth: &Growth) -> impl Iterator<Item = (Signal, f64)> + '_ {
    let (by, seconds) = (&growth.by, growth.seconds());
    let quantile = |q| growth.bounds.as_deref().and_then(|bounds| quantile(q, bounds, &by.buckets));
    [
        (Signal::ResponseTimeMeanSeconds, Some(ratio_or_zero(by.duration_sum, by.duration_count))),
        (Signal::ResponseTimeP50Seconds, quantile(0.50)),
        (Signal::ResponseTimeP95Seconds, quantile(0.95)),
        (Signal::ResponseTimeP99Seconds, quantile(0.99)),
        (Signal::RequestsPerSecond, ratio(by.duration_count + by.refused, seconds)),
        (Signal::RefusedPerSecond, ratio(by.refused, seconds)),
        (Signal::ErrorsPerSecond, ratio(by.errors, seconds)),
        (Signal::QueueDepth, ratio(by.queue_depth_seconds, by.seconds)),
        // A job's busy time may be booked a moment after the scrape that saw it begin.
        (Signal::Utilization, ratio(by.busy_seconds, by.worker_seconds).map(|share| share.clamp(0.0, 1.0))),
        (Signal::CpuUtilization, ratio(by.cpu_seconds, by.seconds)),
        (Signal::MemoryBytes, ratio(by.memory_byte_seconds, by.seconds)),
        (
            Signal::DependencyWaitSeconds,
            Some(ratio_or_zero(by.dependency_wait_sum, by.dependency_wait_count)),
        ),
    ]
    .into_iter()
    .filter_map(|(signal, value)| Some((signal, value?)))
}

fn ratio(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn ratio_or_zero(part: f64, whole: f64) -> f64 {
    ratio(part, whole).unwrap_or(0.0)
}

/// The `q`-quantile of a histogram with cumulative `buckets`, by linear interpolation within the bucket it falls in, as
/// Prometheus' `histogram_quantile` defines it: the first bucket begins at 0, and what falls above the last finite
/// bound is reported as that bound. 0 without observations; none without a finite bound.
fn quantile(q: f64, bounds: &[f64], buckets: &[f64]) -> Option<f64> {
    let total = *buckets.last()?;
    let last_finite = bounds.iter().rev().copied().find(|bound| bound.is_finite())?;
    if total <= 0.0 {
        return Some(0.0);
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
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::super::growth::Totals;
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
            queue_depth_seconds: 200.0,
            memory_byte_seconds: 4000.0,
            ..Totals::default()
        };
        let bounds = Some(vec![0.1, 0.5, 1.0, f64::INFINITY]);
        Growth { from: Duration::ZERO, to: Duration::from_secs(10), by, bounds }
    }

    #[test]
    fn every_signal_by_hand() {
        let found: BTreeMap<Signal, f64> = of(&growth()).collect();
        // Median: rank 50 lies 30 of 40 into the bucket from 0.1 to 0.5; p95: rank 95 lies 35 of 40 into 0.5 to 1.
        for (signal, expected) in [
            (Signal::ResponseTimeMeanSeconds, 0.4),
            (Signal::ResponseTimeP50Seconds, 0.4),
            (Signal::ResponseTimeP95Seconds, 0.9375),
            (Signal::ResponseTimeP99Seconds, 0.9875),
            (Signal::RequestsPerSecond, 15.0),
            (Signal::RefusedPerSecond, 5.0),
            (Signal::ErrorsPerSecond, 0.5),
            (Signal::QueueDepth, 10.0),
            (Signal::Utilization, 0.75),
            (Signal::CpuUtilization, 0.1),
            (Signal::MemoryBytes, 200.0),
            (Signal::DependencyWaitSeconds, 0.25),
        ] {
            let value = found.get(&signal).copied().unwrap_or(f64::NAN);
            assert!((value - expected).abs() < 1e-12, "{signal} is {value}, expected {expected}");
        }
        assert_eq!(found.len(), 12, "all but in_flight, which the gateway counts");
    }

    #[test]
    fn a_window_without_requests_is_data() {
        let by = Totals { buckets: vec![0.0; 2], seconds: 5.0, ..Totals::default() };
        let bounds = Some(vec![1.0, f64::INFINITY]);
        let idle = Growth { by, bounds, to: Duration::from_secs(5), ..Growth::default() };
        let found: BTreeMap<Signal, f64> = of(&idle).collect();
        for signal in
            [Signal::ResponseTimeMeanSeconds, Signal::ResponseTimeP95Seconds, Signal::RequestsPerSecond]
        {
            assert_eq!(found.get(&signal), Some(&0.0), "{signal}");
        }
        assert!(!found.contains_key(&Signal::Utilization), "without a worker there is no share of busy ones");
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
