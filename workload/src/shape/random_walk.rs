//! A seeded random walk between two bounds, whose level at any time is found without walking there.
//!
//! ## Why not step by step
//! A level must be a pure function of the elapsed time, so that replicas agree on it and nobody keeps state.
//! Walking from the beginning at each question would cost more and more over a long run; a cache would be
//! state. A walk with normal steps can instead be filled in by halves: its value in the middle of two known
//! ones is their mean plus a normal variate of known variance. So a level costs about 2 × log₂(steps)
//! variates: 34 after a day of one-second steps.
//!
//! Source: P. Lévy's construction of Brownian motion, as in P. Mörters and Y. Peres, "Brownian Motion",
//! section 1.1.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use super::segment::Segment;
use crate::mixing::split_mix_64;
use crate::variates::standard_normal_of;

/// A random walk: each level holds for a while, steps are normal variates, two bounds reflect it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomWalk {
    /// The first level, from `min` to `max`.
    pub start: f64,
    /// The standard deviation of one step, from 0 to [`LARGEST_LEVEL`](crate::LARGEST_LEVEL).
    pub step: f64,
    /// The lowest level, from 0 to `max`.
    pub min: f64,
    /// The highest level, from `min` to [`LARGEST_LEVEL`](crate::LARGEST_LEVEL).
    pub max: f64,
    /// How long each level holds, from [`SHORTEST_PERIOD_SECONDS`](crate::SHORTEST_PERIOD_SECONDS) to
    /// [`LONGEST_SECONDS`](crate::LONGEST_SECONDS).
    pub every_seconds: f64,
    /// Decides the path: the same seed, the same path, on every machine.
    pub seed: u64,
}

impl RandomWalk {
    pub(super) fn segment_at(&self, elapsed: Duration) -> Segment {
        let range = self.max - self.min;
        if self.step <= 0.0 || range <= 0.0 {
            return Segment::flat_for_ever(self.start);
        }
        // Counted in whole nanoseconds: in floats, the end of a segment could round to its beginning.
        let every_nanos = Duration::from_secs_f64(self.every_seconds).as_nanos();
        let steps = elapsed.as_nanos() / every_nanos;
        let unbounded =
            self.start + self.step * walk_after(self.seed, u64::try_from(steps).unwrap_or(u64::MAX));
        let end = Duration::from_nanos_u128(((steps + 1) * every_nanos).min(Duration::MAX.as_nanos()));
        Segment::flat_until(end, reflect(unbounded, self.min, range))
    }
}

/// A walk of standard normal steps from 0, after `steps` of them.
fn walk_after(seed: u64, steps: u64) -> f64 {
    let Some(doublings) = steps.checked_ilog2() else {
        return 0.0;
    };
    // One variate belongs to each step number: an integer is the middle of one span, or a power of two,
    // exactly once.
    let variate = |step: u64| {
        standard_normal_of(
            split_mix_64(seed, step.wrapping_mul(2)),
            split_mix_64(seed, step.wrapping_mul(2).wrapping_add(1)),
        )
    };
    // Outwards: the value at 1, 2, 4, … up to the last power of two not after `steps`, and at the next one.
    let mut low_value = variate(1);
    for doubling in 0..doublings {
        low_value += libm::sqrt((1_u64 << doubling) as f64) * variate(2 << doubling);
    }
    let mut low = 1_u64 << doublings;
    let mut width = low;
    let mut high_value = low_value + libm::sqrt(width as f64) * variate(low.wrapping_mul(2));
    // Inwards: halve the span around `steps` until one end is there.
    while low < steps {
        let middle = low + width / 2;
        let middle_value =
            f64::midpoint(low_value, high_value) + 0.5 * libm::sqrt(width as f64) * variate(middle);
        width /= 2;
        if steps < middle {
            high_value = middle_value;
        } else {
            (low, low_value) = (middle, middle_value);
        }
    }
    low_value
}

/// Folds a value back into `min..=min + range`, as a ball between two walls.
fn reflect(value: f64, min: f64, range: f64) -> f64 {
    let around = (value - min) % (2.0 * range);
    let around = if around < 0.0 { around + 2.0 * range } else { around };
    let folded = if around > range { 2.0 * range - around } else { around };
    min + folded.clamp(0.0, range)
}

#[cfg(test)]
mod tests {
    use std::vec::Vec;

    use super::*;

    #[test]
    fn steps_are_independent_and_standard_normal() {
        let values: Vec<f64> = (0..=100_000).map(|steps| walk_after(11, steps)).collect();
        let increments: Vec<f64> = values.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let count = increments.len() as f64;
        let mean = increments.iter().sum::<f64>() / count;
        let variance = increments.iter().map(|step| step * step).sum::<f64>() / count;
        // Five standard errors: 1/√n and √2/√n.
        assert!(mean.abs() < 0.0158, "mean {mean}");
        assert!((variance - 1.0).abs() < 0.0224, "variance {variance}");
        for lag in [1, 2, 3, 64] {
            let products = increments.iter().zip(&increments[lag..]).map(|(left, right)| left * right);
            let correlation = products.sum::<f64>() / count;
            assert!(correlation.abs() < 0.0158, "correlation at lag {lag} is {correlation}");
        }
    }

    #[test]
    fn reflection_folds_like_a_ball_between_walls() {
        for (value, expected) in [(1.0, 1.0), (3.5, 2.5), (-0.5, 0.5), (5.5, 0.5), (-5.0, 1.0), (6.25, 0.25)]
        {
            assert!((reflect(value, 0.0, 3.0) - expected).abs() < 1e-12, "{value} folds to {expected}");
        }
    }

    #[test]
    fn largest_step_numbers_stay_finite() {
        for steps in [u64::MAX, u64::MAX / 2, 1 << 63, (1 << 63) + 1] {
            assert!(walk_after(3, steps).is_finite());
        }
    }
}
