//! Service times drawn from measured ones, each as likely as the next.

use alloc::vec::Vec;

use rand::Rng;

use super::{LONGEST_MEAN, ServiceTimeError};

/// Measured service times, at least one, with their mean and spread.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Empirical {
    samples_seconds: Vec<f64>,
    mean_seconds: f64,
    coefficient_of_variation: f64,
}

impl Empirical {
    pub(super) fn new(samples_seconds: Vec<f64>) -> Result<Self, ServiceTimeError> {
        if samples_seconds.is_empty() {
            return Err(ServiceTimeError::NoSamples);
        }
        let valid = 0.0..=LONGEST_MEAN.as_secs_f64();
        if let Some((index, value)) = (0..).zip(&samples_seconds).find(|(_, value)| !valid.contains(*value)) {
            return Err(ServiceTimeError::Sample { index, value: *value });
        }
        let count = samples_seconds.len() as f64;
        let mean_seconds = samples_seconds.iter().sum::<f64>() / count;
        // In two passes: a sum of squares less the square of the sum would cancel where the spread is small.
        let squares = samples_seconds.iter().map(|sample| (sample - mean_seconds) * (sample - mean_seconds));
        let deviation_seconds = libm::sqrt(squares.sum::<f64>() / count);
        let coefficient_of_variation =
            if mean_seconds > 0.0 { deviation_seconds / mean_seconds } else { 0.0 };
        Ok(Self { samples_seconds, mean_seconds, coefficient_of_variation })
    }

    pub(super) fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // The upper half of a product scales a word to an index with a bias below count ÷ 2^64.
        let scaled = (u128::from(rng.next_u64()) * self.samples_seconds.len() as u128) >> 64;
        usize::try_from(scaled).ok().and_then(|index| self.samples_seconds.get(index)).copied().unwrap_or(0.0)
    }

    pub(super) const fn mean_seconds(&self) -> f64 {
        self.mean_seconds
    }

    pub(super) const fn coefficient_of_variation(&self) -> f64 {
        self.coefficient_of_variation
    }
}
