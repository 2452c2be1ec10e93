//! One pass of the controller over one autoscaler.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::hpa::conditions::{fails, holds};
use crate::policy::hpa::proposal::Evaluation;
use crate::policy::hpa::rate::RecentChanges;
use crate::policy::hpa::{
    ConditionReason, ControllerSettings, HpaSpec, HpaState, Limited, MetricAnswer, MetricError, Pod,
    Proposal, Recommendation, ScaleToZero, limit_with_behavior, limit_without_behavior, propose,
    stabilize_with_behavior, stabilize_without_behavior, store_scale_event,
};
use crate::policy::rounding::to_replicas;

/// The target's scale, as the platform tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// The replicas asked for (`spec.replicas`).
    pub spec_replicas: u32,
    /// The replicas there are (`status.replicas`).
    pub status_replicas: u32,
    /// The selector of the target's pods.
    pub selector: Selector,
}

/// The state of the target's selector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selector {
    /// It selects pods of this target.
    #[default]
    Ok,
    /// There is none.
    Missing,
    /// It cannot be read.
    Invalid,
    /// Another autoscaler selects one of the pods too.
    Ambiguous,
}

/// What a pass sees.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The instant, counted from the origin of the run. It must not run backwards.
    pub now: Duration,
    /// The target's scale; none if it could not be read.
    pub scale: Option<Scale>,
    /// The pods that the selector matches.
    pub pods: &'a [Pod],
    /// The answers for the metrics, in their order; a missing one is an error of its metric.
    pub answers: &'a [MetricAnswer],
}

/// What went wrong in a pass. Other metrics may have scaled nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReconcileError {
    /// The target's scale could not be read.
    #[error("unable to read the scale of the target")]
    NoScale,
    /// The selector is missing, cannot be read, or is not this target's alone.
    #[error("the selector of the target cannot be used: {0:?}")]
    Selector(Selector),
    /// The autoscaler has no metrics.
    #[error("the autoscaler has no metrics")]
    NoMetrics,
    /// A metric failed; the first of them.
    #[error("metric {position} of the autoscaler failed: {error}")]
    Metric {
        /// Its position in the list, from 0.
        position: usize,
        /// Why.
        error: MetricError,
    },
}

/// A new count to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rescale {
    /// The count that is asked for so far.
    pub from: u32,
    /// The count to ask for.
    pub to: u32,
}

/// What windows, rates and bounds made of the count that the metrics ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The count that the metrics ask for.
    pub wanted: u32,
    /// What the windows make of it.
    pub stabilized: u32,
    /// What rates and bounds make of that.
    pub limited: Limited,
}

/// The outcome of a pass.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a rescale is to be written, and its outcome to be told"]
pub struct Reconciliation {
    /// The new count; none leaves the target alone.
    pub rescale: Option<Rescale>,
    /// What went wrong; a rescale by other metrics stands beside it.
    pub error: Option<ReconcileError>,
    /// What each metric asked for, in their order; empty if none was evaluated.
    pub metrics: Vec<Result<Proposal, MetricError>>,
    /// The position of the metric that asked for most; the first of equals.
    pub decisive: Option<usize>,
    /// What became of the count that the metrics ask for; none if they came to no count.
    pub applied: Option<Applied>,
}

impl Reconciliation {
    /// A pass of which nothing but its rescale is left to be completed.
    pub(crate) fn of_rescale(rescale: Rescale) -> Self {
        Self::bounded(rescale.from, rescale.to)
    }

    const fn idle(error: Option<ReconcileError>) -> Self {
        Self { rescale: None, error, metrics: Vec::new(), decisive: None, applied: None }
    }

    fn bounded(from: u32, to: u32) -> Self {
        Self { rescale: Some(Rescale { from, to }), ..Self::idle(None) }
    }

    /// Completes the pass after the new count was written; without a rescale it does nothing.
    ///
    /// Source: `horizontal.go`, `reconcileAutoscaler` and `storeScaleEvent`.
    pub fn rescaled(
        &self,
        spec: &HpaSpec,
        settings: &ControllerSettings,
        state: &mut HpaState,
        now: Duration,
    ) {
        let Some(Rescale { from, to }) = self.rescale else { return };
        state.conditions.able_to_scale = Some(holds(ConditionReason::SucceededRescale));
        if let Some(behavior) = &spec.behavior {
            let (rules, events) = if to > from {
                (behavior.complete_scale_up(), &mut state.scale_up_events)
            } else {
                (behavior.complete_scale_down(), &mut state.scale_down_events)
            };
            store_scale_event(now, to.abs_diff(from), rules.longest_period(), events);
        }
        if settings.scale_to_zero == ScaleToZero::On {
            let went_to_zero = from > 0 && to == 0 && spec.min_replicas == 0 && spec.can_leave_zero();
            state.conditions.scaled_to_zero = if went_to_zero {
                Some(holds(ConditionReason::ScaledToZero))
            } else {
                Some(fails(ConditionReason::NotScaledToZero))
            };
        }
        state.desired_replicas = Some(to);
        state.last_scale_at = Some(now);
    }

    /// Completes the pass after the new count could not be written. No event is stored, and the next pass tries
    /// again.
    ///
    /// Source: `horizontal.go`, `reconcileAutoscaler`.
    pub fn rescale_failed(&self, state: &mut HpaState) {
        if self.rescale.is_some() {
            state.conditions.able_to_scale = Some(fails(ConditionReason::FailedUpdateScale));
        }
    }
}

/// Runs one pass: what the metrics ask for, within windows, rates and bounds.
///
/// Source: `horizontal.go`, `reconcileAutoscaler`.
pub fn reconcile(
    spec: &HpaSpec,
    settings: &ControllerSettings,
    state: &mut HpaState,
    seen: &Seen<'_>,
) -> Reconciliation {
    if settings.scale_to_zero == ScaleToZero::Off {
        state.conditions.scaled_to_zero = None;
    }
    let Some(scale) = seen.scale else {
        state.conditions.able_to_scale = Some(fails(ConditionReason::FailedGetScale));
        return Reconciliation::idle(Some(ReconcileError::NoScale));
    };
    let current = scale.spec_replicas;
    state.conditions.able_to_scale = Some(holds(ConditionReason::SucceededGetScale));
    let initial = Recommendation { replicas: current, at: seen.now };
    state.recommendations.get_or_insert_with(|| [initial].into());

    if current == 0 {
        if !leaves_zero(spec, settings, state) {
            state.conditions.scaling_active = Some(fails(ConditionReason::ScalingDisabled));
            state.desired_replicas = Some(current);
            return Reconciliation::idle(None);
        }
    } else if current > spec.max_replicas {
        // Bounds come before metrics, windows and rates.
        return Reconciliation::bounded(current, spec.max_replicas);
    } else if current < spec.min_replicas {
        return Reconciliation::bounded(current, spec.min_replicas);
    }
    by_metrics(spec, settings, state, seen, scale)
}

/// Whether an autoscaler at zero replicas evaluates its metrics.
///
/// Source: `horizontal.go`, `shouldComputeMetricsForZeroReplicas` (KEP-2021), and before 1.36 `reconcileAutoscaler`.
fn leaves_zero(spec: &HpaSpec, settings: &ControllerSettings, state: &HpaState) -> bool {
    match settings.scale_to_zero {
        ScaleToZero::Before1_36 => spec.min_replicas == 0,
        ScaleToZero::Off => false,
        ScaleToZero::On => {
            let went_there = state.conditions.scaled_to_zero.is_some_and(|condition| condition.holds);
            went_there && (spec.min_replicas != 0 || spec.can_leave_zero())
        }
    }
}

fn by_metrics(
    spec: &HpaSpec,
    settings: &ControllerSettings,
    state: &mut HpaState,
    seen: &Seen<'_>,
    scale: Scale,
) -> Reconciliation {
    let current = scale.spec_replicas;
    let unusable = match scale.selector {
        Selector::Ok => None,
        Selector::Missing | Selector::Invalid => Some(ConditionReason::InvalidSelector),
        Selector::Ambiguous => Some(ConditionReason::AmbiguousSelector),
    };
    if let Some(reason) = unusable {
        state.conditions.scaling_active = Some(fails(reason));
        return Reconciliation::idle(Some(ReconcileError::Selector(scale.selector)));
    }
    let tolerances = settings.tolerances(spec.behavior.as_ref());
    let evaluation = Evaluation::new(seen.pods, current, scale.status_replicas, settings, tolerances);
    let mut outcome = evaluate(spec, seen.answers, &evaluation);
    let proposed =
        outcome.decisive.and_then(|at| outcome.metrics.get(at)?.as_ref().ok()).map(|best| best.replicas);
    let desired = match (proposed, &outcome.error) {
        // A failed metric may have asked for more, so without it the count does not go down.
        (Some(proposed), Some(_)) if i64::from(proposed) < i64::from(current) => None,
        (proposed, _) => proposed,
    };
    let Some(desired) = desired.map(|proposed| to_replicas(i64::from(proposed))) else {
        state.conditions.scaling_active = Some(fails(failure_reason(spec, outcome.error.as_ref())));
        return outcome;
    };
    state.conditions.scaling_active = Some(holds(ConditionReason::ValidMetricFound));

    let normalized = normalize(spec, settings, state, seen.now, current, desired);
    let reason =
        if normalized.stabilized == desired { ConditionReason::ReadyForNewScale } else { normalized.held_by };
    state.conditions.able_to_scale = Some(holds(reason));
    let Normalized { stabilized, limited, .. } = normalized;
    outcome.applied = Some(Applied { wanted: desired, stabilized, limited });
    let Limited { replicas, reason } = limited;
    state.conditions.scaling_limited =
        if replicas == normalized.stabilized { Some(fails(reason)) } else { Some(holds(reason)) };

    // From zero the minimum holds at once, whatever the rates allow.
    let to = if current == 0 { replicas.max(spec.min_replicas) } else { replicas };
    if to == current {
        state.desired_replicas = Some(current);
    } else {
        outcome.rescale = Some(Rescale { from: current, to });
    }
    outcome
}

/// Evaluates all metrics; the largest proposal decides.
///
/// Source: `horizontal.go`, `computeReplicasForMetrics`.
fn evaluate(spec: &HpaSpec, answers: &[MetricAnswer], evaluation: &Evaluation<'_>) -> Reconciliation {
    let mut outcome = Reconciliation::idle(spec.metrics.is_empty().then_some(ReconcileError::NoMetrics));
    let mut most = None;
    for (position, metric) in spec.metrics.iter().enumerate() {
        let proposal = match answers.get(position) {
            Some(answer) => propose(metric, answer, evaluation),
            None => Err(MetricError::Unavailable("the metrics API was not asked".into())),
        };
        match &proposal {
            Ok(proposal) if most.is_none_or(|most| proposal.replicas > most) => {
                most = Some(proposal.replicas);
                outcome.decisive = Some(position);
            }
            Ok(_) => {}
            Err(error) => {
                let error = ReconcileError::Metric { position, error: error.clone() };
                outcome.error.get_or_insert(error);
            }
        }
        outcome.metrics.push(proposal);
    }
    outcome
}

fn failure_reason(spec: &HpaSpec, error: Option<&ReconcileError>) -> ConditionReason {
    let failed = match error {
        Some(ReconcileError::Metric { position, .. }) => spec.metrics.get(*position),
        _ => None,
    };
    failed.map_or(ConditionReason::InvalidMetricSourceType, |metric| {
        MetricError::condition_reason(&metric.source)
    })
}

/// A count after windows, and after rates and bounds.
struct Normalized {
    stabilized: u32,
    /// The reason that stands if the window changed the count.
    held_by: ConditionReason,
    limited: Limited,
}

/// Source: `horizontal.go`, `normalizeDesiredReplicas` and `normalizeDesiredReplicasWithBehaviors`.
fn normalize(
    spec: &HpaSpec,
    settings: &ControllerSettings,
    state: &mut HpaState,
    now: Duration,
    current: u32,
    desired: u32,
) -> Normalized {
    let history = state.recommendations.get_or_insert_default();
    let Some(behavior) = &spec.behavior else {
        let stabilized = stabilize_without_behavior(now, desired, settings.downscale_stabilization, history);
        let limited = limit_without_behavior(current, stabilized, spec.min_replicas, spec.max_replicas);
        return Normalized { stabilized, held_by: ConditionReason::ScaleDownStabilized, limited };
    };
    let (scale_up, scale_down) = (behavior.complete_scale_up(), behavior.complete_scale_down());
    let up_window = scale_up.stabilization_window.unwrap_or_default();
    let down_window = scale_down.stabilization_window.unwrap_or(settings.downscale_stabilization);
    let stabilized = stabilize_with_behavior(now, current, desired, up_window, down_window, history);
    let changes = RecentChanges { now, up: &state.scale_up_events, down: &state.scale_down_events };
    let bounds = (spec.min_replicas, spec.max_replicas);
    let limited = limit_with_behavior(current, stabilized, bounds, &scale_up, &scale_down, &changes);
    let held_by = if desired >= current {
        ConditionReason::ScaleUpStabilized
    } else {
        ConditionReason::ScaleDownStabilized
    };
    Normalized { stabilized, held_by, limited }
}

#[cfg(test)]
mod tests;
