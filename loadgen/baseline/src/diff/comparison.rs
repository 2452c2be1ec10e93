//! Compares two levels by one number each, with an interval around the difference.

use std::fmt;

use serde::Serialize;

use super::settings::DiffSettings;
use crate::fit::interval::Interval;
use crate::level::Level;
use crate::slo::Slo;
use crate::statistics::{normal_quantile, t_quantile};

/// A level is called different by chance with at most this probability, all its comparisons together.
const ERROR_PROBABILITY: f64 = 0.01;

/// Comparisons of a level.
const COMPARISONS: f64 = 3.0;

/// The smallest visible change is one that would be found with this probability.
const POWER: f64 = 0.8;

/// Requests that are not served come in bursts: their count varies at least so many times more than a binomial one.
const BURSTS: f64 = 4.0;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// The mean response time.
    Mean,
    /// The SLO's summary of the response time.
    SloStatistic,
    /// The share of requests that failed, were refused or went unsent.
    NotServed,
}

impl fmt::Display for Quantity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Mean => "mean",
            Self::SloStatistic => "slo",
            Self::NotServed => "not served",
        })
    }
}

/// What is to be said of a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Any difference is too small to matter.
    Same,
    /// Beyond chance, and it may matter.
    Worse,
    /// Beyond chance, and it may matter.
    Better,
    /// The interval has both no difference and one that matters in it.
    Unclear,
}

impl Verdict {
    /// Of a level: worse if anything is worse, else better if anything is better, else the least certain.
    pub(super) fn of_all(comparisons: &[Comparison]) -> Self {
        let any = |verdict| comparisons.iter().any(|comparison| comparison.verdict == verdict);
        if any(Self::Worse) {
            Self::Worse
        } else if any(Self::Better) {
            Self::Better
        } else if comparisons.is_empty() || any(Self::Unclear) {
            Self::Unclear
        } else {
            Self::Same
        }
    }

    fn of_change(change: Interval, tolerance: f64) -> Self {
        let is_within = change.lower > -tolerance && change.upper < tolerance;
        match change {
            _ if is_within => Self::Same,
            Interval { lower, .. } if lower > 0.0 => Self::Worse,
            Interval { upper, .. } if upper < 0.0 => Self::Better,
            _ => Self::Unclear,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Same => "same",
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Unclear => "unclear",
        })
    }
}

/// One number of two levels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Which.
    pub quantity: Quantity,
    /// In microseconds, or a share from 0 to 1.
    pub before: f64,
    /// In microseconds, or a share from 0 to 1.
    pub after: f64,
    /// By how much it changed: relative for times (0.1 is 10 % longer), a difference for shares.
    pub change: Interval,
    /// The smallest change that would have been found four times in five, in the same unit.
    pub smallest_visible: f64,
    /// What is to be said of it.
    pub verdict: Verdict,
}

/// A number with its error.
struct Estimate {
    value: f64,
    standard_error: f64,
    degrees_of_freedom: f64,
}

/// Compares two levels by all three numbers.
pub(super) fn compare(before: &Level, after: &Level, slo: &Slo, settings: &DiffSettings) -> Vec<Comparison> {
    let times = [(Quantity::Mean, mean(before), mean(after)), {
        (Quantity::SloStatistic, slo_statistic(before, slo), slo_statistic(after, slo))
    }];
    times
        .into_iter()
        .filter_map(|(quantity, before, after)| {
            Some(compare_times(quantity, &before?, &after?, settings.tolerance))
        })
        .chain([compare_shares(before, after, slo.errors_at_most, settings.share_tolerance)])
        .collect()
}

fn mean(level: &Level) -> Option<Estimate> {
    let mean = level.mean()?;
    Some(Estimate {
        value: mean.mean_micros,
        standard_error: mean.standard_error_micros,
        degrees_of_freedom: mean.degrees_of_freedom,
    })
}

fn slo_statistic(level: &Level, slo: &Slo) -> Option<Estimate> {
    let estimate = level.slo_statistic(slo)?;
    Some(Estimate {
        value: estimate.micros,
        standard_error: estimate.standard_error_micros,
        // How much it is widened comes from the parts, and is as uncertain as they are few.
        degrees_of_freedom: level.mean()?.degrees_of_freedom,
    })
}

/// By the logarithm, in which a ratio is a difference.
fn compare_times(quantity: Quantity, before: &Estimate, after: &Estimate, tolerance: f64) -> Comparison {
    let relative_variance = |estimate: &Estimate| (estimate.standard_error / estimate.value).powi(2);
    let (left, right) = (relative_variance(before), relative_variance(after));
    let standard_error = (left + right).sqrt();
    let degrees_of_freedom = (left + right).powi(2)
        / (left * left / before.degrees_of_freedom + right * right / after.degrees_of_freedom);
    let reach = reach(degrees_of_freedom);
    let change = (after.value / before.value).ln();
    let to_share = |logarithm: f64| logarithm.exp() - 1.0;
    let change = Interval {
        estimate: to_share(change),
        lower: to_share(change - reach * standard_error),
        upper: to_share(change + reach * standard_error),
    };
    Comparison {
        quantity,
        before: before.value,
        after: after.value,
        change,
        smallest_visible: to_share((reach + normal_quantile(POWER)) * standard_error),
        verdict: Verdict::of_change(change, tolerance),
    }
}

/// A change that takes the share over what the SLO allows matters, however small it is.
fn compare_shares(before: &Level, after: &Level, errors_at_most: f64, tolerance: f64) -> Comparison {
    let (left, right) = (before.error_share(), after.error_share());
    let standard_error = (share_variance(before) + share_variance(after)).sqrt();
    let reach = reach(f64::INFINITY);
    let change = Interval {
        estimate: right - left,
        lower: right - left - reach * standard_error,
        upper: right - left + reach * standard_error,
    };
    let crosses_the_bound = (left > errors_at_most) != (right > errors_at_most);
    let tolerance = if crosses_the_bound { 0.0 } else { tolerance };
    Comparison {
        quantity: Quantity::NotServed,
        before: left,
        after: right,
        change,
        smallest_visible: (reach + normal_quantile(POWER)) * standard_error,
        verdict: Verdict::of_change(change, tolerance),
    }
}

/// Of a share, with half a request more on either side, so that none of few is not taken for none of many.
fn share_variance(level: &Level) -> f64 {
    let measurement = &level.measurement;
    let bad = measurement.errors();
    let all = (bad + measurement.successes()) as f64 + 1.0;
    let share = (bad as f64 + 0.5) / all;
    let inflation =
        if bad == 0 { 1.0 } else { level.mean().map_or(BURSTS, |mean| mean.inflation.max(BURSTS)) };
    share * (1.0 - share) * inflation / all
}

/// Standard errors to either side of a change that one of the comparisons may be off by.
fn reach(degrees_of_freedom: f64) -> f64 {
    let probability = 1.0 - ERROR_PROBABILITY / COMPARISONS / 2.0;
    if degrees_of_freedom.is_finite() {
        t_quantile(probability, degrees_of_freedom)
    } else {
        normal_quantile(probability)
    }
}
