//! The baseline file: what was measured and all that is needed to understand it later, as JSON, read back strictly.
//!
//! The schema is in `docs/guides/baseline.md`. A field that is missing, unknown or out of its range is refused with its
//! path; a file of another version is refused before its fields are looked at.

mod circumstances;
mod level_document;
mod validation;

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::fit::{FitRefusal, LatencyFit, LatencyPoint, ScalingFit, ScalingPoint, fit_latency, fit_scaling};
use super::level::Level;
use super::outcome::{Outcome, overloaded};
use crate::text_file;

pub use circumstances::{Environment, ScenarioDescription, Settings, SyntheticDemand, TargetDescription};
pub(crate) use level_document::LevelDocument;

/// The version of the schema that is written, and the only one that is read.
pub const FORMAT_VERSION: u32 = 1;

/// What a file says it is.
const FORMAT: &str = "autoscale-lab/baseline";

/// A file of this size is certainly none.
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A file that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("baseline `{file}`{}: {problem}; hint: {hint}", .field.as_deref().map(|field| format!(", field `{field}`")).unwrap_or_default())]
pub struct BaselineError {
    /// The file.
    pub file: String,
    /// The path of the field within it, where one is to blame.
    pub field: Option<String>,
    /// Its value, and what was expected.
    pub problem: String,
    /// What to do next.
    pub hint: &'static str,
}

/// A baseline with one curve for each number of replicas.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Baseline {
    format: String,
    version: u32,
    /// The version of the lab that wrote it.
    pub lab_version: String,
    /// When it was begun, as RFC 3339 in UTC.
    pub created_at: String,
    /// From it every schedule is drawn.
    pub seed: u64,
    /// Whom it measured.
    pub target: TargetDescription,
    /// On what it was measured.
    pub environment: Environment,
    /// How it was measured.
    pub settings: Settings,
    /// Demand that the service made itself meanwhile; none where it has none, or none was known.
    pub synthetic_demand: Option<SyntheticDemand>,
    /// The highest rate within the SLO that one replica kept, in requests per second: of the curve with the fewest
    /// replicas, divided by their number.
    pub capacity_per_replica_rps: Option<f64>,
    /// One for each number of replicas, fewest first.
    pub curves: Vec<Curve>,
    /// How the highest throughput grows with replicas, where at least three numbers were measured.
    pub scaling: Option<ScalingFit>,
}

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

/// The most that each number of replicas served.
fn plateaus(curves: &[Curve]) -> Vec<ScalingPoint> {
    let of = |curve: &Curve| {
        let (capacity_rps, standard_error_rps) = curve.plateau()?;
        Some(ScalingPoint { replicas: curve.replicas, capacity_rps, standard_error_rps })
    };
    curves.iter().filter_map(of).collect()
}

impl Baseline {
    /// Puts a file together.
    #[expect(clippy::too_many_arguments, reason = "called once, with everything the file says")]
    pub fn new(
        lab_version: &str,
        created_at: String,
        seed: u64,
        target: TargetDescription,
        environment: Environment,
        settings: Settings,
        synthetic_demand: Option<SyntheticDemand>,
        mut curves: Vec<Curve>,
    ) -> Self {
        curves.sort_by_key(|curve| curve.replicas);
        if synthetic_demand.is_some_and(|demand| demand.capacity_is_net_of_it) {
            for curve in &mut curves {
                (curve.latency_fit, curve.latency_fit_refused) = (None, Some(FitRefusal::OwnDemand));
            }
        }
        let scaling = fit_scaling(&plateaus(&curves), seed);
        let capacity_per_replica_rps = curves.first().and_then(|curve| {
            curve.outcome.highest_within_slo_rps.map(|rate| rate / f64::from(curve.replicas.max(1)))
        });
        Self {
            format: FORMAT.to_owned(),
            version: FORMAT_VERSION,
            lab_version: lab_version.to_owned(),
            created_at,
            seed,
            target,
            environment,
            settings,
            synthetic_demand,
            capacity_per_replica_rps,
            curves,
            scaling,
        }
    }

    /// The curve with the fewest replicas.
    pub fn first_curve(&self) -> &Curve {
        self.curves.first().expect("a baseline has a curve, as reading and writing check")
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string(self).expect("a baseline is JSON");
        text.push('\n');
        text
    }

    /// Reads a file.
    ///
    /// # Errors
    /// Names the file, the field, what was found and expected, and a hint.
    pub fn read(path: &Path) -> Result<Self, BaselineError> {
        let file = path.display().to_string();
        let refuse = |problem: String, hint| BaselineError { file: file.clone(), field: None, problem, hint };
        let text = text_file::read(path, FILE_BYTES_MAX, "a baseline")
            .map_err(|problem| refuse(problem, "`lab baseline --out FILE` writes one"))?;
        Self::from_json(&file, &text)
    }

    /// Reads a file's text; `file` names it in errors.
    ///
    /// # Errors
    /// As [`Baseline::read`].
    pub fn from_json(file: &str, text: &str) -> Result<Self, BaselineError> {
        #[derive(Deserialize)]
        struct Header {
            format: Option<String>,
            version: Option<serde_json::Value>,
        }
        let refuse = |field: Option<&str>, problem: String, hint| BaselineError {
            file: file.to_owned(),
            field: field.map(str::to_owned),
            problem,
            hint,
        };
        let header: Header = serde_json::from_str(text).map_err(|error| {
            refuse(None, format!("is no JSON object: {error}"), "`lab baseline --out FILE` writes one")
        })?;
        if header.format.as_deref() != Some(FORMAT) {
            let found = header.format.map_or_else(|| "missing".to_owned(), |format| format!("`{format}`"));
            return Err(refuse(
                Some("format"),
                format!("is {found}, expected `{FORMAT}`"),
                "give a file that `lab baseline --out FILE` wrote",
            ));
        }
        if header.version.as_ref().and_then(serde_json::Value::as_u64) != Some(u64::from(FORMAT_VERSION)) {
            let found = header.version.map_or_else(|| "missing".to_owned(), |version| version.to_string());
            return Err(refuse(
                Some("version"),
                format!("is {found}, expected {FORMAT_VERSION}"),
                "read it with the version of the lab that wrote it, or measure again",
            ));
        }
        let deserializer = &mut serde_json::Deserializer::from_str(text);
        let baseline: Self = serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let path = error.path().to_string();
            let path = (path != ".").then_some(path);
            refuse(path.as_deref(), error.into_inner().to_string(), "docs/guides/baseline.md has the schema")
        })?;
        validation::check(&baseline).map_err(|(field, problem)| {
            refuse(Some(&field), problem, "the file was changed or cut off: measure again")
        })?;
        Ok(baseline)
    }
}

#[cfg(test)]
pub(super) mod tests;
