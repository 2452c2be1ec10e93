//! What a driven autoscaler remembers: the controller's own state, the rescale that is under way, and what is shown.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::hpa::reason::metric_text;
use crate::policy::hpa::{
    Condition, ConditionReason, HpaSpec, HpaState, MetricError, ReconcileError, Reconciliation, Rescale,
};
use crate::policy::{ConditionShown, EventLog};

/// What an [`HpaPolicy`](super::HpaPolicy) remembers between checks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HpaHistory {
    /// The controller's state: recommendations, changes, conditions.
    pub state: HpaState,
    /// A rescale that was asked for and of which nothing is known yet.
    pub pending: Option<PendingRescale>,
    /// The metric that decided last, as conditions name it.
    pub decided_by: Option<String>,
    /// Why the last pass came to no count.
    pub failure: Option<String>,
    /// What was told of lately.
    pub events: EventLog,
}

/// A rescale that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingRescale {
    /// The counts.
    pub rescale: Rescale,
    /// The minimum in force at that time.
    pub min_replicas: u32,
    /// Why, as its event says it.
    pub message: String,
}

impl HpaHistory {
    /// Keeps what went wrong in a pass, and tells of it as the controller does.
    pub(super) fn note_errors(&mut self, now: Duration, spec: &HpaSpec, outcome: &Reconciliation) {
        let failed = spec.metrics.iter().zip(&outcome.metrics);
        for (metric, error) in failed.filter_map(|(metric, result)| Some((metric, result.as_ref().err()?))) {
            let reason = MetricError::condition_reason(&metric.source).to_string();
            self.events.warn(now, reason, format!("{}: {error}", metric_text(metric)));
        }
        let decided = outcome.decisive.and_then(|at| spec.metrics.get(at));
        self.decided_by = decided.map(metric_text).or_else(|| self.decided_by.take());
        self.failure = self.named(spec, outcome);
        if let (Some(failure), None) = (&self.failure, outcome.applied) {
            self.events.warn(now, "FailedComputeMetricsReplicas", failure.clone());
        }
    }

    /// The error of a pass with the name of the metric that it is about.
    #[expect(clippy::unused_self, reason = "beside what keeps it")]
    pub(super) fn named(&self, spec: &HpaSpec, outcome: &Reconciliation) -> Option<String> {
        let error = outcome.error.as_ref()?;
        Some(match error {
            ReconcileError::Metric { position, error } => match spec.metrics.get(*position) {
                Some(metric) => format!("{}: {error}", metric_text(metric)),
                None => error.to_string(),
            },
            other => other.to_string(),
        })
    }

    /// The conditions that are set, with their sentences.
    pub(crate) fn conditions(&self) -> Vec<ConditionShown> {
        let shown = |(name, Condition { holds, reason }): (&'static str, Condition)| ConditionShown {
            name,
            status: holds.into(),
            reason: reason.to_string(),
            message: self.message(reason),
        };
        self.state.conditions.iter().map(shown).collect()
    }

    fn message(&self, reason: ConditionReason) -> String {
        let sentence = match reason {
            ConditionReason::FailedGetScale => "the target's scale could not be read",
            ConditionReason::SucceededGetScale => "the target's scale was read",
            ConditionReason::ReadyForNewScale => "the recommended size is applied as it is",
            ConditionReason::ScaleDownStabilized => {
                "recent recommendations were higher, and the highest of them is applied"
            }
            ConditionReason::ScaleUpStabilized => {
                "recent recommendations were lower, and the lowest of them is applied"
            }
            ConditionReason::SucceededRescale => {
                let size = self.state.desired_replicas.unwrap_or_default();
                return format!("the size was changed to {size}");
            }
            ConditionReason::FailedUpdateScale => "the new size was not carried out",
            ConditionReason::ValidMetricFound => {
                let metric = self.decided_by.as_deref().unwrap_or("a metric");
                return format!("a count was computed from {metric}");
            }
            ConditionReason::ScalingDisabled => {
                "scaling is off, because the target has zero replicas and was not brought there by its autoscaler"
            }
            ConditionReason::InvalidSelector => "the target's selector is missing or cannot be read",
            ConditionReason::AmbiguousSelector => "another autoscaler selects the same pods",
            ConditionReason::DesiredWithinRange => "the desired size is within the bounds",
            ConditionReason::TooFewReplicas => "the desired size is below the minimum",
            ConditionReason::TooManyReplicas => "the desired size is above the maximum",
            ConditionReason::ScaleUpLimit => "the size grows as fast as its rate allows",
            ConditionReason::ScaleDownLimit => "the size falls as fast as its rate allows",
            ConditionReason::ScaledToZero => "the autoscaler brought the target to zero",
            ConditionReason::NotScaledToZero => "the last change of the size did not go to zero",
            ConditionReason::FailedGetResourceMetric
            | ConditionReason::FailedGetContainerResourceMetric
            | ConditionReason::FailedGetPodsMetric
            | ConditionReason::FailedGetObjectMetric
            | ConditionReason::FailedGetExternalMetric
            | ConditionReason::InvalidMetricSourceType => {
                return self.failure.clone().unwrap_or_else(|| "no count could be computed".into());
            }
        };
        sentence.into()
    }
}
