//! Levels that come back: a sine around a mean, and a day with its low and its peak.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::segment::{Curve, Segment};

/// The level `mean + amplitude × sin(2π × elapsed ÷ period)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sine {
    /// The mean level, from 0 to [`LARGEST_LEVEL`](crate::LARGEST_LEVEL).
    pub mean: f64,
    /// How far the level rises above and falls below the mean: from 0 to the mean, so that no level is
    /// negative.
    pub amplitude: f64,
    /// How long one wave takes, from [`SHORTEST_PERIOD_SECONDS`](crate::SHORTEST_PERIOD_SECONDS) to
    /// [`LONGEST_SECONDS`](crate::LONGEST_SECONDS).
    pub period_seconds: f64,
}

impl Sine {
    pub(super) fn segment_at(&self, elapsed: Duration) -> Segment {
        // A sine is the cosine a quarter of a period later.
        wave_segment(self.mean, self.amplitude, self.period_seconds, 0.25 * self.period_seconds, elapsed)
    }
}

/// A smooth day: `low + (high − low) × (1 + cos(2π × (elapsed − peak_at) ÷ period)) ÷ 2`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Diurnal {
    /// The lowest level, half a period away from the peak: from 0 to `high`.
    pub low: f64,
    /// The highest level, from 0 to [`LARGEST_LEVEL`](crate::LARGEST_LEVEL).
    pub high: f64,
    /// How long a day takes, from [`SHORTEST_PERIOD_SECONDS`](crate::SHORTEST_PERIOD_SECONDS) to
    /// [`LONGEST_SECONDS`](crate::LONGEST_SECONDS); 86,400 (24 hours) by default.
    #[serde(default = "seconds_per_day")]
    pub period_seconds: f64,
    /// When the peak comes, in seconds since the shape began, from 0 to the period.
    pub peak_at_seconds: f64,
}

impl Diurnal {
    pub(super) fn segment_at(&self, elapsed: Duration) -> Segment {
        let mean = f64::midpoint(self.low, self.high);
        wave_segment(mean, mean - self.low, self.period_seconds, self.peak_at_seconds, elapsed)
    }
}

const fn seconds_per_day() -> f64 {
    86_400.0
}

/// The wave with a crest at `crest_at_seconds`, seen from `elapsed`, cut after one period.
fn wave_segment(
    mean: f64,
    amplitude: f64,
    period_seconds: f64,
    crest_at_seconds: f64,
    elapsed: Duration,
) -> Segment {
    // A wave of no height is a line; only a line may go on for ever, and then a search for an arrival ends.
    if amplitude <= 0.0 {
        return Segment::flat_for_ever(mean);
    }
    // Reduced to one period first: the cosine of a large angle would be a cosine of its rounding error.
    let phase = (elapsed.as_secs_f64() - crest_at_seconds) % period_seconds / period_seconds;
    let end = elapsed.checked_add(Duration::from_secs_f64(period_seconds));
    Segment {
        end: end.or(Some(Duration::MAX)),
        curve: Curve::Wave { mean, amplitude, period_seconds, phase },
    }
}
