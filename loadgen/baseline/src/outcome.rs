//! What a row of levels says: where the SLO ends and why, where throughput stops growing, and where the knee is.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::level::{Level, LevelVerdict};

/// Throughputs of an overloaded service that differ by no more than this share, besides chance, are one plateau. A
/// service that still grows would differ by about a quarter between the two rates that are offered.
const PLATEAU_SPREAD: f64 = 0.05;

/// What chance explains of the spread, in standard deviations of a Poisson count.
const PLATEAU_DEVIATIONS: f64 = 3.0;

/// A level is one of overload if so much more was offered than the highest throughput of all.
const OVERLOAD: f64 = 1.1;

/// Why there is no higher rate within the SLO.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// At the next higher rate the response time was beyond its bound.
    Slo,
    /// At the next higher rate too many requests failed, were refused or went unsent.
    Errors,
    /// The SLO was kept, but throughput no longer grew with the rate.
    Plateau,
    /// The generator could not offer more.
    GeneratorLimited,
    /// Every rate that was tried kept the SLO.
    NotReached,
    /// It was stopped before it was known.
    Stopped,
}

impl fmt::Display for End {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Slo => "slo",
            Self::Errors => "errors",
            Self::Plateau => "plateau",
            Self::GeneratorLimited => "generator limited",
            Self::NotReached => "not reached",
            Self::Stopped => "stopped",
        })
    }
}

/// What was found, in requests per second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Why it ended where it did.
    pub end: End,
    /// The highest rate that was measured and kept the SLO; none if none did.
    pub highest_within_slo_rps: Option<f64>,
    /// The lowest rate above it that did not; none if all did.
    pub lowest_beyond_slo_rps: Option<f64>,
    /// The throughput of the overloaded service, where at least two levels of overload agree on it.
    pub plateau_rps: Option<f64>,
    /// The measured rate with the most throughput per response time (Kleinrock's power), where rates on both sides
    /// of it have less.
    ///
    /// Source: L. Kleinrock, "Power and Deterministic Rules of Thumb for Probabilistic Problems in Computer
    /// Communications", ICC 1979.
    pub knee_rps: Option<f64>,
}

impl Outcome {
    /// Sums levels up, in any order.
    pub(crate) fn new(
        end: End,
        highest_within_slo_rps: Option<f64>,
        lowest_beyond_slo_rps: Option<f64>,
        levels: &[Level],
    ) -> Self {
        Self {
            end,
            highest_within_slo_rps,
            lowest_beyond_slo_rps,
            plateau_rps: plateau(levels),
            knee_rps: knee(levels),
        }
    }
}

/// The levels whose throughput tells the most that the service can do.
///
/// Those that did not settle are among them: where a queue grows without end, throughput is at its highest.
pub(crate) fn overloaded(levels: &[Level]) -> Vec<&Level> {
    let usable = || levels.iter().filter(|level| level.is_valid() || level.is_unsettled());
    let highest = usable().map(|level| level.measurement.throughput_rps()).fold(0.0, f64::max);
    usable().filter(|level| highest > 0.0 && level.offered_rps() >= OVERLOAD * highest).collect()
}

fn plateau(levels: &[Level]) -> Option<f64> {
    let overloaded = overloaded(levels);
    let throughputs = || overloaded.iter().map(|level| level.measurement.throughput_rps());
    let (lowest, highest) = (throughputs().fold(f64::INFINITY, f64::min), throughputs().fold(0.0, f64::max));
    let mean = throughputs().sum::<f64>() / overloaded.len() as f64;
    let fewest = overloaded.iter().map(|level| level.measurement.succeeded).min()?.max(1) as f64;
    let allowed = PLATEAU_SPREAD + PLATEAU_DEVIATIONS / fewest.sqrt();
    (overloaded.len() >= 2 && highest - lowest <= allowed * mean).then_some(mean)
}

fn knee(levels: &[Level]) -> Option<f64> {
    let mut powers: Vec<(f64, f64)> = levels
        .iter()
        .filter(|level| level.is_valid())
        .filter_map(|level| {
            let mean_micros = level.mean()?.mean_micros;
            (mean_micros > 0.0)
                .then(|| (level.offered_rps(), level.measurement.throughput_rps() / mean_micros))
        })
        .collect();
    powers.sort_by(|left, right| left.0.total_cmp(&right.0));
    let best = powers.iter().copied().max_by(|left, right| left.1.total_cmp(&right.1))?;
    let is_inside = powers.first()?.0 < best.0 && best.0 < powers.last()?.0;
    is_inside.then_some(best.0)
}

/// Why a level that is not within the SLO is not.
pub(crate) fn reason(level: &Level) -> End {
    match level.verdict {
        LevelVerdict::TooManyErrors => End::Errors,
        LevelVerdict::Void if level.is_void_by_generator() => End::GeneratorLimited,
        // Whoever answers nothing at all serves nobody.
        LevelVerdict::Void if level.is_empty() => End::Errors,
        LevelVerdict::TooSlow | LevelVerdict::Void | LevelVerdict::Held => End::Slo,
    }
}
