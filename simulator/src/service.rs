//! How long a replica works on a request: the laws of [`workload::ServiceTime`], drawn from a fast stream.

use std::time::Duration;

use workload::{ServiceTime, ServiceTimeDistribution, ServiceTimeError};

use crate::random::FastStream;
use crate::time::nanoseconds_of_seconds;

/// A service-time distribution with its parameters.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceModel {
    law: Law,
    description: ServiceTime,
}

#[derive(Clone, Debug, PartialEq)]
enum Law {
    Constant {
        seconds: f64,
    },
    Exponential {
        mean_seconds: f64,
    },
    /// `scale × exp(sigma × Z)` for a standard normal Z.
    Lognormal {
        sigma: f64,
        scale_seconds: f64,
    },
    /// Drawn as the live service draws it.
    AsDescribed,
}

impl ServiceModel {
    /// A distribution of the given mean and coefficient of variation (standard deviation ÷ mean), with the ranges of
    /// [`ServiceTime::new`].
    ///
    /// # Errors
    /// As [`ServiceTime::new`].
    pub fn new(
        distribution: ServiceTimeDistribution,
        mean: Duration,
        coefficient_of_variation: f64,
    ) -> Result<Self, ServiceTimeError> {
        let description = ServiceTime::new(distribution, mean, coefficient_of_variation)?;
        let mean_seconds = mean.as_secs_f64();
        let law = match distribution {
            ServiceTimeDistribution::Constant => Law::Constant { seconds: mean_seconds },
            ServiceTimeDistribution::Exponential => Law::Exponential { mean_seconds },
            ServiceTimeDistribution::Lognormal => {
                // σ² = ln(1 + cv²), μ = ln(mean) − σ²/2.
                let variance_of_log = libm::log1p(coefficient_of_variation * coefficient_of_variation);
                Law::Lognormal {
                    sigma: libm::sqrt(variance_of_log),
                    scale_seconds: mean_seconds * libm::exp(-0.5 * variance_of_log),
                }
            }
            ServiceTimeDistribution::Bimodal => Law::AsDescribed,
        };
        Ok(Self { law, description })
    }

    /// The distribution as `workload` describes it: its mean and spread.
    pub const fn description(&self) -> &ServiceTime {
        &self.description
    }

    /// One service time in nanoseconds.
    #[inline]
    pub(crate) fn draw(&self, stream: &mut FastStream) -> u64 {
        nanoseconds_of_seconds(match self.law {
            Law::Constant { seconds } => seconds,
            Law::Exponential { mean_seconds } => mean_seconds * stream.exponential(),
            Law::Lognormal { sigma, scale_seconds } => scale_seconds * libm::exp(sigma * stream.normal()),
            Law::AsDescribed => self.description.draw(&mut stream.0).as_secs_f64(),
        })
    }
}

impl From<ServiceTime> for ServiceModel {
    /// Any distribution, measured ones too; drawn as the live service draws it.
    fn from(description: ServiceTime) -> Self {
        Self { law: Law::AsDescribed, description }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::RunStreams;

    #[test]
    fn draws_have_the_mean_and_spread_that_were_asked_for() {
        for (distribution, cv) in [
            (ServiceTimeDistribution::Constant, 0.0),
            (ServiceTimeDistribution::Exponential, 1.0),
            (ServiceTimeDistribution::Lognormal, 0.5),
            (ServiceTimeDistribution::Bimodal, 1.5),
        ] {
            let model = ServiceModel::new(distribution, Duration::from_millis(50), cv).unwrap();
            let mut stream = RunStreams::of_seed(1).service_times;
            let count = 400_000;
            let (mut sum, mut squares) = (0.0, 0.0);
            for _ in 0..count {
                let seconds = model.draw(&mut stream) as f64 / 1e9;
                sum += seconds;
                squares += seconds * seconds;
            }
            let mean = sum / f64::from(count);
            let deviation = (squares / f64::from(count) - mean * mean).max(0.0).sqrt();
            assert!((mean / 0.05 - 1.0).abs() < 0.01, "{distribution}: mean {mean}");
            assert!((deviation / 0.05 - cv).abs() < 0.02, "{distribution}: deviation {deviation}");
        }
    }
}
