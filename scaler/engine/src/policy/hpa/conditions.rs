//! The conditions in an autoscaler's status: what state it is in, and why.

use core::fmt;

use serde::{Deserialize, Serialize};

/// Why a condition has its status, by the names that `kubectl describe hpa` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ConditionReason {
    /// The target's scale could not be read.
    FailedGetScale,
    /// The target's scale was read.
    SucceededGetScale,
    /// The recommendation is applied as it is.
    ReadyForNewScale,
    /// A higher recommendation of the scale-down window is applied.
    ScaleDownStabilized,
    /// A lower recommendation of the scale-up window is applied.
    ScaleUpStabilized,
    /// The new count was written.
    SucceededRescale,
    /// The new count could not be written.
    FailedUpdateScale,
    /// At least one metric was evaluated.
    ValidMetricFound,
    /// The target has zero replicas, and was not brought there by the autoscaler.
    ScalingDisabled,
    /// The target has no selector, or one that cannot be read.
    InvalidSelector,
    /// Another autoscaler selects one of the pods too.
    AmbiguousSelector,
    /// A Resource metric failed.
    FailedGetResourceMetric,
    /// A `ContainerResource` metric failed.
    FailedGetContainerResourceMetric,
    /// A Pods metric failed.
    FailedGetPodsMetric,
    /// An Object metric failed.
    FailedGetObjectMetric,
    /// An External metric failed.
    FailedGetExternalMetric,
    /// A metric has a type of source that does not exist.
    InvalidMetricSourceType,
    /// The count is what the metrics and windows ask for.
    DesiredWithinRange,
    /// The minimum holds the count up.
    TooFewReplicas,
    /// The maximum holds the count down.
    TooManyReplicas,
    /// The rate of scaling up holds the count down.
    ScaleUpLimit,
    /// The rate of scaling down holds the count up.
    ScaleDownLimit,
    /// The autoscaler brought the target to zero.
    ScaledToZero,
    /// The last change of the count did not go to zero.
    NotScaledToZero,
}

impl fmt::Display for ConditionReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The names of the variants are the names of the API.
        fmt::Debug::fmt(self, formatter)
    }
}

/// The status of a condition, and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Whether the condition holds.
    pub holds: bool,
    /// Why.
    pub reason: ConditionReason,
}

/// All conditions of an autoscaler; none where a condition was never set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// Whether the target's scale can be read and written.
    pub able_to_scale: Option<Condition>,
    /// Whether replicas can be computed.
    pub scaling_active: Option<Condition>,
    /// Whether a limit keeps the count from what is asked for.
    pub scaling_limited: Option<Condition>,
    /// Whether the autoscaler itself brought the target to zero.
    pub scaled_to_zero: Option<Condition>,
}

impl Conditions {
    /// Each condition that is set, with its name in the API.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, Condition)> {
        [
            ("AbleToScale", self.able_to_scale),
            ("ScalingActive", self.scaling_active),
            ("ScalingLimited", self.scaling_limited),
            ("ScaledToZero", self.scaled_to_zero),
        ]
        .into_iter()
        .filter_map(|(name, condition)| Some((name, condition?)))
    }
}

/// A condition that holds.
pub(crate) const fn holds(reason: ConditionReason) -> Condition {
    Condition { holds: true, reason }
}

/// A condition that does not hold.
pub(crate) const fn fails(reason: ConditionReason) -> Condition {
    Condition { holds: false, reason }
}
