//! Fits the Universal Scalability Law to what 1, 2, … replicas can do: contention, coherency, and the best number.
//!
//! C(N) = γ N ÷ (1 + σ (N − 1) + κ N (N − 1)). N ÷ C(N) is linear in 1/γ, σ/γ and κ/γ, so the fit is by linear least
//! squares, with σ and κ not negative; relative errors count alike at every N.
//!
//! Source: N. J. Gunther, "Guerrilla Capacity Planning" (2007), chapters 4 to 6.

use std::fmt;

use serde::{Deserialize, Serialize};
use workload::Streams;

use super::interval::{BOOTSTRAP_DRAWS, Interval, open_unit};
use crate::statistics::normal_quantile;

/// Fewest numbers of replicas: three numbers are fitted.
const FEWEST_POINTS: usize = 3;

/// Contention or coherency below this is none, whatever its interval: 1 % is lost at the second replica.
const LEAST: f64 = 0.01;

/// What so many replicas can do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalingPoint {
    /// Replicas.
    pub replicas: u32,
    /// Requests per second of all of them together.
    pub capacity_rps: f64,
    /// What it may be off by, in requests per second.
    pub standard_error_rps: f64,
}

/// How far the law is from one number of replicas.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalingResidual {
    /// Replicas.
    pub replicas: u32,
    /// What the law says, in requests per second.
    pub fitted_rps: f64,
    /// What was measured less that, in standard errors of the measurement; beyond 3 the law does not explain it.
    pub standard_errors: f64,
}

/// The fitted law.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScalingFit {
    /// γ: requests per second of one replica.
    pub one_replica_rps: Interval,
    /// σ: the share of the work that cannot be done side by side.
    pub contention: Interval,
    /// κ: what keeping each pair of replicas in agreement costs.
    pub coherency: Interval,
    /// The number of replicas with the most throughput; none where it is beyond what was measured.
    pub peak_replicas: Option<f64>,
    /// What it rests on, fewest replicas first.
    pub points: Vec<ScalingPoint>,
    /// How far each of them is from it.
    pub residuals: Vec<ScalingResidual>,
}

impl ScalingFit {
    /// Whether more replicas bring less than as much more, beyond doubt.
    pub fn has_contention(&self) -> bool {
        self.contention.lower > 0.0 && self.contention.estimate >= LEAST
    }

    /// Whether replicas cost each other something, beyond doubt.
    pub fn has_coherency_cost(&self) -> bool {
        self.coherency.lower > 0.0 && self.coherency.estimate >= LEAST / 10.0
    }

    /// Requests per second of so many replicas; none beyond what was measured.
    pub fn capacity_rps(&self, replicas: f64) -> Option<f64> {
        let most = f64::from(self.points.last()?.replicas);
        (1.0..=most).contains(&replicas).then(|| {
            let (contention, coherency) = (self.contention.estimate, self.coherency.estimate);
            self.one_replica_rps.estimate * replicas
                / (1.0 + contention * (replicas - 1.0) + coherency * replicas * (replicas - 1.0))
        })
    }

    /// For each number of replicas, its capacity ÷ (replicas × capacity of the fewest per replica).
    pub fn efficiencies(&self) -> Vec<(u32, f64)> {
        let per_replica = |point: &ScalingPoint| point.capacity_rps / f64::from(point.replicas);
        let first = self.points.first().map_or(f64::NAN, per_replica);
        self.points.iter().map(|point| (point.replicas, per_replica(point) / first)).collect()
    }
}

impl fmt::Display for ScalingFit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = |interval: Interval| {
            let Interval { estimate, lower, upper } = interval.scaled(100.0);
            format!("{estimate:.2} % ({lower:.2} to {upper:.2})")
        };
        write!(
            formatter,
            "{:.1}/s a replica, contention {}, coherency {}",
            self.one_replica_rps.estimate,
            share(self.contention),
            share(self.coherency)
        )?;
        match self.peak_replicas {
            Some(peak) => write!(formatter, ", most throughput at {peak:.1} replicas"),
            None => formatter.write_str(", more replicas still brought more"),
        }
    }
}

/// Fits the law; the same points and seed give the same fit. None with fewer than three numbers of replicas.
pub fn fit_scaling(points: &[ScalingPoint], seed: u64) -> Option<ScalingFit> {
    let mut points: Vec<ScalingPoint> =
        points.iter().copied().filter(|point| point.capacity_rps > 0.0 && point.replicas > 0).collect();
    points.sort_by_key(|point| point.replicas);
    points.dedup_by_key(|point| point.replicas);
    if points.len() < FEWEST_POINTS {
        return None;
    }
    let best = least_squares(&points)?;
    let mut stream = Streams::from_seed(seed).stream("scaling_fit_bootstrap");
    let draws: Vec<Law> = (0..BOOTSTRAP_DRAWS)
        .filter_map(|_| {
            let drawn: Vec<ScalingPoint> = points
                .iter()
                .map(|point| {
                    let noise = normal_quantile(open_unit(&mut stream)) * point.standard_error_rps;
                    let capacity_rps = best.capacity_rps(f64::from(point.replicas)) + noise;
                    ScalingPoint { capacity_rps: capacity_rps.max(point.capacity_rps * 0.01), ..*point }
                })
                .collect();
            least_squares(&drawn)
        })
        .collect();
    let interval = |of: fn(&Law) -> f64| Interval::from_draws(of(&best), draws.iter().map(of).collect());
    let most = f64::from(points.last()?.replicas);
    let peak = if best.coherency > 0.0 {
        ((1.0 - best.contention) / best.coherency).max(0.0).sqrt()
    } else {
        f64::INFINITY
    };
    let residual = |point: &ScalingPoint| {
        let fitted_rps = best.capacity_rps(f64::from(point.replicas));
        let standard_errors =
            (point.capacity_rps - fitted_rps) / point.standard_error_rps.max(f64::MIN_POSITIVE);
        ScalingResidual { replicas: point.replicas, fitted_rps, standard_errors }
    };
    let residuals = points.iter().map(residual).collect();
    Some(ScalingFit {
        one_replica_rps: interval(|law| law.one_replica_rps),
        contention: interval(|law| law.contention),
        coherency: interval(|law| law.coherency),
        peak_replicas: (peak < most).then_some(peak),
        points,
        residuals,
    })
}

#[derive(Clone, Copy, Debug)]
struct Law {
    one_replica_rps: f64,
    contention: f64,
    coherency: f64,
}

impl Law {
    fn capacity_rps(&self, replicas: f64) -> f64 {
        self.one_replica_rps * replicas
            / (1.0 + self.contention * (replicas - 1.0) + self.coherency * replicas * (replicas - 1.0))
    }
}

/// Least squares with both coefficients at least 0: of all ways to fix some of them at 0, the best that obeys.
fn least_squares(points: &[ScalingPoint]) -> Option<Law> {
    [[true, true], [true, false], [false, true], [false, false]]
        .into_iter()
        .filter_map(|free| {
            let solution = solve(points, free)?;
            let [inverse, contention, coherency] = solution;
            let obeys = inverse > 0.0 && contention >= 0.0 && coherency >= 0.0;
            // Rounding leaves a trace of what is not there; it must not be preferred to nothing.
            obeys.then(|| (misfit(points, solution), solution))
        })
        .min_by(|left, right| left.0.total_cmp(&right.0))
        .map(|(_, [inverse, contention, coherency])| Law {
            one_replica_rps: 1.0 / inverse,
            contention: contention / inverse,
            coherency: coherency / inverse,
        })
}

/// The columns of the linear form, and N ÷ C, each divided by N ÷ C so that relative errors count alike.
fn row(point: &ScalingPoint) -> [f64; 3] {
    let replicas = f64::from(point.replicas);
    let scale = point.capacity_rps / replicas;
    [scale, (replicas - 1.0) * scale, replicas * (replicas - 1.0) * scale]
}

fn misfit(points: &[ScalingPoint], solution: [f64; 3]) -> f64 {
    points
        .iter()
        .map(|point| {
            let row = row(point);
            (1.0 - (0..3).map(|index| row[index] * solution[index]).sum::<f64>()).powi(2)
        })
        .sum()
}

/// Solves the normal equations for the coefficients that are free; none where they do not tell.
fn solve(points: &[ScalingPoint], free: [bool; 2]) -> Option<[f64; 3]> {
    let columns: Vec<usize> =
        [Some(0), free[0].then_some(1), free[1].then_some(2)].into_iter().flatten().collect();
    let size = columns.len();
    let mut system = vec![vec![0.0; size + 1]; size];
    for row in points.iter().map(row) {
        for (line, left) in columns.iter().enumerate() {
            for (place, right) in columns.iter().enumerate() {
                system[line][place] += row[*left] * row[*right];
            }
            system[line][size] += row[*left];
        }
    }
    // Gauss and Jordan, with the largest pivot: three unknowns at most.
    for place in 0..size {
        let pivot = (place..size)
            .max_by(|left, right| system[*left][place].abs().total_cmp(&system[*right][place].abs()))?;
        system.swap(place, pivot);
        let divisor = system[place][place];
        if divisor.abs() < 1e-300 {
            return None;
        }
        let pivot_line = system[place].clone();
        for (line, values) in system.iter_mut().enumerate() {
            let factor = values[place] / divisor;
            for (value, of_pivot) in values.iter_mut().zip(&pivot_line) {
                if line == place {
                    *value /= divisor;
                } else {
                    *value -= factor * of_pivot;
                }
            }
        }
    }
    let mut solution = [0.0; 3];
    for (line, column) in columns.iter().enumerate() {
        solution[*column] = system[line][size];
    }
    solution.iter().all(|value| value.is_finite()).then_some(solution)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(contention: f64, coherency: f64) -> Vec<ScalingPoint> {
        let law = Law { one_replica_rps: 80.0, contention, coherency };
        (1..=8)
            .map(|replicas| ScalingPoint {
                replicas,
                capacity_rps: law.capacity_rps(f64::from(replicas)),
                standard_error_rps: 0.5,
            })
            .collect()
    }

    #[test]
    fn points_without_noise_give_their_law_back() {
        for (contention, coherency) in [(0.0, 0.0), (0.05, 0.0), (0.02, 0.03)] {
            let fit = fit_scaling(&points(contention, coherency), 1).unwrap();
            assert!((fit.one_replica_rps.estimate - 80.0).abs() < 1e-6, "{fit}");
            assert!((fit.contention.estimate - contention).abs() < 1e-6, "{fit}");
            assert!((fit.coherency.estimate - coherency).abs() < 1e-6, "{fit}");
            assert_eq!(fit.has_contention(), contention > 0.0, "{fit}");
            assert_eq!(fit.peak_replicas.is_some(), coherency > 0.0, "{fit}");
        }
    }

    #[test]
    fn efficiency_is_against_as_many_times_the_first() {
        let fit = fit_scaling(&points(0.05, 0.0), 1).unwrap();
        let (replicas, efficiency) = fit.efficiencies()[1];
        assert_eq!(replicas, 2);
        assert!((efficiency - 1.0 / 1.05).abs() < 1e-9);
        assert_eq!(fit.capacity_rps(9.0), None, "beyond what was measured");
    }

    #[test]
    fn two_points_are_too_few() {
        assert_eq!(fit_scaling(&points(0.0, 0.0)[..2], 1), None);
    }
}
