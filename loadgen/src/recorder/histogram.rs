//! Response times in bounded memory, each at most 0.1 % off the time it stands for.

use std::time::Duration;

use loadgen_baseline::measurement::SIGNIFICANT_DIGITS;
use loadgen_baseline::measurement::latency::{Latency, Quantile};

/// The shares of answers at which a distribution is drawn.
const DRAWN_SHARES: [f64; 14] =
    [0.01, 0.05, 0.1, 0.25, 0.5, 0.6, 0.7, 0.75, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999];

/// Nothing takes longer: neither runs nor requests may.
const LONGEST: Duration = Duration::from_secs(48 * 60 * 60);

/// Counts times, to the microsecond.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: hdrhistogram::Histogram<u64>,
    /// The mean of the buckets would be off by their width.
    total_us: u128,
}

impl Default for Histogram {
    fn default() -> Self {
        let counts = hdrhistogram::Histogram::new(SIGNIFICANT_DIGITS).expect("0 to 5 digits are possible");
        Self { counts, total_us: 0 }
    }
}

impl Histogram {
    /// Adds one time.
    pub(crate) fn record(&mut self, time: Duration) {
        let time_us = u64::try_from(time.min(LONGEST).as_micros()).expect("two days fit");
        self.counts.record(time_us).expect("an auto-resizing histogram takes what is below its bound");
        self.total_us += u128::from(time_us);
    }

    /// Forgets all times and keeps the memory.
    pub(crate) fn reset(&mut self) {
        self.counts.reset();
        self.total_us = 0;
    }

    /// Adds all times of `other`.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.counts.add(&other.counts).expect("an auto-resizing histogram takes what another one holds");
        self.total_us += other.total_us;
    }

    /// How many times there are.
    pub(crate) fn count(&self) -> u64 {
        self.counts.len()
    }

    /// Sums the times up; `None` where there are none.
    pub(crate) fn latency(&self) -> Option<Latency> {
        (self.count() > 0).then(|| Latency {
            mean_ms: self.total_us as f64 / self.count() as f64 / 1000.0,
            p50_ms: self.quantile_ms(0.5),
            p95_ms: self.quantile_ms(0.95),
            p99_ms: self.quantile_ms(0.99),
            max_ms: milliseconds(self.counts.max()),
        })
    }

    /// The time that this share of all stayed within, in milliseconds; 0 where there are none.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        milliseconds(self.counts.value_at_quantile(share).min(self.counts.max()))
    }

    /// The distribution, for drawing; empty where there are no times.
    pub(crate) fn distribution(&self) -> Vec<Quantile> {
        if self.count() == 0 {
            return Vec::new();
        }
        let last = Quantile { share: 1.0, at_most_ms: milliseconds(self.counts.max()) };
        DRAWN_SHARES
            .into_iter()
            .map(|share| Quantile { share, at_most_ms: self.quantile_ms(share) })
            .chain([last])
            .collect()
    }
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
        (observed_ms / expected_ms - 1.0).abs() < 0.002
    }

    #[test]
    fn percentiles_are_within_a_bucket_of_the_exact_ones() {
        // 0.1 ms to 1 s, evenly: the percentiles are known.
        let latency = histogram((1..=10_000).map(|step| step * 100)).latency().unwrap();
        assert!(close(latency.p50_ms, 500.0), "{latency:?}");
        assert!(close(latency.p95_ms, 950.0), "{latency:?}");
        assert!(close(latency.p99_ms, 990.0), "{latency:?}");
        assert!((latency.mean_ms - 500.05).abs() < 1e-9, "{latency:?}");
        assert!(close(latency.max_ms, 1000.0), "{latency:?}");
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
        empty.reset();
        assert_eq!(empty.latency(), None);
    }

    #[test]
    fn nothing_recorded_is_no_latency_of_zero() {
        assert_eq!(Histogram::default().latency(), None);
        assert!(Histogram::default().distribution().is_empty());
    }

    #[test]
    fn memory_is_bounded() {
        let histogram = histogram((0..200_000).map(|step| step * 300));
        assert!(histogram.counts.distinct_values() <= 20_000, "{}", histogram.counts.distinct_values());
    }
}
