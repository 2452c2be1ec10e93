//! What can be said of a mean or a quantile of response times that hang together.
//!
//! Response times within one level are autocorrelated: whoever follows a slow request waits in the same queue. A test
//! that takes them for independent finds differences everywhere. So a level is cut into equal parts (batch means), the
//! spread of whose means tells how far the mean itself may be off; what is left of the correlation between
//! neighbouring parts is estimated and widens it further.
//!
//! Sources: A. M. Law, "Simulation Modeling and Analysis" (5th ed., 2015), sections 9.5.3 and 9.6 (batch means, ratio
//! estimator); P. Heidelberger and P. A. W. Lewis, "Quantile Estimation in Dependent Sequences", Operations Research
//! 32 (1984), for widening a quantile's interval by the inflation of the variance.

use statrs::distribution::{ContinuousCDF, Normal, StudentsT};

use hdrhistogram::Histogram;

use crate::measurement::MeasurementPart;

/// The most that correlation between neighbouring parts is corrected for; beyond it a level is too short to be judged.
const LARGEST_CORRELATION: f64 = 0.8;

/// Fewest parts with answers from which a spread is computed.
pub const FEWEST_PARTS: usize = 4;

/// A mean with what it may be off by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchMean {
    /// The mean over all answers, in microseconds.
    pub mean_micros: f64,
    /// Its standard error, in microseconds.
    pub standard_error_micros: f64,
    /// Degrees of freedom of that standard error, at least 1.
    pub degrees_of_freedom: f64,
    /// How often more the mean varies than that of as many independent answers would; at least 1.
    pub inflation: f64,
}

impl BatchMean {
    /// Judges the parts of one level; `standard_deviation_micros` is that of single answers.
    ///
    /// None where fewer than [`FEWEST_PARTS`] parts have answers.
    pub fn of(parts: &[MeasurementPart], standard_deviation_micros: f64) -> Option<Self> {
        let parts: Vec<_> = parts.iter().filter(|part| part.answered > 0).collect();
        if parts.len() < FEWEST_PARTS {
            return None;
        }
        let part_count = parts.len() as f64;
        let answered: f64 = parts.iter().map(|part| part.answered as f64).sum();
        let mean_micros =
            parts.iter().map(|part| part.answered as f64 * part.mean_from_intended_micros).sum::<f64>()
                / answered;
        let deviations: Vec<f64> = parts
            .iter()
            .map(|part| part.answered as f64 * (part.mean_from_intended_micros - mean_micros))
            .collect();
        let squares: f64 = deviations.iter().map(|deviation| deviation * deviation).sum();
        let neighbours: f64 = deviations.windows(2).map(|pair| pair[0] * pair[1]).sum();
        // The estimate of a correlation is about one part in `part_count` too low.
        let correlation = if squares > 0.0 { neighbours / squares + 1.0 / part_count } else { 0.0 };
        let correlation = correlation.clamp(0.0, LARGEST_CORRELATION);
        let widening = (1.0 + correlation) / (1.0 - correlation);
        let variance = part_count / (part_count - 1.0) * squares / (answered * answered) * widening;
        let independent = standard_deviation_micros * standard_deviation_micros / answered;
        Some(Self {
            mean_micros,
            // Constant times have no spread at all; a histogram still rounds them.
            standard_error_micros: variance.sqrt().max(mean_micros * 1e-6),
            degrees_of_freedom: ((part_count - 1.0) / widening).max(1.0),
            inflation: if independent > 0.0 { (variance / independent).max(1.0) } else { 1.0 },
        })
    }
}

/// A quantile with what it may be off by, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileEstimate {
    /// The quantile.
    pub micros: f64,
    /// Its standard error, made of the interval of order statistics.
    pub standard_error_micros: f64,
}

/// A quantile of a histogram, with the standard error that an interval between order statistics implies: the ranks
/// q ± √(q (1 − q) × inflation ÷ n), one standard deviation to each side. None for an empty histogram.
pub fn quantile(histogram: &Histogram<u64>, quantile: f64, inflation: f64) -> Option<QuantileEstimate> {
    if histogram.is_empty() {
        return None;
    }
    let rank_error = (quantile * (1.0 - quantile) * inflation / histogram.len() as f64).sqrt();
    let at = |rank: f64| histogram.value_at_quantile(rank.clamp(0.0, 1.0)) as f64;
    let micros = at(quantile);
    let half_width = 0.5 * (at(quantile + rank_error) - at(quantile - rank_error));
    Some(QuantileEstimate { micros, standard_error_micros: half_width.max(micros * 1e-3) })
}

/// Student's t: the value that a variate stays below with this probability.
pub fn t_quantile(probability: f64, degrees_of_freedom: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees_of_freedom.max(1.0))
        .map_or(f64::INFINITY, |distribution| distribution.inverse_cdf(probability))
}

/// The standard normal distribution: the value that a variate stays below with this probability.
pub fn normal_quantile(probability: f64) -> f64 {
    Normal::standard().inverse_cdf(probability)
}

/// The probability that as strong a monotone trend, in either direction, shows in values without one.
///
/// Source: H. B. Mann, "Nonparametric Tests Against Trend", Econometrica 13 (1945); the normal approximation with
/// continuity correction, good from about 8 values on.
pub fn trend_probability(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    if values.len() < FEWEST_PARTS {
        return 1.0;
    }
    let mut score = 0.0_f64;
    for (index, earlier) in values.iter().enumerate() {
        for later in &values[index + 1..] {
            score += match later.total_cmp(earlier) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Less => -1.0,
                std::cmp::Ordering::Equal => 0.0,
            };
        }
    }
    let deviation = (count * (count - 1.0) * (2.0 * count + 5.0) / 18.0).sqrt();
    let distance = (score.abs() - 1.0).max(0.0) / deviation;
    2.0 * (1.0 - Normal::standard().cdf(distance))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(means: &[f64]) -> Vec<MeasurementPart> {
        means.iter().map(|mean| MeasurementPart { answered: 100, mean_from_intended_micros: *mean }).collect()
    }

    #[test]
    fn a_mean_of_parts_by_hand() {
        // Deviations alternate, so neighbours are not positively correlated: √(Σ d² ÷ (k (k − 1))).
        let estimate = BatchMean::of(&parts(&[90.0, 110.0, 90.0, 110.0, 90.0, 110.0]), 50.0).unwrap();
        assert!((estimate.mean_micros - 100.0).abs() < 1e-9);
        assert!((estimate.standard_error_micros - (600.0_f64 / 30.0).sqrt()).abs() < 1e-9, "{estimate:?}");
        assert!((estimate.degrees_of_freedom - 5.0).abs() < 1e-9);
        // Independent answers: 50² ÷ 600 = 4.17; this varies 4.8 times as much.
        assert!((estimate.inflation - 4.8).abs() < 1e-9);
    }

    #[test]
    fn parts_that_hang_together_widen_the_interval() {
        let waves = BatchMean::of(&parts(&[90.0, 90.0, 90.0, 110.0, 110.0, 110.0]), 50.0).unwrap();
        assert!(waves.standard_error_micros > 2.0 * (600.0_f64 / 30.0).sqrt(), "{waves:?}");
        assert!(waves.degrees_of_freedom < 3.0);
        assert_eq!(BatchMean::of(&parts(&[1.0, 2.0, 3.0]), 1.0), None, "too few parts");
    }

    #[test]
    fn a_quantile_of_evenly_spread_values() {
        let mut histogram = Histogram::<u64>::new(3).unwrap();
        (1..=10_000).for_each(|value| histogram.record(value * 100).unwrap());
        let estimate = quantile(&histogram, 0.95, 4.0).unwrap();
        assert!((estimate.micros / 950_000.0 - 1.0).abs() < 0.002, "{estimate:?}");
        // √(0.95 × 0.05 × 4 ÷ 10,000) of a range of a second.
        assert!((estimate.standard_error_micros / 4359.0 - 1.0).abs() < 0.3, "{estimate:?}");
    }

    #[test]
    fn a_trend_is_told_from_noise() {
        let rising: Vec<f64> = (0..20).map(f64::from).collect();
        assert!(trend_probability(&rising) < 1e-6);
        let alternating: Vec<f64> = (0..20).map(|index| f64::from(index % 2)).collect();
        assert!(trend_probability(&alternating) > 0.3);
        assert!((trend_probability(&[1.0, 2.0]) - 1.0).abs() < f64::EPSILON, "too few to say");
    }

    #[test]
    fn quantiles_of_the_tables() {
        assert!((t_quantile(0.975, 19.0) - 2.093).abs() < 1e-3);
        assert!((normal_quantile(0.975) - 1.96).abs() < 1e-3);
    }
}
