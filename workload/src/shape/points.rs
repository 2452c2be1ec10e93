//! Levels that change at listed instants and hold in between.

use core::time::Duration;

use serde::{Deserialize, Serialize};

/// From `at_seconds` on, the level is `level`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelPoint {
    /// Seconds since the shape began, from 0 to [`LONGEST_SECONDS`](crate::LONGEST_SECONDS).
    pub at_seconds: f64,
    /// The level from then on, from 0 to [`LARGEST_LEVEL`](crate::LARGEST_LEVEL).
    pub level: f64,
}

impl LevelPoint {
    fn at(self) -> Duration {
        Duration::from_secs_f64(self.at_seconds)
    }
}

/// The level in force at `elapsed`, and when the next point takes over.
///
/// `points` is not empty, begins at 0 and is ordered, as validation has made sure. Takes logarithmic time.
pub(super) fn level_and_next(points: &[LevelPoint], elapsed: Duration) -> (f64, Option<Duration>) {
    let passed = points.partition_point(|point| point.at() <= elapsed);
    let level = passed.checked_sub(1).and_then(|index| points.get(index)).map_or(0.0, |point| point.level);
    (level, points.get(passed).map(|point| point.at()))
}

/// The highest level of all points.
pub(super) fn highest_level(points: &[LevelPoint]) -> f64 {
    points.iter().fold(0.0, |highest, point| point.level.max(highest))
}
