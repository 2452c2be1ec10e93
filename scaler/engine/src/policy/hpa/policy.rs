//! Drives the pass of the controller from the loop: an observation goes in, a proposal with its reason comes out.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use crate::decision::{Action, Decision, Limit};
use crate::limits::Limits;
use crate::need::Need;
use crate::observation::Observation;
use crate::policy::hpa::history::{HpaHistory, PendingRescale};
use crate::policy::hpa::inputs::{Inputs, need_of};
use crate::policy::hpa::reason::{HpaReason, JudgedMetric, metric_text};
use crate::policy::hpa::shown::settings_shown;
use crate::policy::hpa::{
    ConditionReason, ControllerSettings, HpaSpec, Metric, Reconciliation, Rescale, Scale, Seen, Selector,
    reconcile, rules,
};
use crate::policy::{
    ConditionShown, Miscount, Policy, PolicyError, PolicyEvent, Proposal, Scaled, Setting, Situation,
};
use crate::reason::{Cause, Reason};

/// A `HorizontalPodAutoscaler` that drives the loop, with what it remembers.
///
/// The engine keeps its limits and its cadence; windows, rates and tolerances are those of Kubernetes, and no cooldown is
/// added. Each replica is a pod with one container, which answers to any name; its requests are those of the pod.
#[derive(Clone, Debug, PartialEq)]
pub struct HpaPolicy {
    spec: HpaSpec,
    settings: ControllerSettings,
    limits: Limits,
    /// Boxed, so that the common type of all kinds stays small.
    history: Box<HpaHistory>,
}

impl HpaPolicy {
    /// The kind as documents name it.
    pub const KIND: &'static str = "HorizontalPodAutoscaler";

    /// Checks an autoscaler under the settings of its controller manager; it remembers nothing yet. Without any metric it
    /// gets the one that the API server gives it, [`Metric::DEFAULT`].
    ///
    /// # Errors
    /// Names the first field that the loop cannot follow, with its value, what was expected, and a hint.
    pub fn new(mut spec: HpaSpec, settings: ControllerSettings) -> Result<Self, PolicyError> {
        if spec.metrics.is_empty() {
            spec.metrics.push(Metric::DEFAULT);
        }
        let limits = rules::check(&spec, &settings)?;
        Ok(Self { spec, settings, limits, history: Box::default() })
    }

    /// Exchanges what it remembers; for a policy that keeps it beside its own.
    pub(crate) fn swap_history(&mut self, history: &mut HpaHistory) {
        core::mem::swap(&mut *self.history, history);
    }

    /// What it is told to do.
    pub const fn spec(&self) -> &HpaSpec {
        &self.spec
    }

    /// The settings of its controller manager.
    pub const fn settings(&self) -> &ControllerSettings {
        &self.settings
    }

    /// The autoscaler with the limits in force, which may have been replaced.
    fn spec_within(&self, limits: Limits) -> Cow<'_, HpaSpec> {
        if (self.spec.min_replicas, self.spec.max_replicas) == (limits.min(), limits.max()) {
            return Cow::Borrowed(&self.spec);
        }
        let spec = HpaSpec { min_replicas: limits.min(), max_replicas: limits.max(), ..self.spec.clone() };
        Cow::Owned(spec)
    }

    /// One pass over `inputs`, which hold the pods and an answer for each metric.
    pub(crate) fn pass(&mut self, situation: &Situation<'_>, inputs: &Inputs) -> Proposal {
        let (seen, current) = (situation.seen, situation.desired);
        self.settle(current, seen.at);
        let spec = self.spec_within(situation.limits).into_owned();
        let scale = Scale { spec_replicas: current, status_replicas: seen.current, selector: Selector::Ok };
        let pass = Seen { now: seen.at, scale: Some(scale), pods: &inputs.pods, answers: &inputs.answers };
        let outcome = reconcile(&spec, &self.settings, &mut self.history.state, &pass);
        self.history.note_errors(seen.at, &spec, &outcome);
        let (reason, limited_by) = self.explain(&spec, current, &outcome);
        match outcome.rescale {
            Some(rescale) => {
                let message = rescale_message(&spec, rescale, &outcome);
                let min_replicas = spec.min_replicas;
                self.history.pending = Some(PendingRescale { rescale, min_replicas, message });
                Proposal { to: rescale.to, reason: reason.into(), limited_by }
            }
            None => Proposal { to: current, reason: reason.into(), limited_by },
        }
    }

    /// What became of the last rescale, of which nothing was heard: the count is there all the same, or it failed.
    fn settle(&mut self, current: u32, now: Duration) {
        let Some(pending) = self.history.pending.take() else { return };
        if pending.rescale.to == current {
            self.complete(pending, current, now);
        } else {
            Reconciliation::of_rescale(pending.rescale).rescale_failed(&mut self.history.state);
            let message = format!(
                "New size: {}; reason: {}; error: not carried out",
                pending.rescale.to, pending.message
            );
            self.history.events.warn(now, "FailedRescale", message);
        }
    }

    fn complete(&mut self, pending: PendingRescale, reached: u32, at: Duration) {
        let PendingRescale { rescale, min_replicas, message } = pending;
        let outcome = Reconciliation::of_rescale(Rescale { to: reached, ..rescale });
        let spec = HpaSpec { min_replicas, ..self.spec.clone() };
        outcome.rescaled(&spec, &self.settings, &mut self.history.state, at);
        self.history.events.tell(at, "SuccessfulRescale", format!("New size: {reached}; reason: {message}"));
    }

    /// Why the pass came out as it did, and what kept it from what the metrics ask for.
    fn explain(&self, spec: &HpaSpec, current: u32, outcome: &Reconciliation) -> (HpaReason, Option<Limit>) {
        let Some(applied) = outcome.applied else {
            return (self.unmeasured(spec, current, outcome), bound_limit(current, outcome.rescale));
        };
        let judged = outcome.decisive.and_then(|at| {
            let proposal = outcome.metrics.get(at)?.as_ref().ok()?;
            Some(JudgedMetric::new(spec.metrics.get(at)?, proposal))
        });
        let metric = judged.unwrap_or_default();
        let wanted = applied.wanted;
        let to = outcome.rescale.map_or(current, |rescale| rescale.to);
        let limited_by = match applied.limited.reason {
            _ if to == wanted => None,
            ConditionReason::TooFewReplicas => Some(Limit::Minimum),
            ConditionReason::TooManyReplicas => Some(Limit::Maximum),
            ConditionReason::ScaleUpLimit | ConditionReason::ScaleDownLimit => Some(Limit::Rate),
            _ => Some(Limit::Stabilization),
        };
        let reason = if wanted == current && to == current {
            HpaReason::HpaOnTarget { metric }
        } else if to > current && wanted > current {
            HpaReason::HpaAboveTarget { metric, wanted }
        } else if to < current && wanted < current {
            HpaReason::HpaBelowTarget { metric, wanted }
        } else if applied.stabilized != wanted {
            HpaReason::HpaStabilized { metric, wanted, stabilized: applied.stabilized }
        } else {
            HpaReason::HpaLimited { metric, wanted, limit: applied.limited.reason }
        };
        (reason, limited_by)
    }

    /// The reason of a pass that no metric decided.
    fn unmeasured(&self, spec: &HpaSpec, current: u32, outcome: &Reconciliation) -> HpaReason {
        if let Some(Rescale { to, .. }) = outcome.rescale {
            return HpaReason::HpaOutsideBounds { current, bound: to };
        }
        let failed = outcome.error.as_ref().map(ToString::to_string);
        match (failed, self.history.state.conditions.scaling_active) {
            (Some(error), active) => {
                let reason = active.map_or(ConditionReason::FailedGetScale, |condition| condition.reason);
                HpaReason::HpaFailed { reason, error: self.history.named(spec, outcome).unwrap_or(error) }
            }
            (None, _) => HpaReason::HpaDisabled,
        }
    }
}

fn bound_limit(current: u32, rescale: Option<Rescale>) -> Option<Limit> {
    rescale.map(|rescale| if rescale.to > current { Limit::Minimum } else { Limit::Maximum })
}

/// Why the count changes, as the event of a rescale says it.
fn rescale_message(spec: &HpaSpec, rescale: Rescale, outcome: &Reconciliation) -> String {
    let Rescale { from, to } = rescale;
    match outcome.decisive.and_then(|at| spec.metrics.get(at)) {
        None if to > from => "Current number of replicas below Spec.MinReplicas".into(),
        None => "Current number of replicas above Spec.MaxReplicas".into(),
        Some(metric) if to > from => format!("{} above target", metric_text(metric)),
        Some(_) => "All metrics below target".into(),
    }
}

impl Policy for HpaPolicy {
    type History = HpaHistory;

    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn check_interval(&self) -> Duration {
        self.settings.sync_period
    }

    /// One need for each metric, in the order of the document.
    fn needs(&self) -> Vec<Need> {
        self.spec.metrics.iter().filter_map(need_of).collect()
    }

    fn propose(&mut self, situation: &Situation<'_>) -> Proposal {
        let inputs = Inputs::read(&self.spec.metrics, situation.seen);
        self.pass(situation, &inputs)
    }

    fn miscount(&self) -> Miscount {
        Miscount::Follow
    }

    fn can_leave_zero(&self) -> bool {
        rules::can_leave_zero(&self.spec, &self.settings)
    }

    /// What the loop carried out completes the pass that asked for it.
    fn on_scaled(&mut self, action: &Scaled) {
        match action.cause {
            Cause::Policy => {
                if let Some(pending) = self.history.pending.take() {
                    self.complete(pending, action.to, action.at);
                }
            }
            Cause::ByHand | Cause::Elsewhere | Cause::Limits => self.history.pending = None,
            Cause::Restoration | Cause::Unknown => {}
        }
    }

    /// A failed metric removes no replica.
    fn broken_rule(
        &self,
        decision: &Decision,
        _seen: &Observation,
        _last_action_at: Option<Duration>,
    ) -> Option<&'static str> {
        let has_failed = matches!(
            &decision.reason,
            Reason::OfPolicy(crate::PolicyReason::Hpa(HpaReason::HpaFailed { .. } | HpaReason::HpaDisabled))
        );
        (has_failed && decision.action == Action::Down)
            .then_some("an autoscaler whose metrics failed removes no replica")
    }

    fn history(&self) -> HpaHistory {
        (*self.history).clone()
    }

    fn restore(&mut self, history: HpaHistory) -> Result<(), HpaHistory> {
        *self.history = history;
        Ok(())
    }

    /// The controller keeps its memory by the autoscaler's name, whatever becomes of the document.
    fn take_over(&mut self, before: &Self) -> bool {
        self.history.clone_from(&before.history);
        true
    }

    fn settings_shown(&self) -> Vec<Setting> {
        settings_shown(&self.spec, &self.settings)
    }

    fn conditions(&self) -> Vec<ConditionShown> {
        self.history.conditions()
    }

    fn events(&self) -> Vec<PolicyEvent> {
        self.history.events.events().to_vec()
    }
}

#[cfg(test)]
mod tests;
