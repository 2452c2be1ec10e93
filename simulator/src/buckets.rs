//! The buckets of response time that a replica shows to a scrape, found from the fine bucket of a time.

use crate::histogram::{BUCKETS, bucket_of, least_of};
use crate::time::{Nanoseconds, nanoseconds_of_seconds};

/// Upper bounds in seconds of a live replica's `webapp_request_duration_seconds`, infinity last.
pub(crate) const BOUNDS_SECONDS: [f64; 22] = [
    0.005,
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.25,
    0.35,
    0.5,
    0.6,
    0.75,
    1.0,
    1.2,
    1.3,
    1.5,
    2.5,
    5.0,
    7.5,
    10.0,
    f64::INFINITY,
];

/// Where the bounds lie among the fine buckets.
#[derive(Clone, Debug)]
pub(crate) struct BucketTable {
    /// For each fine bucket the bound below which its least time lies, and the bound itself if it lies in that bucket.
    places: Box<[(u8, Nanoseconds)]>,
}

impl BucketTable {
    pub(crate) fn new() -> Self {
        let bounds = BOUNDS_SECONDS.map(nanoseconds_of_seconds);
        let place = |bucket: usize| {
            let index = bounds.partition_point(|bound| *bound < least_of(bucket));
            let inside = bounds[index] < least_of(bucket + 1);
            (u8::try_from(index).unwrap_or(u8::MAX), if inside { bounds[index] } else { Nanoseconds::MAX })
        };
        Self { places: (0..BUCKETS).map(place).collect() }
    }

    /// The index of the lowest bound that `time`, whose fine bucket is known, does not exceed.
    #[inline]
    pub(crate) fn bound_of(&self, time: Nanoseconds, bucket: usize) -> usize {
        debug_assert_eq!(bucket, bucket_of(time));
        let (index, inside) = self.places[bucket];
        usize::from(index) + usize::from(time > inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_up_to_its_bound() {
        let table = BucketTable::new();
        for (index, bound) in BOUNDS_SECONDS.iter().take(21).enumerate() {
            let at = nanoseconds_of_seconds(*bound);
            for (time, expected) in [(at - 1, index), (at, index), (at + 1, index + 1)] {
                assert_eq!(table.bound_of(time, bucket_of(time)), expected, "{time} ns at {bound} s");
            }
        }
        let long = 1 << 50;
        assert_eq!(table.bound_of(long, bucket_of(long)), 21);
    }
}
