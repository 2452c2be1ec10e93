//! Response times in bounded memory, in the buckets that Goose uses: each at most 0.8 % off the time it stands for.

use std::time::Duration;

use goose::metrics::GooseRequestMetricTimingData;
use serde::{Deserialize, Serialize};

/// Each power of two is split into 2⁶ buckets, as in Goose's `metrics/buckets.rs`.
const BUCKET_BITS: u32 = 6;

/// How long answers took; milliseconds, from sending a request to the last byte of its answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The mean, exact.
    pub mean_ms: f64,
    /// Half of the answers took at most this long.
    pub p50_ms: f64,
    /// 95 % of the answers took at most this long.
    pub p95_ms: f64,
    /// 99 % of the answers took at most this long.
    pub p99_ms: f64,
    /// The longest, exact.
    pub max_ms: f64,
}

/// Counts response times; at most 1,330 buckets up to 60 s.
#[derive(Clone, Debug, Default)]
pub(crate) struct Histogram(GooseRequestMetricTimingData);

impl Histogram {
    /// Adds one response time, to the microsecond.
    pub(crate) fn record(&mut self, duration: Duration) {
        let time_us = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let data = &mut self.0;
        data.minimum_time_us = if data.counter == 0 { time_us } else { data.minimum_time_us.min(time_us) };
        data.maximum_time_us = data.maximum_time_us.max(time_us);
        data.total_time_us = data.total_time_us.saturating_add(time_us);
        data.counter += 1;
        self.add(bucket_of(time_us), 1);
    }

    /// Adds all response times of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        if other.0.counter == 0 {
            return;
        }
        let data = &mut self.0;
        data.minimum_time_us = if data.counter == 0 {
            other.0.minimum_time_us
        } else {
            data.minimum_time_us.min(other.0.minimum_time_us)
        };
        data.maximum_time_us = data.maximum_time_us.max(other.0.maximum_time_us);
        data.total_time_us = data.total_time_us.saturating_add(other.0.total_time_us);
        data.counter += other.0.counter;
        for (&bucket, &count) in &other.0.times_us {
            self.add(bucket, count);
        }
    }

    /// Sums the response times up; `None` where there are none.
    pub(crate) fn latency(&self) -> Option<Latency> {
        let data = &self.0;
        let percentile_ms = |share| milliseconds(data.percentile_us(share));
        (data.counter > 0).then(|| Latency {
            mean_ms: data.total_time_us as f64 / data.counter as f64 / 1000.0,
            p50_ms: percentile_ms(0.5),
            p95_ms: percentile_ms(0.95),
            p99_ms: percentile_ms(0.99),
            max_ms: milliseconds(data.maximum_time_us),
        })
    }

    fn add(&mut self, bucket: u64, count: usize) {
        let before = self.0.times_us.get(&bucket).copied().unwrap_or(0);
        self.0.times_us.insert(bucket, before + count);
    }
}

/// The shortest time in the bucket that holds `time_us`, which names the bucket.
fn bucket_of(time_us: u64) -> u64 {
    let width_bits = (u64::BITS - time_us.leading_zeros()).saturating_sub(BUCKET_BITS + 1);
    (time_us >> width_bits) << width_bits
}

fn milliseconds(time_us: u64) -> f64 {
    time_us as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::Histogram;

    fn histogram(times_us: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for time_us in times_us {
            histogram.record(Duration::from_micros(time_us));
        }
        histogram
    }

    fn close(observed_ms: f64, expected_ms: f64) -> bool {
        (observed_ms / expected_ms - 1.0).abs() < 0.008
    }

    #[test]
    fn percentiles_are_within_a_bucket_of_the_exact_ones() {
        // 0.1 ms to 1 s, evenly: the percentiles are known.
        let latency = histogram((1..=10_000).map(|step| step * 100)).latency().unwrap();
        assert!(close(latency.p50_ms, 500.0), "{latency:?}");
        assert!(close(latency.p95_ms, 950.0), "{latency:?}");
        assert!(close(latency.p99_ms, 990.0), "{latency:?}");
        assert!((latency.mean_ms - 500.05).abs() < 1e-9, "{latency:?}");
        assert!((latency.max_ms - 1000.0).abs() < f64::EPSILON, "{latency:?}");
    }

    #[test]
    fn merged_halves_are_the_whole() {
        let mut halves = histogram((1..=500).map(|step| step * 777));
        halves.merge(&histogram((501..=1000).map(|step| step * 777)));
        halves.merge(&Histogram::default());
        assert_eq!(halves.latency(), histogram((1..=1000).map(|step| step * 777)).latency());
        let mut empty = Histogram::default();
        empty.merge(&halves);
        assert_eq!(empty.latency(), halves.latency());
    }

    #[test]
    fn nothing_recorded_is_no_latency_of_zero() {
        assert_eq!(Histogram::default().latency(), None);
    }

    #[test]
    fn memory_is_bounded() {
        let histogram = histogram((0..200_000).map(|step| step * 300));
        assert!(histogram.0.times_us.len() <= 1_330, "{} buckets", histogram.0.times_us.len());
    }
}
