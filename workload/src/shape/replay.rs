//! A recorded trace: the level of each interval holds until the next begins, and is 0 after the last.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::points::{LevelPoint, level_and_next};
use super::segment::Segment;

/// A recorded trace: the level of each interval holds until the next begins, and is 0 after the last.
///
/// [`replay::shape_from_csv`](crate::replay::shape_from_csv) makes one whose levels are requests per second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// The beginnings of the intervals: at least one and at most [`MOST_POINTS`](crate::MOST_POINTS), the
    /// first at 0 s, each later than the one before.
    pub points: Vec<LevelPoint>,
    /// When the last interval ends, in seconds since the shape began; later than its beginning.
    pub end_seconds: f64,
}

impl Replay {
    pub(super) fn segment_at(&self, elapsed: Duration) -> Segment {
        if elapsed >= self.ends_after() {
            return Segment::flat_for_ever(0.0);
        }
        let (level, next) = level_and_next(&self.points, elapsed);
        Segment::flat_until(next.unwrap_or_else(|| self.ends_after()), level)
    }

    pub(super) fn ends_after(&self) -> Duration {
        Duration::from_secs_f64(self.end_seconds)
    }
}
