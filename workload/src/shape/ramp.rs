//! A straight line from one level to another, which then holds.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::segment::{Curve, Segment};

/// A straight line from one level to another, which then holds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ramp {
    /// The level at the beginning, from 0 to [`LARGEST_LEVEL`](crate::LARGEST_LEVEL).
    pub from: f64,
    /// The level at the end and ever after, from 0 to [`LARGEST_LEVEL`](crate::LARGEST_LEVEL).
    pub to: f64,
    /// How long it takes, from 0 (at once) to [`LONGEST_SECONDS`](crate::LONGEST_SECONDS).
    pub over_seconds: f64,
}

impl Ramp {
    pub(super) fn segment_at(&self, elapsed: Duration) -> Segment {
        let end = self.ends_after();
        if elapsed >= end {
            return Segment::flat_for_ever(self.to);
        }
        let slope_per_second = (self.to - self.from) / end.as_secs_f64();
        let from = self.from + slope_per_second * elapsed.as_secs_f64();
        Segment { end: Some(end), curve: Curve::Line { from, slope_per_second } }
    }

    pub(super) fn ends_after(&self) -> Duration {
        Duration::from_secs_f64(self.over_seconds)
    }
}
