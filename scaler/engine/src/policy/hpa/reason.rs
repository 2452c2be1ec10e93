//! Says why an autoscaler decided as it did.

use alloc::format;
use alloc::string::{String, ToString as _};
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::policy::ReasonOfKind;
use crate::policy::hpa::{ConditionReason, Metric, MetricSource, MetricTarget, Proposal, Resource};

/// An autoscaler's own reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum HpaReason {
    /// The metric that asks for most asks for more than there are.
    HpaAboveTarget {
        /// That metric.
        metric: JudgedMetric,
        /// Replicas that it asks for.
        wanted: u32,
    },
    /// All metrics ask for fewer than there are.
    HpaBelowTarget {
        /// The one that asks for most.
        metric: JudgedMetric,
        /// Replicas that it asks for.
        wanted: u32,
    },
    /// The metric that asks for most asks for what there is, or is within its tolerance.
    HpaOnTarget {
        /// That metric.
        metric: JudgedMetric,
    },
    /// A window of earlier recommendations holds the count back, or still raises it.
    HpaStabilized {
        /// The metric that asks for most.
        metric: JudgedMetric,
        /// Replicas that it asks for.
        wanted: u32,
        /// Replicas that the window leaves.
        stabilized: u32,
    },
    /// A bound or a rate keeps the count where it is.
    HpaLimited {
        /// The metric that asks for most.
        metric: JudgedMetric,
        /// Replicas that it asks for.
        wanted: u32,
        /// The bound or rate.
        limit: ConditionReason,
    },
    /// The count lies outside the bounds, which come before metrics, windows and rates.
    HpaOutsideBounds {
        /// Replicas asked for so far.
        current: u32,
        /// The bound that it is brought to.
        bound: u32,
    },
    /// Zero replicas, and not because of the autoscaler: it leaves them alone.
    HpaDisabled,
    /// No count can be computed, or a metric failed and the others ask for fewer.
    HpaFailed {
        /// The reason that the conditions give.
        reason: ConditionReason,
        /// What failed.
        error: String,
    },
}

impl ReasonOfKind for HpaReason {
    const CODES: &'static [&'static str] = &[
        "hpa_above_target",
        "hpa_below_target",
        "hpa_on_target",
        "hpa_stabilized",
        "hpa_limited",
        "hpa_outside_bounds",
        "hpa_disabled",
        "hpa_failed",
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::HpaAboveTarget { .. } => "hpa_above_target",
            Self::HpaBelowTarget { .. } => "hpa_below_target",
            Self::HpaOnTarget { .. } => "hpa_on_target",
            Self::HpaStabilized { .. } => "hpa_stabilized",
            Self::HpaLimited { .. } => "hpa_limited",
            Self::HpaOutsideBounds { .. } => "hpa_outside_bounds",
            Self::HpaDisabled => "hpa_disabled",
            Self::HpaFailed { .. } => "hpa_failed",
        }
    }

    #[cfg(test)]
    fn one_of_each() -> alloc::vec::Vec<Self> {
        let metric = || JudgedMetric {
            name: metric_text(&Metric::DEFAULT),
            is_percent: true,
            value: Some(92.0),
            target: Some(80.0),
        };
        let limit = ConditionReason::TooManyReplicas;
        let error = String::from("no metrics returned");
        alloc::vec![
            Self::HpaAboveTarget { metric: metric(), wanted: 3 },
            Self::HpaBelowTarget { metric: metric(), wanted: 1 },
            Self::HpaOnTarget { metric: metric() },
            Self::HpaStabilized { metric: metric(), wanted: 1, stabilized: 2 },
            Self::HpaLimited { metric: metric(), wanted: 7, limit },
            Self::HpaOutsideBounds { current: 9, bound: 6 },
            Self::HpaDisabled,
            Self::HpaFailed { reason: ConditionReason::FailedGetResourceMetric, error },
        ]
    }
}

/// The reason as a sentence, without capital and full stop.
impl fmt::Display for HpaReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HpaAboveTarget { metric, wanted } => write!(f, "{metric}, which asks for {wanted}"),
            Self::HpaBelowTarget { metric, wanted } => {
                write!(f, "all metrics below target: {metric}, which asks for {wanted}")
            }
            Self::HpaOnTarget { metric } => write!(f, "{metric}, which asks for no change"),
            Self::HpaStabilized { metric, wanted, stabilized } => {
                write!(f, "{metric}, which asks for {wanted}, but the stabilization window has {stabilized}")
            }
            Self::HpaLimited { metric, wanted, limit } => {
                write!(f, "{metric}, which asks for {wanted}, but {}", limit_text(*limit))
            }
            Self::HpaOutsideBounds { current, bound } if bound < current => {
                write!(f, "{current} is above the maximum of {bound}")
            }
            Self::HpaOutsideBounds { current, bound } => {
                write!(f, "{current} is below the minimum of {bound}")
            }
            Self::HpaDisabled => {
                f.write_str("scaling is off at zero replicas, to which the autoscaler did not bring it")
            }
            Self::HpaFailed { reason, error } => write!(f, "{reason}: {error}"),
        }
    }
}

fn limit_text(limit: ConditionReason) -> &'static str {
    match limit {
        ConditionReason::TooFewReplicas => "the minimum is reached",
        ConditionReason::TooManyReplicas => "the maximum is reached",
        ConditionReason::ScaleUpLimit => "the rate of scaling up allows no more",
        ConditionReason::ScaleDownLimit => "the rate of scaling down allows no fewer",
        _ => "a limit holds it",
    }
}

/// A metric with what was found and what it should be.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct JudgedMetric {
    /// The metric, as [`metric_text`] names it.
    pub name: String,
    /// Whether both numbers are percent of the requests.
    pub is_percent: bool,
    /// The value, or its mean per pod, in the metric's own unit.
    pub value: Option<f64>,
    /// The target.
    pub target: Option<f64>,
}

impl JudgedMetric {
    pub(crate) fn new(metric: &Metric, proposal: &Proposal) -> Self {
        let reported = proposal.reported;
        let (is_percent, value, target) = match metric.target {
            Some(MetricTarget::Utilization { percent }) => {
                (true, reported.utilization_percent.map(f64::from), Some(f64::from(percent)))
            }
            Some(MetricTarget::AverageValue { milli } | MetricTarget::Value { milli }) => {
                // The controller's mean over no pods is the end of the range.
                let value = reported.usage_milli.filter(|&milli| milli != i64::MAX);
                (false, value.map(in_units), Some(in_units(milli)))
            }
            None => (false, None, None),
        };
        Self { name: metric_text(metric), is_percent, value, target }
    }
}

fn in_units(milli: i64) -> f64 {
    milli as f64 / 1e3
}

/// `cpu resource utilization (percentage of request) is 92 %, the target is 70 %`.
impl fmt::Display for JudgedMetric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = if self.is_percent { " %" } else { "" };
        let number = |value: Option<f64>| value.map_or_else(|| "unknown".into(), |value| value.to_string());
        let (value, target) = (number(self.value), number(self.target));
        write!(f, "{} is {value}{unit}, the target is {target}{unit}", self.name)
    }
}

/// A metric as the controller's events and conditions name it.
pub fn metric_text(metric: &Metric) -> String {
    let is_percent = matches!(metric.target, Some(MetricTarget::Utilization { .. }));
    match &metric.source {
        MetricSource::Resource(resource) if is_percent => {
            format!("{} resource utilization (percentage of request)", resource_text(resource))
        }
        MetricSource::Resource(resource) => format!("{} resource", resource_text(resource)),
        MetricSource::ContainerResource { resource, container } if is_percent => format!(
            "{} container resource utilization (percentage of request) of {container}",
            resource_text(resource)
        ),
        MetricSource::ContainerResource { resource, container } => {
            format!("{} container resource of {container}", resource_text(resource))
        }
        MetricSource::Pods(metric) => format!("pods metric {}", named(metric)),
        MetricSource::Object(metric) => format!("object metric {}", named(metric)),
        MetricSource::External(metric) => format!("external metric {}", named(metric)),
        MetricSource::Unknown(name) => format!("metric of the unknown type {name}"),
    }
}

fn named(metric: &crate::need::NamedMetric) -> String {
    crate::need::Metric::Named(metric.clone()).to_string()
}

fn resource_text(resource: &Resource) -> &str {
    match resource {
        Resource::Cpu => "cpu",
        Resource::Memory => "memory",
        Resource::Other(name) => name,
    }
}
