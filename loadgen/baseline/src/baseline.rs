//! A baseline: curves, and all that is needed to understand them later.

use serde::{Deserialize, Serialize};

use super::circumstances::{Environment, Settings, SyntheticDemand, TargetDescription};
use super::curve::Curve;
use super::fit::latency::FitRefusal;
use super::fit::scaling::{ScalingFit, ScalingPoint, fit_scaling};

/// The version of the schema that is written, and the only one that is read.
pub const FORMAT_VERSION: u32 = 1;

/// What a file says it is.
pub(crate) const FORMAT: &str = "autoscale-lab/baseline";

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
}
