//! Counts response times in buckets that are at most 0.8 % wide.
//!
//! Up to 131 µs a bucket is 1 µs wide; above, each doubling has 128 of them. Within a bucket a quantile is interpolated.

use crate::time::{Nanoseconds, seconds_of};

/// Bits of a time that are dropped: a step is 1.024 µs.
const STEP_BITS: u32 = 10;
/// Buckets of each doubling, as a power of two.
const BUCKET_BITS: u32 = 7;
const PER_DOUBLING: usize = 1 << BUCKET_BITS;
/// Times from here on, some 5 hours, share the last bucket.
const LARGEST: Nanoseconds = (1 << 44) - 1;

/// Number of buckets.
pub(crate) const BUCKETS: usize = (44 - STEP_BITS as usize - BUCKET_BITS as usize + 1) * PER_DOUBLING;

/// The bucket of a time.
#[inline]
pub(crate) fn bucket_of(time: Nanoseconds) -> usize {
    let steps = time.min(LARGEST) >> STEP_BITS;
    let doublings = (steps | (PER_DOUBLING as u64 - 1)).ilog2() - (BUCKET_BITS - 1);
    let shift = doublings.saturating_sub(1);
    // For the first two runs of buckets the index is the number of steps itself.
    shift as usize * PER_DOUBLING + usize::try_from(steps >> shift).unwrap_or(usize::MAX)
}

/// The least time that falls into a bucket.
pub(crate) fn least_of(bucket: usize) -> Nanoseconds {
    let doublings = bucket / PER_DOUBLING;
    let steps = if doublings == 0 {
        bucket as u64
    } else {
        ((bucket % PER_DOUBLING + PER_DOUBLING) as u64) << (doublings - 1)
    };
    steps << STEP_BITS
}

/// A histogram of response times.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    total: u64,
}

impl Default for Histogram {
    fn default() -> Self {
        let counts = vec![0; BUCKETS].try_into().expect("there are as many counts as buckets");
        Self { counts, total: 0 }
    }
}

impl Histogram {
    /// Counts a time by its bucket.
    #[inline]
    pub(crate) fn add(&mut self, bucket: usize) {
        self.counts[bucket] += 1;
        self.total += 1;
    }

    pub(crate) const fn total(&self) -> u64 {
        self.total
    }

    /// Adds the times of another histogram.
    pub(crate) fn join(&mut self, other: &Self) {
        if other.total > 0 {
            for (count, more) in self.counts.iter_mut().zip(other.counts.iter()) {
                *count += more;
            }
            self.total += other.total;
        }
    }

    pub(crate) fn clear(&mut self) {
        if self.total > 0 {
            self.counts.fill(0);
            self.total = 0;
        }
    }

    /// The `share`-quantile (0 to 1) in seconds, interpolated within its bucket; none without times.
    pub(crate) fn quantile_seconds(&self, share: f64) -> Option<f64> {
        if self.total == 0 {
            return None;
        }
        let rank = share * self.total as f64;
        let mut below = 0.0;
        for (bucket, count) in self.counts.iter().enumerate() {
            let count = *count as f64;
            if count > 0.0 && below + count >= rank {
                let (from, to) = (seconds_of(least_of(bucket)), seconds_of(least_of(bucket + 1)));
                return Some(from + (to - from) * ((rank - below) / count).clamp(0.0, 1.0));
            }
            below += count;
        }
        Some(seconds_of(LARGEST))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_time_lies_in_its_bucket_which_is_narrow(time in 0..LARGEST) {
            let bucket = bucket_of(time);
            prop_assert!(bucket < BUCKETS);
            let (from, to) = (least_of(bucket), least_of(bucket + 1));
            prop_assert!((from..to).contains(&time), "{time} in {from}..{to}");
            prop_assert!(to - from <= 1024.max(from / 128));
        }
    }

    #[test]
    fn buckets_follow_one_another() {
        for bucket in 0..BUCKETS {
            assert_eq!(bucket_of(least_of(bucket)), bucket);
        }
        assert_eq!(bucket_of(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_of_even_times() {
        let mut histogram = Histogram::default();
        for millisecond in 1..=1000_u64 {
            histogram.add(bucket_of(millisecond * 1_000_000));
        }
        for (share, expected) in [(0.5, 0.5), (0.95, 0.95), (0.99, 0.99)] {
            let found = histogram.quantile_seconds(share).unwrap();
            assert!((found / expected - 1.0).abs() < 0.005, "{share}: {found}");
        }
        assert_eq!(Histogram::default().quantile_seconds(0.5), None);
    }
}
