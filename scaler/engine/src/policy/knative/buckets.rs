//! Averages over a window that is kept in buckets of time.

use alloc::collections::VecDeque;
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// Averages are rounded to this fraction.
const PRECISION: f64 = 1e6;

/// The smallest weight of the newest bucket; very long windows would otherwise come close to a plain mean.
const SMOOTHING_MIN: f64 = 0.2;

/// What weights beyond the window would add up to, at most.
const WEIGHT_LEFT_OUT: f64 = 0.0001;

/// How buckets are averaged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Algorithm {
    /// Each bucket has the same weight.
    #[default]
    Linear,
    /// Newer buckets weigh more.
    WeightedExponential,
}

/// A window that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {what} of a window is zero, expected a positive duration")]
pub struct WindowError {
    /// Which of the durations is zero.
    pub what: &'static str,
}

/// A window of values, added up per bucket.
///
/// Only buckets that were written take space. Times count from an origin of which buckets are whole multiples.
/// Values that are not finite are left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowBuckets {
    algorithm: Algorithm,
    window: Duration,
    bucket: Duration,
    /// Number and sum of each bucket that was written, in ascending order. A list, because saved states go through
    /// formats whose maps have texts as keys.
    buckets: VecDeque<(i64, f64)>,
    /// The first and the last bucket written.
    written: Option<Written>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Written {
    /// May lie before the origin, after the window grew.
    first: i64,
    last: i64,
}

impl WindowBuckets {
    /// An empty window.
    ///
    /// # Errors
    /// If one of the durations is zero.
    pub fn new(algorithm: Algorithm, window: Duration, bucket: Duration) -> Result<Self, WindowError> {
        for (what, duration) in [("length", window), ("bucket", bucket)] {
            if duration.is_zero() {
                return Err(WindowError { what });
            }
        }
        Ok(Self { algorithm, window, bucket, buckets: VecDeque::new(), written: None })
    }

    /// Adds a value to the bucket of its time.
    ///
    /// A write after a whole window of silence clears all others. A late one is added to its own bucket, or
    /// ignored if that has left the window.
    ///
    /// Source: `pkg/autoscaler/aggregation/bucketing.go`, `Record`.
    pub fn record(&mut self, now: Duration, value: f64) {
        if !value.is_finite() {
            return;
        }
        let at = self.bucket_of(now);
        let written = self.written.unwrap_or(Written { first: at, last: at });
        let silence = self.span_of(at.saturating_sub(written.last));
        let lateness = self.span_of(written.last.saturating_sub(at));
        if lateness >= self.window.as_nanos() {
            return;
        }
        let first = if silence >= self.window.as_nanos() {
            self.buckets.clear();
            at
        } else {
            written.first.min(at)
        };
        self.written = Some(Written { first, last: written.last.max(at) });
        match self.buckets.binary_search_by_key(&at, |&(bucket, _)| bucket) {
            Ok(found) => {
                if let Some((_, sum)) = self.buckets.get_mut(found) {
                    *sum += value;
                }
            }
            Err(place) => self.buckets.insert(place, (at, value)),
        }
        self.forget_before(self.count());
    }

    /// The average at a time.
    ///
    /// Silence at the end of a linear window shrinks its divisor instead of counting as zeros; a gap between two
    /// writes counts as zeros.
    ///
    /// Source: `pkg/autoscaler/aggregation/bucketing.go`, `WindowAverage`.
    pub fn average(&self, now: Duration) -> f64 {
        let Some(written) = self.written else { return 0.0 };
        let silent = self.bucket_of(now).saturating_sub(written.last).max(0);
        match self.algorithm {
            Algorithm::Linear => self.linear(written, silent),
            Algorithm::WeightedExponential => self.weighted(written, silent),
        }
    }

    /// Whether nothing was written for longer than the window.
    ///
    /// Source: `pkg/autoscaler/aggregation/bucketing.go`, `IsEmpty`.
    pub fn is_empty(&self, now: Duration) -> bool {
        self.written.is_none_or(|written| {
            self.span_of(self.bucket_of(now).saturating_sub(written.last)) > self.window.as_nanos()
        })
    }

    /// Changes the length of the window and keeps the newest buckets.
    ///
    /// # Errors
    /// If the length is zero; the window stays as it is then.
    ///
    /// Source: `pkg/autoscaler/aggregation/bucketing.go`, `ResizeWindow`.
    pub fn resize(&mut self, window: Duration) -> Result<(), WindowError> {
        if window.is_zero() {
            return Err(WindowError { what: "length" });
        }
        if window == self.window {
            return Ok(());
        }
        let old_count = self.count();
        self.window = window;
        self.forget_before(old_count.min(self.count()));
        if let Some(written) = &mut self.written {
            // The earliest time at which something may have been written.
            written.first = written.last.saturating_sub(old_count - 1);
        }
        Ok(())
    }

    fn linear(&self, written: Written, silent: i64) -> f64 {
        if self.span_of(silent) >= self.window.as_nanos() {
            return 0.0;
        }
        let kept = self.count() - silent;
        let oldest = oldest_of(written.last, kept);
        let sum: f64 = self.buckets.iter().filter(|(bucket, _)| *bucket >= oldest).map(|(_, sum)| sum).sum();
        let written_count = written.last.saturating_sub(written.first).saturating_add(1);
        libm::round(sum / written_count.min(kept) as f64 * PRECISION) / PRECISION
    }

    fn weighted(&self, written: Written, silent: i64) -> f64 {
        if self.span_of(silent) > self.window.as_nanos() {
            return 0.0;
        }
        let count = self.count();
        let smoothing = (1.0 - libm::pow(WEIGHT_LEFT_OUT, 1.0 / count as f64)).max(SMOOTHING_MIN);
        let mut weight = smoothing * libm::pow(1.0 - smoothing, silent as f64);
        let oldest = oldest_of(written.last, count - silent);
        let mut newest_first = self.buckets.iter().rev().peekable();
        let mut average = 0.0;
        let mut at = written.last;
        // Weights fall by a fifth at least, so some thousands of buckets exhaust them, however long the window is.
        while at >= oldest && weight >= f64::MIN_POSITIVE {
            if let Some((_, sum)) = newest_first.next_if(|(bucket, _)| *bucket == at) {
                average += sum * weight;
            }
            weight *= 1.0 - smoothing;
            at = at.saturating_sub(1);
        }
        average
    }

    /// The number of buckets of a full window.
    fn count(&self) -> i64 {
        number(self.window.as_nanos().div_ceil(self.bucket.as_nanos()))
    }

    fn bucket_of(&self, time: Duration) -> i64 {
        number(time.as_nanos() / self.bucket.as_nanos())
    }

    /// The nanoseconds of so many buckets; none of a negative number.
    fn span_of(&self, buckets: i64) -> u128 {
        self.bucket.as_nanos().saturating_mul(u128::try_from(buckets).unwrap_or(0))
    }

    fn forget_before(&mut self, kept: i64) {
        let Some(written) = self.written else { return };
        let oldest = oldest_of(written.last, kept);
        while self.buckets.front().is_some_and(|&(bucket, _)| bucket < oldest) {
            self.buckets.pop_front();
        }
    }
}

/// The oldest of so many buckets that end with `last`.
const fn oldest_of(last: i64, kept: i64) -> i64 {
    last.saturating_sub(kept).saturating_add(1)
}

/// Numbers of buckets saturate; only nanoseconds of centuries come near.
fn number(buckets: u128) -> i64 {
    i64::try_from(buckets).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn linear(window: u64) -> WindowBuckets {
        WindowBuckets::new(Algorithm::Linear, at(window), at(1)).unwrap()
    }

    fn close(left: f64, right: f64) {
        assert!((left - right).abs() < 1e-6, "{left} is not {right}");
    }

    #[test]
    fn silence_at_the_end_shrinks_the_divisor_and_a_gap_counts_as_zeros() {
        let mut window = linear(10);
        window.record(at(100), 10.0);
        window.record(at(101), 20.0);
        close(window.average(at(101)), 15.0);
        close(window.average(at(105)), 15.0);
        window.record(at(105), 30.0);
        close(window.average(at(105)), 10.0);
    }

    #[test]
    fn at_the_end_of_silence_the_average_is_zero() {
        let mut window = linear(10);
        window.record(at(100), 10.0);
        close(window.average(at(109)), 10.0);
        close(window.average(at(110)), 0.0);
        assert!(!window.is_empty(at(110)) && window.is_empty(at(111)));
    }

    #[test]
    fn a_write_after_a_window_of_silence_starts_afresh() {
        let mut window = linear(10);
        window.record(at(100), 10.0);
        window.record(at(110), 4.0);
        close(window.average(at(110)), 4.0);
    }

    #[test]
    fn a_late_write_counts_in_its_own_bucket_and_may_move_the_beginning() {
        let mut window = linear(10);
        window.record(at(100), 10.0);
        window.record(at(91), 20.0);
        close(window.average(at(100)), 3.0);
        window.record(at(90), 1_000.0);
        close(window.average(at(100)), 3.0);
    }

    #[test]
    fn a_query_before_the_last_write_sees_everything() {
        let mut window = linear(10);
        window.record(at(100), 10.0);
        close(window.average(at(50)), 10.0);
    }

    #[test]
    fn resizing_keeps_the_newest_and_assumes_the_old_window_was_full() {
        let mut window = linear(4);
        for second in 100..104 {
            window.record(at(second), 8.0);
        }
        window.resize(at(2)).unwrap();
        close(window.average(at(103)), 8.0);
        window.resize(at(8)).unwrap();
        close(window.average(at(103)), 8.0);
        window.record(at(104), 8.0);
        close(window.average(at(104)), 8.0);
        let mut short = linear(4);
        short.record(at(100), 8.0);
        short.resize(at(8)).unwrap();
        close(short.average(at(100)), 2.0);
    }

    #[test]
    fn resizing_to_the_same_length_changes_nothing() {
        let mut window = linear(4);
        window.record(at(100), 8.0);
        window.resize(at(4)).unwrap();
        close(window.average(at(100)), 8.0);
    }

    #[test]
    fn windows_of_any_length_neither_hang_nor_grow() {
        let nano = Duration::from_nanos(1);
        for algorithm in [Algorithm::Linear, Algorithm::WeightedExponential] {
            let mut window = WindowBuckets::new(algorithm, Duration::MAX, nano).unwrap();
            window.record(Duration::MAX, 1.0);
            window.record(Duration::ZERO, 1.0);
            window.average(Duration::MAX);
            window.resize(nano).unwrap();
            assert!(window.buckets.len() <= 1);
            window.average(Duration::ZERO);
        }
        assert!(WindowBuckets::new(Algorithm::Linear, Duration::ZERO, nano).is_err());
        assert!(WindowBuckets::new(Algorithm::Linear, nano, Duration::ZERO).is_err());
    }

    #[test]
    fn what_is_not_a_number_is_left_out() {
        let mut window = linear(10);
        window.record(at(100), f64::NAN);
        assert!(window.is_empty(at(100)));
        window.record(at(100), 4.0);
        window.record(at(101), f64::INFINITY);
        close(window.average(at(101)), 4.0);
    }

    #[test]
    fn a_weighted_average_leaves_out_what_silence_pushed_away() {
        let mut window = WindowBuckets::new(Algorithm::WeightedExponential, at(5), at(1)).unwrap();
        window.record(at(100), 2.0);
        let smoothing = 1.0 - libm::pow(0.0001, 0.2);
        close(window.average(at(100)), 2.0 * smoothing);
        close(window.average(at(104)), 2.0 * smoothing * libm::pow(1.0 - smoothing, 4.0));
        close(window.average(at(105)), 0.0);
    }
}
