//! A sudden rise to a peak that holds, then a straight line back to the base, which stays.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::ramp::Ramp;
use super::segment::Segment;

/// A sudden rise to a peak that holds, then a straight line back to the base, which stays.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spike {
    /// The level after the spike, from 0 to [`LARGEST_LEVEL`](crate::LARGEST_LEVEL).
    pub base: f64,
    /// The level from the beginning on, from 0 to [`LARGEST_LEVEL`](crate::LARGEST_LEVEL); a peak below the
    /// base is a dip.
    pub peak: f64,
    /// How long the peak holds, from 0 to [`LONGEST_SECONDS`](crate::LONGEST_SECONDS).
    pub hold_seconds: f64,
    /// How long the way back takes, from 0 (at once) to [`LONGEST_SECONDS`](crate::LONGEST_SECONDS).
    pub ramp_seconds: f64,
}

impl Spike {
    pub(super) fn segment_at(&self, elapsed: Duration) -> Segment {
        let hold = self.hold();
        let Some(since_hold) = elapsed.checked_sub(hold) else {
            return Segment::flat_until(hold, self.peak);
        };
        let segment = self.way_back().segment_at(since_hold);
        Segment { end: segment.end.map(|end| hold + end), ..segment }
    }

    pub(super) fn ends_after(&self) -> Duration {
        self.hold() + self.way_back().ends_after()
    }

    fn hold(&self) -> Duration {
        Duration::from_secs_f64(self.hold_seconds)
    }

    fn way_back(&self) -> Ramp {
        Ramp { from: self.peak, to: self.base, over_seconds: self.ramp_seconds }
    }
}
