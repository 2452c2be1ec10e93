//! How long a request is worked on: a distribution with a given mean and spread, from a caller's stream.

mod empirical;
mod kind;

use core::time::Duration;

use rand::Rng;

use empirical::Empirical;
pub use kind::{ServiceTimeDistribution, UnknownServiceTimeDistribution};

use crate::variates::{standard_exponential, standard_normal, unit};

/// The longest mean service time accepted: one day.
pub const LONGEST_MEAN: Duration = Duration::from_hours(24);

/// The largest coefficient of variation accepted for a lognormal distribution.
pub const LARGEST_COEFFICIENT_OF_VARIATION: f64 = 100.0;

/// The share of slow jobs of a bimodal distribution.
const BIMODAL_SLOW_SHARE: f64 = 0.1;

/// The largest coefficient of variation of a bimodal distribution: √((1 − slow share) ÷ slow share), where
/// fast is 0.
const BIMODAL_LARGEST_COEFFICIENT_OF_VARIATION: f64 = 3.0;

/// Why a service time cannot be had.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ServiceTimeError {
    /// The mean is too long.
    #[error("mean service time is {} s, expected at most {} s", .0.as_secs_f64(), LONGEST_MEAN.as_secs())]
    Mean(Duration),
    /// The coefficient of variation is out of range for the distribution.
    #[error(
        "coefficient of variation of a {distribution} service time is {value}, expected from 0 to {largest} \
         (standard deviation ÷ mean)"
    )]
    CoefficientOfVariation {
        /// The distribution asked for.
        distribution: ServiceTimeDistribution,
        /// The value found.
        value: f64,
        /// The largest that this distribution can have.
        largest: f64,
    },
    /// There are no samples to draw from.
    #[error("service time samples are empty, expected at least one")]
    NoSamples,
    /// A sample is not a service time.
    #[error("service time sample {index} is {value}, expected seconds from 0 to {}", LONGEST_MEAN.as_secs())]
    Sample {
        /// Its index, from 0.
        index: usize,
        /// The value found.
        value: f64,
    },
}

/// A service-time distribution with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceTime(Law);

#[derive(Clone, Debug, PartialEq)]
enum Law {
    Constant {
        mean_seconds: f64,
    },
    Exponential {
        mean_seconds: f64,
    },
    /// `scale_seconds × exp(sigma × Z)` for a standard normal Z.
    Lognormal {
        mean_seconds: f64,
        coefficient_of_variation: f64,
        sigma: f64,
        scale_seconds: f64,
    },
    Bimodal {
        mean_seconds: f64,
        coefficient_of_variation: f64,
        fast_seconds: f64,
        slow_seconds: f64,
    },
    Empirical(Empirical),
}

impl ServiceTime {
    /// A distribution of the given mean and coefficient of variation (standard deviation ÷ mean).
    ///
    /// The mean is at most [`LONGEST_MEAN`]; 0 is allowed, and every draw is then 0. The coefficient of
    /// variation (cv) is
    /// - ignored by `constant` (it is 0) and `exponential` (it is 1),
    /// - from 0 to [`LARGEST_COEFFICIENT_OF_VARIATION`] for `lognormal`: σ² = ln(1 + cv²),
    ///   μ = ln(mean) − σ²/2,
    /// - from 0 to 3 for `bimodal`: 9 jobs in 10 take the fast time mean × (1 − cv/3), 1 in 10 takes the slow
    ///   time mean × (1 + 3 cv). These two have the given mean and spread; beyond 3 the fast time would be
    ///   negative.
    ///
    /// # Errors
    /// Where the mean or the coefficient of variation is out of these ranges.
    pub fn new(
        distribution: ServiceTimeDistribution,
        mean: Duration,
        coefficient_of_variation: f64,
    ) -> Result<Self, ServiceTimeError> {
        if mean > LONGEST_MEAN {
            return Err(ServiceTimeError::Mean(mean));
        }
        let mean_seconds = mean.as_secs_f64();
        let within = |largest| {
            if (0.0..=largest).contains(&coefficient_of_variation) {
                return Ok(());
            }
            Err(ServiceTimeError::CoefficientOfVariation {
                distribution,
                value: coefficient_of_variation,
                largest,
            })
        };
        Ok(Self(match distribution {
            ServiceTimeDistribution::Constant => Law::Constant { mean_seconds },
            ServiceTimeDistribution::Exponential => Law::Exponential { mean_seconds },
            ServiceTimeDistribution::Lognormal => {
                within(LARGEST_COEFFICIENT_OF_VARIATION)?;
                let variance_of_log = libm::log1p(coefficient_of_variation * coefficient_of_variation);
                Law::Lognormal {
                    mean_seconds,
                    coefficient_of_variation,
                    sigma: libm::sqrt(variance_of_log),
                    scale_seconds: mean_seconds * libm::exp(-0.5 * variance_of_log),
                }
            }
            ServiceTimeDistribution::Bimodal => {
                within(BIMODAL_LARGEST_COEFFICIENT_OF_VARIATION)?;
                // Between the two: cv × mean ÷ √(share × (1 − share)), and that root is 0.3.
                let distance_seconds = coefficient_of_variation * mean_seconds / 0.3;
                Law::Bimodal {
                    mean_seconds,
                    coefficient_of_variation,
                    fast_seconds: (mean_seconds - BIMODAL_SLOW_SHARE * distance_seconds).max(0.0),
                    slow_seconds: mean_seconds + (1.0 - BIMODAL_SLOW_SHARE) * distance_seconds,
                }
            }
        }))
    }

    /// Draws from measured service times, in seconds, each as likely as the next.
    ///
    /// # Errors
    /// Where there are none, or one is not from 0 to 86,400 s.
    pub fn empirical(samples_seconds: impl IntoIterator<Item = f64>) -> Result<Self, ServiceTimeError> {
        Empirical::new(samples_seconds.into_iter().collect()).map(|empirical| Self(Law::Empirical(empirical)))
    }

    /// One service time, to the nanosecond.
    ///
    /// Takes no random words for `constant`, one for `exponential`, `bimodal` and empirical ones, two for
    /// `lognormal`.
    pub fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> Duration {
        let seconds = match &self.0 {
            Law::Constant { mean_seconds } => *mean_seconds,
            Law::Exponential { mean_seconds } => mean_seconds * standard_exponential(rng),
            Law::Lognormal { sigma, scale_seconds, .. } => {
                scale_seconds * libm::exp(sigma * standard_normal(rng))
            }
            Law::Bimodal { fast_seconds, slow_seconds, .. } => {
                if unit(rng) < BIMODAL_SLOW_SHARE {
                    *slow_seconds
                } else {
                    *fast_seconds
                }
            }
            Law::Empirical(empirical) => empirical.draw(rng),
        };
        // Within range for every law: normal variates stay within ±8.6, so lognormal ones below 3 × 10¹¹ means.
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }

    /// The mean, to the nanosecond.
    pub fn mean(&self) -> Duration {
        Duration::try_from_secs_f64(self.mean_seconds()).unwrap_or(LONGEST_MEAN)
    }

    /// The standard deviation divided by the mean; 0 where the mean is 0.
    pub fn coefficient_of_variation(&self) -> f64 {
        if self.mean_seconds() <= 0.0 {
            return 0.0;
        }
        match &self.0 {
            Law::Constant { .. } => 0.0,
            Law::Exponential { .. } => 1.0,
            Law::Lognormal { coefficient_of_variation, .. }
            | Law::Bimodal { coefficient_of_variation, .. } => *coefficient_of_variation,
            Law::Empirical(empirical) => empirical.coefficient_of_variation(),
        }
    }

    /// The mean of the square, mean² × (1 + cv²), in seconds squared: what the waiting time in M/G/1 depends
    /// on.
    pub fn second_moment_seconds_squared(&self) -> f64 {
        let (mean_seconds, variation) = (self.mean_seconds(), self.coefficient_of_variation());
        mean_seconds * mean_seconds * (1.0 + variation * variation)
    }

    fn mean_seconds(&self) -> f64 {
        match &self.0 {
            Law::Constant { mean_seconds }
            | Law::Exponential { mean_seconds }
            | Law::Lognormal { mean_seconds, .. }
            | Law::Bimodal { mean_seconds, .. } => *mean_seconds,
            Law::Empirical(empirical) => empirical.mean_seconds(),
        }
    }
}
