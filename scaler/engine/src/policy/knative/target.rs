//! Resolves what one pod should carry.

use serde::{Deserialize, Serialize};

/// The smallest target; smaller ones would ask for absurd counts.
const TARGET_MIN: f64 = 0.01;

/// What is scaled by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScalingMetric {
    /// Requests in flight.
    #[default]
    Concurrency,
    /// Requests per second.
    Rps,
}

/// The cluster's defaults.
///
/// Source: `pkg/autoscaler/config/config.go`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetConfig {
    /// The share of the total that is aimed at, for concurrency. Default: 0.7.
    pub concurrency_target_utilization: f64,
    /// Concurrency of a pod without a limit of its own. Default: 100.
    pub concurrency_target_default: f64,
    /// Requests per second of a pod. Default: 200.
    pub rps_target_default: f64,
    /// The share of the total that is aimed at, for requests per second. 0.7; clusters cannot set it.
    pub rps_target_utilization: f64,
}

impl Default for TargetConfig {
    fn default() -> Self {
        Self {
            concurrency_target_utilization: 0.7,
            concurrency_target_default: 100.0,
            rps_target_default: 200.0,
            rps_target_utilization: 0.7,
        }
    }
}

/// The annotations of a revision that concern its target.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TargetAnnotations {
    /// `autoscaling.knative.dev/target`.
    pub target: Option<f64>,
    /// `autoscaling.knative.dev/target-utilization-percentage`.
    pub utilization_percent: Option<f64>,
}

/// What one pod should carry.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ResolvedTarget {
    /// What the count is computed with.
    pub target: f64,
    /// What burst capacity is computed with.
    pub total: f64,
}

/// Resolves target and total. `container_concurrency` is the hard limit of a container; 0 is none.
///
/// Source: `pkg/reconciler/autoscaling/resources/target.go`, `ResolveMetricTarget`.
pub fn resolve_target(
    metric: ScalingMetric,
    container_concurrency: u32,
    annotations: &TargetAnnotations,
    config: &TargetConfig,
) -> ResolvedTarget {
    let limit = (metric == ScalingMetric::Concurrency && container_concurrency != 0)
        .then(|| f64::from(container_concurrency));
    let (default_total, default_utilization) = match metric {
        ScalingMetric::Concurrency => {
            (limit.unwrap_or(config.concurrency_target_default), config.concurrency_target_utilization)
        }
        ScalingMetric::Rps => (config.rps_target_default, config.rps_target_utilization),
    };
    let total = match (annotations.target, limit) {
        (Some(annotation), Some(limit)) => annotation.min(limit),
        (Some(annotation), None) => annotation,
        (None, _) => default_total,
    };
    let utilization = annotations.utilization_percent.map_or(default_utilization, |percent| percent / 100.0);
    ResolvedTarget { target: (total * utilization).max(TARGET_MIN), total }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(metric: ScalingMetric, limit: u32, target: Option<f64>, percent: Option<f64>) -> (f64, f64) {
        let annotations = TargetAnnotations { target, utilization_percent: percent };
        let resolved = resolve_target(metric, limit, &annotations, &TargetConfig::default());
        (libm::round(resolved.target * 1e6) / 1e6, resolved.total)
    }

    #[test]
    fn seventy_percent_of_a_hundred_in_flight_or_two_hundred_per_second() {
        assert_eq!(resolve(ScalingMetric::Concurrency, 0, None, None), (70.0, 100.0));
        assert_eq!(resolve(ScalingMetric::Rps, 0, None, None), (140.0, 200.0));
    }

    #[test]
    fn the_limit_of_a_container_bounds_an_annotation_for_concurrency_only() {
        assert_eq!(resolve(ScalingMetric::Concurrency, 10, Some(50.0), None), (7.0, 10.0));
        assert_eq!(resolve(ScalingMetric::Concurrency, 10, Some(5.0), None), (3.5, 5.0));
        assert_eq!(resolve(ScalingMetric::Rps, 10, Some(50.0), None), (35.0, 50.0));
    }

    #[test]
    fn an_annotation_replaces_the_utilisation_of_both_metrics() {
        assert_eq!(resolve(ScalingMetric::Concurrency, 0, None, Some(50.0)), (50.0, 100.0));
        assert_eq!(resolve(ScalingMetric::Rps, 0, None, Some(50.0)), (100.0, 200.0));
    }

    #[test]
    fn a_target_is_never_below_its_minimum() {
        assert_eq!(resolve(ScalingMetric::Concurrency, 0, Some(0.001), None), (0.01, 0.001));
        assert_eq!(
            resolve(ScalingMetric::Concurrency, 0, Some(f64::NAN), None).0.to_bits(),
            0.01_f64.to_bits()
        );
    }
}
