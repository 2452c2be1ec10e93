//! Random variates made from a generator's words by formulas that need a fixed number of words each.
//!
//! A distribution library would pick its `ln` and `exp` by the features of the whole build, so one more crate
//! in the workspace could change a recorded run. These few formulas, over `libm`, cannot change.

use core::f64::consts::TAU;
use rand::Rng;

/// 2^-53, the distance of neighbouring results of [`unit_of`].
const UNIT_STEP: f64 = 1.0 / 9_007_199_254_740_992.0;

/// A uniform variate in `0.0..1.0` from the upper 53 bits of a word.
pub(crate) fn unit_of(word: u64) -> f64 {
    (word >> 11) as f64 * UNIT_STEP
}

/// A uniform variate in `0.0..1.0`; takes one word.
pub(crate) fn unit<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    unit_of(rng.next_u64())
}

/// An exponential variate of mean 1, at most 36.8, by inversion; takes one word.
pub(crate) fn standard_exponential<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    -libm::log1p(-unit(rng))
}

/// A normal variate of mean 0 and variance 1 from two words, within ±8.6.
///
/// Source: G. E. P. Box and M. E. Muller, "A Note on the Generation of Random Normal Deviates",
/// Annals of Mathematical Statistics 29 (1958). Its twin (the sine) is dropped, so that a draw has no memory.
pub(crate) fn standard_normal_of(radius_word: u64, angle_word: u64) -> f64 {
    libm::sqrt(-2.0 * libm::log1p(-unit_of(radius_word))) * libm::cos(TAU * unit_of(angle_word))
}

/// A normal variate of mean 0 and variance 1; takes two words.
pub(crate) fn standard_normal<R: Rng + ?Sized>(rng: &mut R) -> f64 {
    let radius_word = rng.next_u64();
    standard_normal_of(radius_word, rng.next_u64())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Streams;

    #[test]
    fn extreme_words_give_finite_variates() {
        assert!(unit_of(u64::MAX) < 1.0);
        assert!((-8.6..=8.6).contains(&standard_normal_of(u64::MAX, 0)));
        assert!(standard_normal_of(0, 0).abs() < f64::EPSILON);
    }

    #[test]
    fn normal_variates_have_the_moments_of_the_normal_distribution() {
        let mut stream = Streams::from_seed(1).stream("normal");
        let count = 200_000;
        let (mut first, mut second, mut fourth) = (0.0, 0.0, 0.0);
        for _ in 0..count {
            let value = standard_normal(&mut stream);
            first += value;
            second += value * value;
            fourth += value * value * value * value;
        }
        let count = f64::from(count);
        // Five standard errors: 1/√n, √2/√n and √96/√n.
        assert!((first / count).abs() < 0.0112, "mean {}", first / count);
        assert!((second / count - 1.0).abs() < 0.0159, "variance {}", second / count);
        assert!((fourth / count - 3.0).abs() < 0.11, "fourth moment {}", fourth / count);
    }
}
