//! One level for ever.

use serde::{Deserialize, Serialize};

use super::segment::Segment;

/// One level for ever.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Steady {
    /// The level, from 0 to [`LARGEST_LEVEL`](crate::LARGEST_LEVEL).
    pub level: f64,
}

impl Steady {
    pub(super) fn segment(self) -> Segment {
        Segment::flat_for_ever(self.level)
    }
}
