//! Compares two baselines level by level: same, worse, better or unclear, and how small a change could have been seen.
//!
//! Each level is compared by three numbers: the mean response time, the SLO's summary of it, and the share of requests
//! that were not served. Their errors come from batch means, because response times within a level hang together.
//! The three share one error probability (Bonferroni), so that the level as a whole is called different by chance in
//! at most one case in a hundred.
//!
//! Sources: A. M. Law, "Simulation Modeling and Analysis" (5th ed., 2015), section 10.2 (comparing two systems);
//! B. L. Welch, Biometrika 34 (1947), for the degrees of freedom.

mod comparison;
mod level_diff;
mod settings;
mod text;
mod unbelieved;

use serde::Serialize;

use super::baseline::Baseline;
use super::curve::Curve;
use super::level::Level;
use super::pooling::pool;
use super::slo::Slo;
use level_diff::is_same_rate;

pub use comparison::{Comparison, Quantity, Verdict};
pub use level_diff::LevelDiff;
pub use settings::DiffSettings;

/// Why two curves cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiffError {
    /// No rate was measured, and believed, in both.
    #[error(
        "no rate is in both baselines: {before} and {after}; hint: measure both with the same --levels, such as --levels {before}"
    )]
    NoCommonLevel {
        /// The rates of the first.
        before: String,
        /// The rates of the second.
        after: String,
    },
    /// One file has a number of replicas that the other has not.
    #[error("no number of replicas is in both baselines; hint: measure both with the same --replicas")]
    NoCommonReplicas,
    /// One is of single requests, the other of a scenario's users.
    #[error(
        "one baseline is of {before}, the other of {after}, which are sent in different ways; hint: measure both with the same --scenario, or both with the same --request"
    )]
    DifferentKinds {
        /// What the first sent.
        before: String,
        /// What the second sent.
        after: String,
    },
}

/// Two baselines compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Diff {
    /// The levels that both have, lowest rate first.
    pub levels: Vec<LevelDiff>,
    /// What was different about how they were measured.
    pub notes: Vec<String>,
}

impl Diff {
    /// Compares two files, the one from before and the one from after.
    ///
    /// # Errors
    /// Where they have nothing in common, or are of different kinds.
    pub fn of(before: &Baseline, after: &Baseline, settings: &DiffSettings) -> Result<Self, DiffError> {
        let kind = |baseline: &Baseline| {
            baseline
                .target
                .scenario
                .as_ref()
                .map_or_else(|| "single requests".to_owned(), ToString::to_string)
        };
        if before.target.scenario.is_some() != after.target.scenario.is_some() {
            return Err(DiffError::DifferentKinds { before: kind(before), after: kind(after) });
        }
        let slo = before.settings.slo;
        let mut levels = Vec::new();
        let mut refusal = DiffError::NoCommonReplicas;
        for curve in &before.curves {
            let Some(other) = after.curves.iter().find(|other| other.replicas == curve.replicas) else {
                continue;
            };
            match compare_curves(curve, other, &slo, settings) {
                Ok(compared) => levels.extend(compared),
                Err(error) => refusal = error,
            }
        }
        if levels.is_empty() {
            return Err(refusal);
        }
        Ok(Self { levels, notes: notes(before, after) })
    }

    /// Compares levels that were measured by turns; those of one rate count as one.
    ///
    /// # Errors
    /// Where they have no rate in common.
    pub fn of_levels(
        before: &[Level],
        after: &[Level],
        slo: &Slo,
        settings: &DiffSettings,
    ) -> Result<Self, DiffError> {
        Ok(Self { levels: compare_levels(1, before, after, slo, settings)?, notes: Vec::new() })
    }

    /// Whether any level is worse.
    pub fn is_worse(&self) -> bool {
        self.levels.iter().any(|level| level.verdict == Verdict::Worse)
    }
}

fn compare_curves(
    before: &Curve,
    after: &Curve,
    slo: &Slo,
    settings: &DiffSettings,
) -> Result<Vec<LevelDiff>, DiffError> {
    compare_levels(before.replicas, &before.levels, &after.levels, slo, settings)
}

fn compare_levels(
    replicas: u32,
    before: &[Level],
    after: &[Level],
    slo: &Slo,
    settings: &DiffSettings,
) -> Result<Vec<LevelDiff>, DiffError> {
    let all = [before, after];
    let (before, after) = (pool(before), pool(after));
    let mut compared: Vec<LevelDiff> = before
        .iter()
        .filter_map(|left| {
            let right = after.iter().find(|right| is_same_rate(left, right))?;
            let comparisons = comparison::compare(left, right, slo, settings);
            let verdict = Verdict::of_all(&comparisons);
            Some(LevelDiff { replicas, offered_rps: left.offered_rps(), verdict, comparisons, reason: None })
        })
        .collect();
    compared.extend(unbelieved::compare(replicas, all, [&before, &after], slo));
    compared.sort_by(|left, right| left.offered_rps.total_cmp(&right.offered_rps));
    // Where nobody is believed anywhere, nothing was compared.
    if compared.iter().all(|level| level.reason.is_some() && level.verdict == Verdict::Unclear) {
        let rates = |levels: &[Level]| -> String {
            let rates: Vec<String> =
                levels.iter().map(|level| format!("{:.1}", level.offered_rps())).collect();
            if rates.is_empty() { "none".to_owned() } else { rates.join(",") }
        };
        return Err(DiffError::NoCommonLevel { before: rates(&before), after: rates(&after) });
    }
    Ok(compared)
}

fn notes(before: &Baseline, after: &Baseline) -> Vec<String> {
    let mut notes = Vec::new();
    let mut note = |what: &str, left: String, right: String| {
        if left != right {
            notes.push(format!("{what} differs: `{left}` and `{right}`"));
        }
    };
    note("the SLO", before.settings.slo.to_string(), after.settings.slo.to_string());
    let scenario =
        |baseline: &Baseline| baseline.target.scenario.as_ref().map_or_else(String::new, ToString::to_string);
    note("the scenario", scenario(before), scenario(after));
    note("what is requested", before.target.requests.join(", "), after.target.requests.join(", "));
    note("arrivals", before.settings.arrivals.clone(), after.settings.arrivals.clone());
    note("the machine", before.environment.machine.clone(), after.environment.machine.clone());
    note("the system", before.environment.system.clone(), after.environment.system.clone());
    note("the number of cores", before.environment.cores.to_string(), after.environment.cores.to_string());
    let demand = |baseline: &Baseline| {
        let rate = baseline.synthetic_demand.map_or(0.0, |demand| demand.before_rps);
        format!("{rate:.1}/s")
    };
    note("the demand that the service makes itself", demand(before), demand(after));
    notes
}
