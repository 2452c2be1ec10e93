//! The settings of the controller manager, and what differs from release to release.

use alloc::string::String;
use core::str::FromStr;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::hpa::Behavior;

/// A release of Kubernetes whose behaviour is followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Release {
    /// Scale to zero as before 1.36: never guarded by a condition.
    #[serde(rename = "1.35")]
    V1_35,
    /// Scale to zero exists and is off by default.
    #[serde(rename = "1.36")]
    V1_36,
    /// Scale to zero is on by default.
    #[default]
    #[serde(rename = "1.37")]
    V1_37,
}

impl Release {
    /// The feature `HPAScaleToZero` as the release has it by default.
    pub const fn scale_to_zero(self) -> ScaleToZero {
        match self {
            Self::V1_35 => ScaleToZero::Before1_36,
            Self::V1_36 => ScaleToZero::Off,
            Self::V1_37 => ScaleToZero::On,
        }
    }
}

impl FromStr for Release {
    type Err = UnknownRelease;

    fn from_str(name: &str) -> Result<Self, UnknownRelease> {
        match name {
            "1.35" => Ok(Self::V1_35),
            "1.36" => Ok(Self::V1_36),
            "1.37" => Ok(Self::V1_37),
            other => {
                Err(UnknownRelease { name: other.chars().flat_map(char::escape_debug).take(80).collect() })
            }
        }
    }
}

/// A release that is not followed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a release of Kubernetes that can be followed, expected 1.35, 1.36 or 1.37")]
pub struct UnknownRelease {
    /// The beginning of the name, at most 80 characters, control characters escaped.
    pub name: String,
}

/// How an autoscaler at zero replicas is treated (KEP-2021).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleToZero {
    /// Before 1.36: at zero, metrics are computed exactly when the minimum is 0.
    #[serde(rename = "pre_1_36")]
    Before1_36,
    /// From 1.36 with the feature off: an autoscaler at zero never scales.
    Off,
    /// From 1.36 with the feature on: it scales if it went to zero by itself.
    On,
}

/// The deviation from the target that is left alone, as a fraction of it, per direction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tolerances {
    /// For ratios above 1.
    pub up: f64,
    /// For ratios below 1.
    pub down: f64,
}

impl Tolerances {
    /// One tolerance for both directions.
    pub const fn both(tolerance: f64) -> Self {
        Self { up: tolerance, down: tolerance }
    }

    /// Whether a ratio of usage to target is close enough to 1; both ends are inclusive, and NaN is not within.
    ///
    /// Source: `horizontal.go`, `Tolerances.isWithin`.
    pub fn contains(self, ratio: f64) -> bool {
        (1.0 - self.down) <= ratio && ratio <= (1.0 + self.up)
    }
}

/// The controller manager's settings, with the defaults of Kubernetes.
///
/// Source: `pkg/controller/podautoscaler/config/v1alpha1/defaults.go`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ControllerSettings {
    /// Time between two passes. Default: 15 s.
    pub sync_period: Duration,
    /// The tolerance where the behavior has none, as a fraction. Default: 0.1.
    pub tolerance: f64,
    /// The scale-down window where the behavior has none. Default: 300 s.
    pub downscale_stabilization: Duration,
    /// How long after its start a pod's CPU sample must be newer than its readiness. Default: 300 s.
    pub cpu_initialization_period: Duration,
    /// Within this time of its start, a pod that turns unready counts as never having been ready. Default: 30 s.
    pub initial_readiness_delay: Duration,
    /// Whether tolerances of the behavior are followed (`HPAConfigurableTolerance`). Default: true.
    pub configurable_tolerance: bool,
    /// How zero replicas are treated. Default: as the release does.
    pub scale_to_zero: ScaleToZero,
    /// Whether requests of the whole pod replace the sum over its containers. Default: true.
    pub pod_level_resources: bool,
    /// Whether an Object or External metric with an average target proposes, within tolerance, the count of the
    /// target's status rather than the one asked for. Default: true, as every release up to 1.37 does
    /// (kubernetes/kubernetes#138505).
    pub adopt_status_within_tolerance: bool,
}

impl ControllerSettings {
    /// The defaults of a release.
    pub const fn of(release: Release) -> Self {
        Self {
            sync_period: Duration::from_secs(15),
            tolerance: 0.1,
            downscale_stabilization: Duration::from_secs(300),
            cpu_initialization_period: Duration::from_secs(300),
            initial_readiness_delay: Duration::from_secs(30),
            configurable_tolerance: true,
            scale_to_zero: release.scale_to_zero(),
            pod_level_resources: true,
            adopt_status_within_tolerance: true,
        }
    }

    /// The tolerances that hold for an autoscaler with this behavior.
    ///
    /// Source: `horizontal.go`, `tolerancesForHpa`.
    pub fn tolerances(&self, behavior: Option<&Behavior>) -> Tolerances {
        let mut tolerances = Tolerances::both(self.tolerance);
        if let Some(behavior) = behavior.filter(|_| self.configurable_tolerance) {
            let of = |rules: Option<&super::ScalingRules>| rules.and_then(|rules| rules.tolerance);
            tolerances.up = of(behavior.scale_up.as_ref()).unwrap_or(tolerances.up);
            tolerances.down = of(behavior.scale_down.as_ref()).unwrap_or(tolerances.down);
        }
        tolerances
    }
}

impl Default for ControllerSettings {
    fn default() -> Self {
        Self::of(Release::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::hpa::ScalingRules;

    #[test]
    fn the_defaults_are_those_of_kubernetes() {
        let settings = ControllerSettings::default();
        assert_eq!(settings.sync_period.as_secs(), 15);
        assert_eq!(settings.downscale_stabilization.as_secs(), 300);
        assert_eq!(settings.cpu_initialization_period.as_secs(), 300);
        assert_eq!(settings.initial_readiness_delay.as_secs(), 30);
        assert!((settings.tolerance - 0.1).abs() < f64::EPSILON);
        assert_eq!(settings.scale_to_zero, ScaleToZero::On);
        assert_eq!(ControllerSettings::of(Release::V1_36).scale_to_zero, ScaleToZero::Off);
        assert_eq!(ControllerSettings::of(Release::V1_35).scale_to_zero, ScaleToZero::Before1_36);
    }

    #[test]
    fn releases_are_read_by_the_names_they_are_saved_under() {
        for release in [Release::V1_35, Release::V1_36, Release::V1_37] {
            let saved = serde_json::to_value(release).unwrap();
            assert_eq!(saved.as_str().unwrap().parse(), Ok(release));
        }
        for wrong in ["", "1.34", "v1.37", "1.37 "] {
            assert!(wrong.parse::<Release>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn both_ends_of_the_tolerance_are_within_and_nan_is_not() {
        let tolerances = Tolerances { up: 0.5, down: 0.25 };
        assert!(tolerances.contains(1.5) && tolerances.contains(0.75));
        assert!(!tolerances.contains(1.500_1) && !tolerances.contains(0.749_9));
        assert!(!tolerances.contains(f64::NAN) && !tolerances.contains(f64::INFINITY));
    }

    #[test]
    fn a_tolerance_of_the_behavior_holds_for_its_direction_and_only_with_the_feature() {
        let rules = ScalingRules { tolerance: Some(0.0), ..ScalingRules::default() };
        let behavior = Behavior { scale_up: None, scale_down: Some(rules) };
        let mut settings = ControllerSettings::default();
        assert_eq!(settings.tolerances(Some(&behavior)), Tolerances { up: 0.1, down: 0.0 });
        settings.configurable_tolerance = false;
        assert_eq!(settings.tolerances(Some(&behavior)), Tolerances::both(0.1));
        assert_eq!(settings.tolerances(None), Tolerances::both(0.1));
    }
}
