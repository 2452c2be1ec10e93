//! Evaluates one metric to a proposed number of replicas.

use alloc::borrow::ToOwned;
use alloc::string::String;

use crate::policy::hpa::per_object::{external_total, proposal_for_average_value, proposal_for_value};
use crate::policy::hpa::per_pod::{proposal_for_average, proposal_for_utilization};
use crate::policy::hpa::requests::RequestsError;
use crate::policy::hpa::samples::{PodIndex, resource_samples, value_samples};
use crate::policy::hpa::{
    ConditionReason, ControllerSettings, Metric, MetricAnswer, MetricSource, MetricTarget, Pod, Resource,
    Samples, Tolerances,
};

/// What all metrics of a pass are evaluated against.
#[derive(Clone, Debug)]
pub struct Evaluation<'a> {
    /// The replicas asked for (`spec.replicas` of the target).
    pub current_replicas: u32,
    /// The replicas there are (`status.replicas` of the target).
    pub status_replicas: u32,
    /// The pods that the target's selector matches.
    pub pods: &'a [Pod],
    /// The controller's settings.
    pub settings: &'a ControllerSettings,
    /// The tolerances of this autoscaler.
    pub tolerances: Tolerances,
    index: PodIndex<'a>,
}

impl<'a> Evaluation<'a> {
    /// Prepares an evaluation: indexes the pods.
    pub fn new(
        pods: &'a [Pod],
        current_replicas: u32,
        status_replicas: u32,
        settings: &'a ControllerSettings,
        tolerances: Tolerances,
    ) -> Self {
        Self { current_replicas, status_replicas, pods, settings, tolerances, index: PodIndex::new(pods) }
    }

    pub(crate) fn current(&self) -> i32 {
        i32::try_from(self.current_replicas).unwrap_or(i32::MAX)
    }
}

/// What one metric asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The replicas; below 0 if the metric is. Limits are not applied yet.
    pub replicas: i32,
    /// What the status of the autoscaler shows of the metric.
    pub reported: Reported,
}

/// The value of a metric in the autoscaler's status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// Utilisation in whole percent, for utilisation targets.
    pub utilization_percent: Option<i32>,
    /// Mean usage in thousandths, for utilisation targets.
    pub average_usage_milli: Option<i64>,
    /// The value or mean in thousandths, for other targets.
    pub usage_milli: Option<i64>,
}

/// Why a metric proposes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricError {
    /// The metrics API failed, or its answer was empty.
    #[error("unable to get the metric: {0}")]
    Unavailable(String),
    /// None of the samples belongs to a listed pod that requests something.
    #[error("no metrics returned matched known pods")]
    NoKnownPods,
    /// The request of a pod is not known.
    #[error(transparent)]
    Requests(#[from] RequestsError),
    /// The selector matches no pod.
    #[error("no pods returned by selector while calculating replica count")]
    NoPods,
    /// No sample of a pod that counts.
    #[error("did not receive metrics for targeted pods (pods might be unready)")]
    NoReadySamples,
    /// The source takes no target of this type, or there is none.
    #[error("the metric has no target of a type that its source takes")]
    InvalidTarget,
    /// The type of the source does not exist.
    #[error("unknown metric source type {0}")]
    InvalidSource(String),
}

impl MetricError {
    /// The reason that the condition `ScalingActive` gives for a failure of a metric from this source.
    ///
    /// Source: `horizontal.go`, `computeReplicasForMetric`.
    pub const fn condition_reason(source: &MetricSource) -> ConditionReason {
        match source {
            MetricSource::Resource(_) => ConditionReason::FailedGetResourceMetric,
            MetricSource::ContainerResource { .. } => ConditionReason::FailedGetContainerResourceMetric,
            MetricSource::Pods(_) => ConditionReason::FailedGetPodsMetric,
            MetricSource::Object(_) => ConditionReason::FailedGetObjectMetric,
            MetricSource::External(_) => ConditionReason::FailedGetExternalMetric,
            MetricSource::Unknown(_) => ConditionReason::InvalidMetricSourceType,
        }
    }
}

/// Evaluates one metric.
///
/// # Errors
/// If the metric cannot be had, or nothing can be concluded from it.
///
/// Source: `horizontal.go`, `computeReplicasForMetric`.
pub fn propose(
    metric: &Metric,
    answer: &MetricAnswer,
    evaluation: &Evaluation<'_>,
) -> Result<Proposal, MetricError> {
    match &metric.source {
        MetricSource::Resource(resource) => {
            propose_for_resource(resource, None, metric.target, answer, evaluation)
        }
        MetricSource::ContainerResource { resource, container } => {
            propose_for_resource(resource, Some(container), metric.target, answer, evaluation)
        }
        MetricSource::Pods(_) => {
            let Some(MetricTarget::AverageValue { milli }) = metric.target else {
                return Err(MetricError::InvalidTarget);
            };
            let MetricAnswer::Pods(values) = answer else { return Err(unavailable(answer)) };
            if values.is_empty() {
                return Err(empty());
            }
            let samples = Samples::arrange(&evaluation.index, value_samples(values));
            proposal_for_average(samples, milli, None, evaluation)
        }
        MetricSource::Object(_) => {
            let MetricAnswer::Object(value_milli) = answer else { return Err(unavailable(answer)) };
            propose_for_total(*value_milli, metric.target, evaluation)
        }
        MetricSource::External(_) => {
            let MetricAnswer::External(values) = answer else { return Err(unavailable(answer)) };
            if values.is_empty() {
                return Err(empty());
            }
            propose_for_total(external_total(values), metric.target, evaluation)
        }
        MetricSource::Unknown(name) => Err(MetricError::InvalidSource(name.clone())),
    }
}

fn propose_for_resource(
    resource: &Resource,
    container: Option<&str>,
    target: Option<MetricTarget>,
    answer: &MetricAnswer,
    evaluation: &Evaluation<'_>,
) -> Result<Proposal, MetricError> {
    match target {
        Some(MetricTarget::Utilization { percent }) => {
            let samples = samples_of_resource(answer, container, evaluation)?;
            proposal_for_utilization(samples, percent, resource, container, evaluation)
        }
        Some(MetricTarget::AverageValue { milli }) => {
            let samples = samples_of_resource(answer, container, evaluation)?;
            proposal_for_average(samples, milli, Some(resource), evaluation)
        }
        Some(MetricTarget::Value { .. }) | None => Err(MetricError::InvalidTarget),
    }
}

fn samples_of_resource<'a>(
    answer: &'a MetricAnswer,
    container: Option<&'a str>,
    evaluation: &Evaluation<'_>,
) -> Result<Samples<'a>, MetricError> {
    let MetricAnswer::Resource(usages) = answer else { return Err(unavailable(answer)) };
    if usages.is_empty() {
        return Err(empty());
    }
    Ok(Samples::arrange(&evaluation.index, resource_samples(usages, container)))
}

fn propose_for_total(
    total_milli: i64,
    target: Option<MetricTarget>,
    evaluation: &Evaluation<'_>,
) -> Result<Proposal, MetricError> {
    match target {
        Some(MetricTarget::Value { milli }) => proposal_for_value(total_milli, milli, evaluation),
        Some(MetricTarget::AverageValue { milli }) => {
            Ok(proposal_for_average_value(total_milli, milli, evaluation))
        }
        Some(MetricTarget::Utilization { .. }) | None => Err(MetricError::InvalidTarget),
    }
}

fn unavailable(answer: &MetricAnswer) -> MetricError {
    match answer {
        MetricAnswer::Failed(why) => MetricError::Unavailable(why.clone()),
        _ => MetricError::Unavailable("the answer is of another kind of metric".to_owned()),
    }
}

fn empty() -> MetricError {
    MetricError::Unavailable("no metrics returned from the metrics API".to_owned())
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::policy::hpa::testing::{pods_requesting, settings};

    fn outcome(
        source: MetricSource,
        target: Option<MetricTarget>,
        answer: &MetricAnswer,
    ) -> Result<i32, MetricError> {
        let (pods, settings) = (pods_requesting(2, 100), settings());
        let evaluation = Evaluation::new(&pods, 2, 2, &settings, Tolerances::both(0.1));
        propose(&Metric { source, target }, answer, &evaluation).map(|proposal| proposal.replicas)
    }

    #[test]
    fn an_empty_answer_is_an_error_of_each_kind_of_metric() {
        let average = Some(MetricTarget::AverageValue { milli: 1 });
        for (source, answer) in [
            (MetricSource::Resource(Resource::Cpu), MetricAnswer::Resource(vec![])),
            (MetricSource::Pods("m".into()), MetricAnswer::Pods(vec![])),
            (MetricSource::External("m".into()), MetricAnswer::External(vec![])),
            (MetricSource::Object("m".into()), MetricAnswer::Failed("down".into())),
        ] {
            assert!(matches!(outcome(source, average, &answer), Err(MetricError::Unavailable(_))));
        }
    }

    #[test]
    fn a_target_that_the_source_does_not_take_is_an_error() {
        let value = Some(MetricTarget::Value { milli: 1 });
        let percent = Some(MetricTarget::Utilization { percent: 1 });
        for (source, target, answer) in [
            (MetricSource::Resource(Resource::Cpu), value, MetricAnswer::Resource(vec![])),
            (MetricSource::Resource(Resource::Cpu), None, MetricAnswer::Resource(vec![])),
            (MetricSource::Pods("m".into()), percent, MetricAnswer::Pods(vec![])),
            (MetricSource::Object("m".into()), percent, MetricAnswer::Object(1)),
            (MetricSource::External("m".into()), None, MetricAnswer::External(vec![1])),
        ] {
            assert_eq!(outcome(source, target, &answer), Err(MetricError::InvalidTarget));
        }
    }

    #[test]
    fn an_answer_for_another_kind_of_metric_is_an_error() {
        let average = Some(MetricTarget::AverageValue { milli: 1 });
        let answer = outcome(MetricSource::Pods("m".into()), average, &MetricAnswer::Object(1));
        assert!(matches!(answer, Err(MetricError::Unavailable(_))));
    }
}
