//! A staircase: each level holds until the next step, the last one for ever.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::points::{LevelPoint, level_and_next};
use super::segment::Segment;

/// A staircase: each level holds until the next step, the last one for ever.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steps {
    /// At least one and at most [`MOST_POINTS`](crate::MOST_POINTS), the first at 0 s, each later than the
    /// one before.
    pub steps: Vec<LevelPoint>,
}

impl Steps {
    pub(super) fn segment_at(&self, elapsed: Duration) -> Segment {
        match level_and_next(&self.steps, elapsed) {
            (level, Some(next)) => Segment::flat_until(next, level),
            (level, None) => Segment::flat_for_ever(level),
        }
    }

    pub(super) fn ends_after(&self) -> Duration {
        self.steps.last().map_or(Duration::ZERO, |step| Duration::from_secs_f64(step.at_seconds))
    }
}
