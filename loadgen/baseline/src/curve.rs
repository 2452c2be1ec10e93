//! The curve of one number of replicas: levels, what they say, and the queueing model that fits.

use serde::{Deserialize, Serialize};

use super::fit::latency::{FitRefusal, LatencyFit, LatencyPoint, fit_latency};
use super::level::{Level, document};
use super::outcome::{Outcome, overloaded};
use super::pooling::pool;

/// What so many replicas answer at which rate.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Curve {
    /// Replicas behind the address; against a host as many as were ready, 1 where nobody tells.
    pub replicas: u32,
    /// The longest time from starting one of the replicas until it answered its readiness probe, in seconds; none
    /// where the lab did not start them.
    pub start_up_seconds: Option<f64>,
    /// What was found.
    pub outcome: Outcome,
    /// The queueing model that fits, or none.
    pub latency_fit: Option<LatencyFit>,
    /// Why there is no fit; none where there is one.
    pub latency_fit_refused: Option<FitRefusal>,
    /// Everything that was measured, void levels included, in that order.
    #[serde(with = "document")]
    pub levels: Vec<Level>,
}

impl Curve {
    /// Fits the model to levels; `seed` draws the bootstrap.
    pub fn new(
        replicas: u32,
        start_up_seconds: Option<f64>,
        outcome: Outcome,
        levels: Vec<Level>,
        seed: u64,
    ) -> Self {
        let fit = fit_latency(&fitted_points(&levels), seed);
        let (latency_fit, latency_fit_refused) = match fit {
            Ok(fit) => (Some(fit), None),
            Err(refusal) => (None, Some(refusal)),
        };
        Self { replicas, start_up_seconds, outcome, latency_fit, latency_fit_refused, levels }
    }

    /// The levels that are to be believed, lowest rate first.
    pub fn valid_levels(&self) -> Vec<&Level> {
        let mut levels: Vec<&Level> = self.levels.iter().filter(|level| level.is_valid()).collect();
        levels.sort_by(|left, right| left.offered_rps().total_cmp(&right.offered_rps()));
        levels
    }

    /// One level for each rate, lowest first, made of all that are to be believed.
    pub fn pooled_levels(&self) -> Vec<Level> {
        pool(&self.levels)
    }

    /// The plateau and what it may be off by, in requests per second; none without a plateau.
    pub fn plateau(&self) -> Option<(f64, f64)> {
        let plateau = self.outcome.plateau_rps?;
        let levels = overloaded(&self.levels);
        let throughputs: Vec<f64> = levels.iter().map(|level| level.measurement.throughput_rps()).collect();
        let variance = throughputs.iter().map(|value| (value - plateau).powi(2)).sum::<f64>()
            / (throughputs.len() as f64 - 1.0).max(1.0);
        // Two levels may agree by luck: a saturated worker's count has about this spread whatever they say.
        let served: f64 = levels.iter().map(|level| level.measurement.succeeded as f64).sum();
        let by_count = 0.5 * plateau / served.max(1.0).sqrt();
        Some((plateau, (variance / throughputs.len() as f64).sqrt().max(by_count)))
    }
}

/// Levels on which a queue without end can be fitted: believed, and nobody was turned away.
fn fitted_points(levels: &[Level]) -> Vec<LatencyPoint> {
    levels
        .iter()
        .filter(|level| level.is_valid() && level.error_share() < 0.001)
        .filter_map(|level| {
            let mean = level.mean()?;
            Some(LatencyPoint {
                rate_rps: level.offered_rps(),
                mean_seconds: mean.mean_micros / 1e6,
                standard_error_seconds: mean.standard_error_micros / 1e6,
                degrees_of_freedom: mean.degrees_of_freedom,
            })
        })
        .collect()
}
