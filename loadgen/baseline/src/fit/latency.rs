//! Fits a queue of c workers to the mean response times of levels: c, the mean service time, and its spread.
//!
//! The fit is by weighted least squares on the means, each weighted by its own standard error from batch means. For
//! each number of workers, and each mean service time, the wait factor that fits best has a closed form; so what is
//! searched is one number for each c. Quantiles are not fitted: they follow from the model, and comparing them with
//! what was measured is a test of it.

mod candidate;
mod errors;
mod point;

use std::fmt;

use serde::{Deserialize, Serialize};
use workload::Streams;

use super::interval::{BOOTSTRAP_DRAWS, Interval, open_unit};
use super::response_time::ResponseTime;
use crate::statistics::{normal_quantile, t_quantile};
use candidate::{Candidate, best_with};
use errors::{with_errors_of_misfit, with_smoothed_errors};

pub use point::LatencyPoint;

/// Most workers that are looked for.
const MOST_WORKERS: u32 = 64;

/// Fewest levels: three numbers are fitted, and one must be left to contradict them.
const FEWEST_LEVELS: usize = 4;

/// The busiest level must be at least so many times slower than the calmest, or waiting cannot be told from noise.
const LEAST_SLOWDOWN: f64 = 1.15;

/// How far the model is from one level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Residual {
    /// Requests per second.
    pub rate_rps: f64,
    /// What was measured, in seconds.
    pub mean_seconds: f64,
    /// What the model says, in seconds.
    pub fitted_seconds: f64,
    /// The difference in standard errors of the measurement; beyond 3 the model does not explain it.
    pub standard_errors: f64,
}

/// Why there is no fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum FitRefusal {
    /// Fewer levels than numbers to fit.
    #[error("fewer than 4 rates were measured without refusals, drift or doubt; a fit needs more levels")]
    TooFewLevels,
    /// The response time hardly grows.
    #[error(
        "the response time grows by less than 15 %: waiting cannot be told from noise; a fit needs higher rates"
    )]
    NoWaiting,
    /// The rates are not all that was served.
    #[error(
        "the service makes demand of its own, so its queue serves more than was offered; a fit needs --base-rps 0"
    )]
    OwnDemand,
    /// No number of workers explains it.
    #[error("no number of workers from 1 to 64 explains these response times")]
    NoModel,
}

/// The fitted model. It answers for the rates between the lowest and the highest level that it rests on, and for no other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyFit {
    /// Requests that seem to be served at the same time.
    pub workers: u32,
    /// As many of the bootstrap's fits had these fewest and most workers in their middle 95 %.
    pub workers_from: u32,
    /// See `workers_from`.
    pub workers_to: u32,
    /// Mean service time, in seconds.
    pub mean_service_seconds: Interval,
    /// Coefficient of variation of the service time.
    pub service_cv: Interval,
    /// The lowest rate it answers for.
    pub from_rps: f64,
    /// The highest rate it answers for.
    pub to_rps: f64,
    /// How far each level is from it, in the errors of the measurements themselves: the intervals, which were widened by
    /// what the model leaves unexplained, would hide it.
    pub residuals: Vec<Residual>,
    /// What the bootstrap fitted: workers, mean service seconds, wait factor; bands are made of these.
    pub draws: Vec<(u32, f64, f64)>,
    wait_factor: f64,
}

impl LatencyFit {
    /// The fitted queue.
    pub fn model(&self) -> ResponseTime {
        ResponseTime::of((self.workers, self.mean_service_seconds.estimate, self.wait_factor))
    }

    /// The mean response time at a rate, in seconds; none beyond the data.
    pub fn mean_seconds(&self, rate_rps: f64) -> Option<Interval> {
        self.band(rate_rps, |model| model.mean_seconds(rate_rps))
    }

    /// What this share of answers stays within at a rate, in seconds; none beyond the data.
    pub fn quantile_seconds(&self, share: f64, rate_rps: f64) -> Option<Interval> {
        self.band(rate_rps, |model| model.quantile_seconds(share, rate_rps))
    }

    fn band(&self, rate_rps: f64, of: impl Fn(ResponseTime) -> f64) -> Option<Interval> {
        let draws = || self.draws.iter().map(|draw| of(ResponseTime::of(*draw))).collect();
        // A level's own rate is within, whatever rounding a file did to it.
        (self.from_rps * (1.0 - 1e-9)..=self.to_rps * (1.0 + 1e-9))
            .contains(&rate_rps)
            .then(|| Interval::from_draws(of(self.model()), draws()))
    }
}

impl fmt::Display for LatencyFit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (service, cv) = (self.mean_service_seconds.scaled(1000.0), self.service_cv);
        write!(
            formatter,
            "{} workers ({} to {}), service {:.1} ms ({:.1} to {:.1}), cv {:.2} ({:.2} to {:.2}); from {:.1}/s to {:.1}/s",
            self.workers,
            self.workers_from,
            self.workers_to,
            service.estimate,
            service.lower,
            service.upper,
            cv.estimate,
            cv.lower,
            cv.upper,
            self.from_rps,
            self.to_rps,
        )
    }
}

/// Fits the queue; the same points and seed give the same fit.
///
/// # Errors
/// Where the points cannot tell.
pub fn fit_latency(points: &[LatencyPoint], seed: u64) -> Result<LatencyFit, FitRefusal> {
    let rates = || points.iter().map(|point| point.rate_rps);
    let (from_rps, to_rps) = (rates().fold(f64::INFINITY, f64::min), rates().fold(0.0, f64::max));
    let mut distinct: Vec<f64> = rates().collect();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    if distinct.len() < FEWEST_LEVELS {
        return Err(FitRefusal::TooFewLevels);
    }
    let means = || points.iter().map(|point| point.mean_seconds);
    let (calmest, busiest) = (means().fold(f64::INFINITY, f64::min), means().fold(0.0, f64::max));
    if busiest < LEAST_SLOWDOWN * calmest {
        return Err(FitRefusal::NoWaiting);
    }
    let best_of = |points: &[LatencyPoint]| {
        (1..=MOST_WORKERS)
            .filter_map(|workers| best_with(workers, points))
            .min_by(|left, right| left.misfit.total_cmp(&right.misfit))
            .ok_or(FitRefusal::NoModel)
    };
    let first = ResponseTime::of(best_of(points)?.parameters());
    let points = &with_smoothed_errors(points, &first);
    let best = best_of(points)?;
    let draws = bootstrap(&best, &with_errors_of_misfit(points, best.misfit), seed);
    let of_draws = |estimate, value: &dyn Fn(&(u32, f64, f64)) -> f64| {
        Interval::from_draws(estimate, draws.iter().map(value).collect())
    };
    let workers = of_draws(f64::from(best.workers), &|draw| f64::from(draw.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 1 and 64")]
    let whole = |value: f64| value.round() as u32;
    let fitted = ResponseTime::of(best.parameters());
    Ok(LatencyFit {
        workers: best.workers,
        workers_from: whole(workers.lower.floor()),
        workers_to: whole(workers.upper.ceil()),
        mean_service_seconds: of_draws(best.mean_service_seconds, &|draw| draw.1),
        service_cv: of_draws(fitted.coefficient_of_variation(), &|draw| {
            ResponseTime::of(*draw).coefficient_of_variation()
        }),
        from_rps,
        to_rps,
        residuals: points.iter().map(|point| residual(&fitted, point)).collect(),
        draws,
        wait_factor: best.wait_factor,
    })
}

fn residual(fitted: &ResponseTime, point: &LatencyPoint) -> Residual {
    let fitted_seconds = fitted.mean_seconds(point.rate_rps);
    Residual {
        rate_rps: point.rate_rps,
        mean_seconds: point.mean_seconds,
        fitted_seconds,
        standard_errors: (point.mean_seconds - fitted_seconds) / point.standard_error_seconds,
    }
}

fn bootstrap(best: &Candidate, points: &[LatencyPoint], seed: u64) -> Vec<(u32, f64, f64)> {
    let mut stream = Streams::from_seed(seed).stream("latency_fit_bootstrap");
    let fitted = ResponseTime::of(best.parameters());
    // As wide as Student's t in the middle 95 %, which is all that is made of the draws.
    let normal_width = normal_quantile(0.975);
    let widths: Vec<f64> =
        points.iter().map(|point| t_quantile(0.975, point.degrees_of_freedom) / normal_width).collect();
    let neighbours = best.workers.saturating_sub(2).max(1)..=(best.workers + 2).min(MOST_WORKERS);
    (0..BOOTSTRAP_DRAWS)
        .filter_map(|_| {
            let drawn: Vec<LatencyPoint> = points
                .iter()
                .zip(&widths)
                .map(|(point, width)| {
                    let noise = normal_quantile(open_unit(&mut stream)) * width;
                    // Means of waiting times lean to the right, as a lognormal does.
                    let fitted_seconds = fitted.mean_seconds(point.rate_rps);
                    let factor = (noise * point.standard_error_seconds / fitted_seconds).exp();
                    LatencyPoint { mean_seconds: fitted_seconds * factor, ..*point }
                })
                .collect();
            neighbours
                .clone()
                .filter_map(|workers| best_with(workers, &drawn))
                .min_by(|left, right| left.misfit.total_cmp(&right.misfit))
                .map(|candidate| candidate.parameters())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(workers: u32, wait_factor: f64, rates: &[f64]) -> Vec<LatencyPoint> {
        let truth = ResponseTime::of((workers, 0.05, wait_factor));
        rates
            .iter()
            .map(|rate_rps| LatencyPoint {
                rate_rps: *rate_rps,
                mean_seconds: truth.mean_seconds(*rate_rps),
                standard_error_seconds: 0.002,
                degrees_of_freedom: 19.0,
            })
            .collect()
    }

    #[test]
    fn points_without_noise_give_their_model_back() {
        for (workers, wait_factor) in [(1, 1.0), (4, 0.625), (12, 1.0)] {
            let most = f64::from(workers) * 20.0;
            let rates = [0.2, 0.5, 0.7, 0.8, 0.9, 0.95].map(|share| share * most);
            let fit = fit_latency(&points(workers, wait_factor, &rates), 1).unwrap();
            assert_eq!(fit.workers, workers, "{fit}");
            assert!((fit.mean_service_seconds.estimate / 0.05 - 1.0).abs() < 1e-3, "{fit}");
            assert!((fit.wait_factor - wait_factor).abs() < 0.01, "{fit}");
            assert!(fit.residuals.iter().all(|residual| residual.standard_errors.abs() < 0.1), "{fit:?}");
        }
    }

    #[test]
    fn it_says_nothing_beyond_the_data() {
        let fit = fit_latency(&points(4, 1.0, &[20.0, 40.0, 60.0, 70.0]), 1).unwrap();
        assert!(fit.mean_seconds(19.0).is_none() && fit.mean_seconds(71.0).is_none());
        let band = fit.mean_seconds(60.0).unwrap();
        assert!(band.lower < band.estimate && band.estimate < band.upper, "{band:?}");
        assert!(fit.quantile_seconds(0.95, 60.0).is_some_and(|quantile| quantile.estimate > band.estimate));
    }

    #[test]
    fn what_cannot_be_told_is_refused() {
        assert_eq!(fit_latency(&points(4, 1.0, &[20.0, 40.0, 70.0]), 1), Err(FitRefusal::TooFewLevels));
        assert_eq!(fit_latency(&points(4, 1.0, &[1.0, 2.0, 3.0, 4.0]), 1), Err(FitRefusal::NoWaiting));
    }
}
