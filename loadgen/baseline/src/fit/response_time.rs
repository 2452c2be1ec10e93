//! How long an answer takes in a queue of several workers: mean exactly for M/M/c, quantiles from its distribution.

use std::num::NonZero;

use statrs::distribution::{ContinuousCDF, Gamma};
use workload::queueing::Mmc;

/// Points at which the distribution of service times is taken, each standing for as many requests.
const SERVICE_NODES: usize = 256;

/// The response time of `workers` servers with Poisson arrivals.
///
/// For exponential service (`wait_factor` 1) this is M/M/c, exactly. For other service times the mean wait is that of
/// M/M/c times (1 + cv²) ÷ 2, and a wait, where there is one, is taken to be exponential: an approximation whose
/// error is largest for few workers and large spread.
///
/// Sources: A. M. Lee and P. A. Longton, "Queueing Processes Associated with Airline Passenger Check-in",
/// Operational Research Quarterly 10 (1959), for the factor; H. C. Tijms, "A First Course in Stochastic Models"
/// (2003), section 9.6, for the tail.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResponseTime {
    /// Requests served at the same time.
    pub workers: NonZero<u32>,
    /// Mean service time in seconds.
    pub mean_service_seconds: f64,
    /// (1 + cv²) ÷ 2, where cv is the coefficient of variation of the service time; at least 0.5.
    pub wait_factor: f64,
}

impl ResponseTime {
    /// Of so many workers, the mean service time in seconds, and the wait factor; without a worker there is one.
    pub(super) fn of((workers, mean_service_seconds, wait_factor): (u32, f64, f64)) -> Self {
        let workers = NonZero::new(workers).unwrap_or(NonZero::<u32>::MIN);
        Self { workers, mean_service_seconds, wait_factor }
    }

    /// The coefficient of variation of the service time that the wait factor stands for.
    pub fn coefficient_of_variation(&self) -> f64 {
        (2.0 * self.wait_factor - 1.0).max(0.0).sqrt()
    }

    /// Seconds; infinite where the workers cannot keep up.
    pub fn mean_seconds(&self, rate_rps: f64) -> f64 {
        self.mean_service_seconds + self.wait_factor * self.queue(rate_rps).mean_wait_seconds()
    }

    /// What this share of answers stays within, in seconds; infinite where the workers cannot keep up.
    pub fn quantile_seconds(&self, share: f64, rate_rps: f64) -> f64 {
        self.at(rate_rps).quantile_seconds(share)
    }

    /// The distribution at one rate, for several questions.
    pub fn at(&self, rate_rps: f64) -> ResponseTimeAt {
        let queue = self.queue(rate_rps);
        let waiting_probability = queue.waiting_probability();
        let mean_wait_seconds = self.wait_factor * queue.mean_wait_seconds();
        let service = self.service_distribution();
        let service_seconds = service.map_or_else(|| vec![self.mean_service_seconds], |gamma| nodes(&gamma));
        ResponseTimeAt {
            service,
            service_seconds,
            waiting_probability,
            // The mean of those waits that are any.
            conditional_wait_seconds: if waiting_probability > 0.0 {
                mean_wait_seconds / waiting_probability
            } else {
                0.0
            },
        }
    }

    fn queue(&self, arrivals_per_second: f64) -> Mmc {
        let Self { workers: servers, mean_service_seconds, .. } = *self;
        Mmc { arrivals_per_second, mean_service_seconds, servers }
    }

    /// A gamma distribution, which has any mean and spread and is the exponential one at cv 1; none where service is
    /// as good as constant.
    fn service_distribution(&self) -> Option<Gamma> {
        let variation = self.coefficient_of_variation();
        let shape = 1.0 / (variation * variation);
        Gamma::new(shape, shape / self.mean_service_seconds).ok().filter(|_| variation > 0.01)
    }
}

/// Service times in the middle of equally likely slices.
fn nodes(gamma: &Gamma) -> Vec<f64> {
    (0..SERVICE_NODES).map(|node| gamma.inverse_cdf((node as f64 + 0.5) / SERVICE_NODES as f64)).collect()
}

/// The distribution of response times at one rate.
#[derive(Clone, Debug)]
pub struct ResponseTimeAt {
    service: Option<Gamma>,
    service_seconds: Vec<f64>,
    waiting_probability: f64,
    conditional_wait_seconds: f64,
}

impl ResponseTimeAt {
    /// The share of answers that take longer.
    pub fn share_beyond(&self, seconds: f64) -> f64 {
        let within = self.service_seconds.iter().filter(|service| **service <= seconds);
        let (mut count, mut waits_beyond) = (0.0, 0.0);
        for service in within {
            count += 1.0;
            waits_beyond += self.wait_beyond(seconds - service);
        }
        let served_beyond = match &self.service {
            Some(gamma) => gamma.sf(seconds),
            None if count > 0.0 => 0.0,
            None => 1.0,
        };
        if count > 0.0 { served_beyond + (1.0 - served_beyond) * waits_beyond / count } else { served_beyond }
    }

    fn wait_beyond(&self, seconds: f64) -> f64 {
        if self.conditional_wait_seconds > 0.0 {
            self.waiting_probability * (-seconds / self.conditional_wait_seconds).exp()
        } else {
            0.0
        }
    }

    /// What this share of answers stays within, in seconds.
    pub fn quantile_seconds(&self, share: f64) -> f64 {
        let (mut lower, mut upper) = (0.0, 1e-6);
        while self.share_beyond(upper) > 1.0 - share {
            upper *= 2.0;
            // A day: the workers cannot keep up.
            if upper > 86_400.0 {
                return f64::INFINITY;
            }
        }
        for _ in 0..48 {
            let middle = 0.5 * (lower + upper);
            if self.share_beyond(middle) > 1.0 - share { lower = middle } else { upper = middle }
        }
        upper
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(workers: u32, wait_factor: f64) -> ResponseTime {
        ResponseTime { workers: NonZero::new(workers).unwrap(), mean_service_seconds: 0.05, wait_factor }
    }

    /// The closed form of M/M/c, for θ = cμ − λ ≠ μ: Gross and Harris, section 2.3.
    fn share_beyond_in_mmc(workers: u32, rate_rps: f64, seconds: f64) -> f64 {
        let servers = NonZero::new(workers).unwrap();
        let queue = Mmc { arrivals_per_second: rate_rps, mean_service_seconds: 0.05, servers };
        let (service, excess) = (20.0, 20.0 * f64::from(workers) - rate_rps);
        let waits = queue.waiting_probability();
        (1.0 - waits) * (-service * seconds).exp()
            + waits * (excess * (-service * seconds).exp() - service * (-excess * seconds).exp())
                / (excess - service)
    }

    #[test]
    fn exponential_service_is_m_m_c() {
        for (rate_rps, share) in [(10.0, 0.95), (50.0, 0.5), (70.0, 0.95), (76.0, 0.99)] {
            let seconds = model(4, 1.0).quantile_seconds(share, rate_rps);
            let beyond = share_beyond_in_mmc(4, rate_rps, seconds);
            assert!((beyond / (1.0 - share) - 1.0).abs() < 0.02, "{rate_rps}/s, {share}: {beyond}");
        }
    }

    #[test]
    fn constant_service_without_waiting_takes_the_service_time() {
        assert!((model(4, 0.5).quantile_seconds(0.99, 0.0) - 0.05).abs() < 1e-4);
        assert!((model(4, 0.5).mean_seconds(0.0) - 0.05).abs() < 1e-12);
    }

    #[test]
    fn too_much_takes_for_ever() {
        assert!(model(4, 1.0).mean_seconds(80.0).is_infinite());
        assert!(model(4, 1.0).quantile_seconds(0.95, 81.0).is_infinite());
    }
}
