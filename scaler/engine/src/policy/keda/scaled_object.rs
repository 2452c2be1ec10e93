//! The `HorizontalPodAutoscaler` that KEDA generates from a `ScaledObject`, as data.

use alloc::string::String;
use alloc::vec::Vec;

use crate::policy::hpa::{Behavior, HpaSpec, Metric, MetricSource, MetricTarget, Resource};

/// The maximum where a `ScaledObject` has none.
const DEFAULT_MAX_REPLICAS: u32 = 100;

/// The part of a `ScaledObject` that its autoscaler is made of.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScaledObject {
    /// `minReplicaCount`; none is 0.
    pub min_replicas: Option<u32>,
    /// `maxReplicaCount`; none is 100.
    pub max_replicas: Option<u32>,
    /// `idleReplicaCount`.
    pub idle_replicas: Option<u32>,
    /// The triggers, in their order.
    pub triggers: Vec<Trigger>,
    /// `advanced.horizontalPodAutoscalerConfig.behavior`.
    pub behavior: Option<Behavior>,
}

/// A trigger, as far as the autoscaler is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// The name of its metric.
    pub name: String,
    /// What the metric should be.
    pub target: TriggerTarget,
}

/// The target of a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TriggerTarget {
    /// Of a `cpu` or `memory` trigger.
    Resource {
        /// The resource.
        resource: Resource,
        /// `containerName`.
        container: Option<String>,
        /// Its target.
        target: ResourceTarget,
    },
    /// Of any other trigger.
    External {
        /// `metricType`. Default: `AverageValue`.
        target_type: ExternalTargetType,
        /// Thousandths.
        milli: i64,
    },
}

/// The target of a `cpu` or `memory` trigger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResourceTarget {
    /// Percent of the requests.
    Utilization {
        /// Percent.
        percent: i32,
    },
    /// Mean per pod.
    AverageValue {
        /// Thousandths.
        milli: i64,
    },
}

/// The `metricType` of a trigger with an External metric.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExternalTargetType {
    /// Mean per pod.
    #[default]
    AverageValue,
    /// The metric itself.
    Value,
    /// Percent; External metrics have none.
    Utilization,
}

/// A `ScaledObject` that contradicts the rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScaledObjectError {
    /// The minimum is above the maximum.
    #[error("`minReplicaCount` is {min}, expected at most `maxReplicaCount`, which is {max}")]
    MinimumAboveMaximum {
        /// The minimum.
        min: u32,
        /// The maximum.
        max: u32,
    },
    /// The idle count is not below the minimum.
    #[error("`idleReplicaCount` is {idle}, expected less than `minReplicaCount`, which counts as {min}")]
    IdleNotBelowMinimum {
        /// The idle count.
        idle: u32,
        /// The minimum it is compared with: 0 if there is none, and 1 if it is 0.
        min: u32,
    },
    /// A trigger with an External metric has a target in percent.
    #[error(
        "trigger `{name}` has the metric type Utilization, expected AverageValue or Value: only cpu and memory have percentages"
    )]
    ExternalUtilization {
        /// The trigger's metric.
        name: String,
    },
}

impl ScaledObjectError {
    /// What to do about it.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::MinimumAboveMaximum { .. } => "lower `minReplicaCount` or raise `maxReplicaCount`",
            Self::IdleNotBelowMinimum { .. } => {
                "set `minReplicaCount` above `idleReplicaCount`, or leave the latter out"
            }
            Self::ExternalUtilization { .. } => "set `metricType` to AverageValue",
        }
    }
}

/// Checks a `ScaledObject` and makes its autoscaler.
///
/// # Errors
/// If its counts contradict each other, or a trigger's type does not fit.
///
/// Source: `controllers/keda/hpa.go`, `newHPAForScaledObject`; `apis/keda/v1alpha1/scaledobject_types.go`,
/// `CheckReplicaCountBoundsAreValid`.
pub fn generate_hpa(object: &ScaledObject) -> Result<HpaSpec, ScaledObjectError> {
    let hpa_min = object.min_replicas.filter(|&min| min > 0).unwrap_or(1);
    // A minimum that is left out is compared as 0, and a minimum of 0 as the autoscaler's 1.
    let min = object.min_replicas.map_or(0, |_| hpa_min);
    let max = object.max_replicas.unwrap_or(DEFAULT_MAX_REPLICAS);
    if min > max {
        return Err(ScaledObjectError::MinimumAboveMaximum { min, max });
    }
    if let Some(idle) = object.idle_replicas.filter(|&idle| idle >= min) {
        return Err(ScaledObjectError::IdleNotBelowMinimum { idle, min });
    }
    let metrics = object.triggers.iter().map(metric_of).collect::<Result<_, _>>()?;
    Ok(HpaSpec { min_replicas: hpa_min, max_replicas: max, behavior: object.behavior.clone(), metrics })
}

fn metric_of(trigger: &Trigger) -> Result<Metric, ScaledObjectError> {
    let (source, target) = match &trigger.target {
        TriggerTarget::Resource { resource, container, target } => {
            let resource = resource.clone();
            let source = match container.clone() {
                Some(container) => MetricSource::ContainerResource { resource, container },
                None => MetricSource::Resource(resource),
            };
            let target = match *target {
                ResourceTarget::Utilization { percent } => MetricTarget::Utilization { percent },
                ResourceTarget::AverageValue { milli } => MetricTarget::AverageValue { milli },
            };
            (source, target)
        }
        TriggerTarget::External { target_type, milli } => {
            let milli = *milli;
            let target = match target_type {
                ExternalTargetType::AverageValue => MetricTarget::AverageValue { milli },
                ExternalTargetType::Value => MetricTarget::Value { milli },
                ExternalTargetType::Utilization => {
                    return Err(ScaledObjectError::ExternalUtilization { name: trigger.name.clone() });
                }
            };
            (MetricSource::External(trigger.name.as_str().into()), target)
        }
    };
    Ok(Metric { source, target: Some(target) })
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn counts(
        min: Option<u32>,
        max: Option<u32>,
        idle: Option<u32>,
    ) -> Result<(u32, u32), ScaledObjectError> {
        let object = ScaledObject {
            min_replicas: min,
            max_replicas: max,
            idle_replicas: idle,
            ..ScaledObject::default()
        };
        generate_hpa(&object).map(|hpa| (hpa.min_replicas, hpa.max_replicas))
    }

    #[test]
    fn the_autoscaler_never_goes_below_one() {
        assert_eq!(counts(None, None, None), Ok((1, 100)));
        assert_eq!(counts(Some(0), Some(7), None), Ok((1, 7)));
        assert_eq!(counts(Some(3), Some(3), None), Ok((3, 3)));
    }

    #[test]
    fn counts_that_contradict_each_other_are_refused() {
        assert_eq!(
            counts(Some(8), Some(7), None),
            Err(ScaledObjectError::MinimumAboveMaximum { min: 8, max: 7 })
        );
        assert_eq!(
            counts(Some(101), None, None),
            Err(ScaledObjectError::MinimumAboveMaximum { min: 101, max: 100 })
        );
        assert_eq!(
            counts(None, None, Some(0)),
            Err(ScaledObjectError::IdleNotBelowMinimum { idle: 0, min: 0 })
        );
        assert_eq!(
            counts(Some(2), None, Some(2)),
            Err(ScaledObjectError::IdleNotBelowMinimum { idle: 2, min: 2 })
        );
        assert_eq!(counts(Some(0), None, Some(0)), Ok((1, 100)), "an explicit 0 counts as 1");
    }

    #[test]
    fn each_trigger_becomes_a_metric() {
        let external = |target_type| Trigger {
            name: "s0-kafka-orders".into(),
            target: TriggerTarget::External { target_type, milli: 10_000 },
        };
        let cpu = |container| Trigger {
            name: "cpu".into(),
            target: TriggerTarget::Resource {
                resource: Resource::Cpu,
                container,
                target: ResourceTarget::Utilization { percent: 60 },
            },
        };
        let object = ScaledObject {
            triggers: vec![
                external(ExternalTargetType::AverageValue),
                external(ExternalTargetType::Value),
                cpu(None),
                cpu(Some("app".into())),
            ],
            ..ScaledObject::default()
        };
        let metrics = generate_hpa(&object).unwrap().metrics;
        assert_eq!(metrics[0].target, Some(MetricTarget::AverageValue { milli: 10_000 }));
        assert_eq!(metrics[1].target, Some(MetricTarget::Value { milli: 10_000 }));
        assert_eq!(metrics[2].source, MetricSource::Resource(Resource::Cpu));
        assert!(
            matches!(&metrics[3].source, MetricSource::ContainerResource { container, .. } if container == "app")
        );
        let wrong = ScaledObject { triggers: vec![external(ExternalTargetType::Utilization)], ..object };
        assert!(matches!(generate_hpa(&wrong), Err(ScaledObjectError::ExternalUtilization { .. })));
    }
}
