//! The maximum of a sliding window.

use alloc::collections::VecDeque;
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// The maximum of what was recorded in the last so many buckets of time.
///
/// Values that a later and larger one outlives are dropped at once, so a record costs constant time on average.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlidingMax {
    bucket: Duration,
    count: u64,
    /// Bucket and value; later entries have smaller values.
    maxima: VecDeque<(u64, i64)>,
}

impl SlidingMax {
    /// A window of so many buckets as cover the length, at least one. A bucket of zero counts as a nanosecond.
    ///
    /// Source: `pkg/autoscaler/aggregation/max/timewindow.go`, `NewTimeWindow`.
    pub fn new(length: Duration, bucket: Duration) -> Self {
        let bucket = bucket.max(Duration::from_nanos(1));
        Self { bucket, count: count(length, bucket), maxima: VecDeque::new() }
    }

    /// Changes the length and keeps what was recorded.
    pub fn resize(&mut self, length: Duration) {
        self.count = count(length, self.bucket);
    }

    /// Records a value and returns the maximum. A value counts from its bucket on for the window's number of
    /// buckets.
    ///
    /// Source: `pkg/autoscaler/aggregation/max/window.go`, `Record` and `Current`.
    pub fn record(&mut self, now: Duration, value: i64) -> i64 {
        let at = number(now.as_nanos() / self.bucket.as_nanos());
        while self.maxima.back().is_some_and(|&(last, smaller)| smaller < value && last <= at) {
            self.maxima.pop_back();
        }
        // What is neither larger nor younger than the last entry can never be the maximum.
        if self.maxima.back().is_none_or(|&(last, _)| last < at) {
            self.maxima.push_back((at, value));
        } else if self.maxima.back().is_some_and(|&(_, last)| last < value) {
            self.maxima.clear();
            self.maxima.push_back((at, value));
        }
        while self.maxima.front().is_some_and(|&(first, _)| at.saturating_sub(first) >= self.count) {
            self.maxima.pop_front();
        }
        self.maxima.front().map_or(value, |&(_, maximum)| maximum)
    }
}

fn count(length: Duration, bucket: Duration) -> u64 {
    number(length.as_nanos().div_ceil(bucket.as_nanos())).max(1)
}

/// Numbers of buckets saturate; only nanoseconds of centuries come near.
fn number(buckets: u128) -> u64 {
    u64::try_from(buckets).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn maxima(values: &[(u64, i64)]) -> alloc::vec::Vec<i64> {
        let mut window = SlidingMax::new(Duration::from_secs(5), Duration::from_secs(1));
        values.iter().map(|&(at, value)| window.record(Duration::from_secs(at), value)).collect()
    }

    #[test]
    fn a_value_counts_for_as_many_buckets_as_the_window_has() {
        assert_eq!(maxima(&[(0, 6), (4, 1), (5, 1)]), [6, 6, 1]);
        assert_eq!(maxima(&[(0, 6), (2, 3), (5, 1), (6, 1), (7, 1)]), [6, 6, 3, 3, 1]);
    }

    #[test]
    fn equal_values_are_renewed() {
        assert_eq!(maxima(&[(0, 5), (3, 5), (6, 2), (7, 2), (8, 2)]), [5, 5, 5, 5, 2]);
    }

    #[test]
    fn of_one_bucket_the_largest_counts() {
        assert_eq!(maxima(&[(1, 3), (1, 7), (1, 5), (5, 1), (6, 1)]), [3, 7, 7, 7, 1]);
    }

    #[test]
    fn a_clock_that_runs_back_neither_panics_nor_grows() {
        let mut window = SlidingMax::new(Duration::from_secs(5), Duration::from_secs(1));
        for second in (0..1_000).rev() {
            window.record(Duration::from_secs(second), i64::try_from(second).unwrap());
        }
        assert!(window.maxima.len() <= 6);
        let mut odd = SlidingMax::new(Duration::ZERO, Duration::ZERO);
        assert_eq!(odd.record(Duration::MAX, i64::MIN), i64::MIN);
    }

    #[test]
    fn a_longer_window_keeps_what_was_recorded() {
        let mut window = SlidingMax::new(Duration::from_secs(2), Duration::from_secs(1));
        window.record(Duration::ZERO, 9);
        window.resize(Duration::from_secs(10));
        assert_eq!(window.record(Duration::from_secs(9), 1), 9);
        assert_eq!(window.record(Duration::from_secs(10), 1), 1);
    }
}
