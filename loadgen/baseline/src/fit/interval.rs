//! Estimates with the interval that holds the truth, from a parametric bootstrap.

use serde::{Deserialize, Serialize};

/// How many times a fit is repeated on data drawn around itself (parametric bootstrap).
///
/// Source: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), sections 6.5 and 13.3.
pub(super) const BOOTSTRAP_DRAWS: usize = 200;

/// An estimate and the interval that holds the truth with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The best guess.
    pub estimate: f64,
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
}

impl Interval {
    /// Whether a value lies in it.
    pub fn contains(&self, value: f64) -> bool {
        (self.lower..=self.upper).contains(&value)
    }

    /// The middle 95 % of bootstrap draws around an estimate.
    pub(crate) fn from_draws(estimate: f64, mut draws: Vec<f64>) -> Self {
        draws.retain(|value| value.is_finite());
        if draws.is_empty() {
            return Self { estimate, lower: estimate, upper: estimate };
        }
        draws.sort_by(f64::total_cmp);
        Self { estimate, lower: sorted_quantile(&draws, 0.025), upper: sorted_quantile(&draws, 0.975) }
    }

    /// The same interval in another unit.
    #[must_use]
    pub fn scaled(self, factor: f64) -> Self {
        Self { estimate: self.estimate * factor, lower: self.lower * factor, upper: self.upper * factor }
    }
}

/// A quantile of sorted values, by linear interpolation between the two nearest ranks.
fn sorted_quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor();
    let weight = place - below;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rank within the slice")]
    let index = below as usize;
    let above = sorted[(index + 1).min(sorted.len() - 1)];
    sorted[index] * (1.0 - weight) + above * weight
}

/// A uniform variate, never 0 or 1, so that every distribution has a finite quantile there.
pub(super) fn open_unit<R: rand::Rng + ?Sized>(stream: &mut R) -> f64 {
    // 2^-53, and the middle of the step.
    ((stream.next_u64() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
}
