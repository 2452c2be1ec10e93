//! Drives both loops of a `ScaledObject`: activation between zero and the minimum, and from there the autoscaler that is
//! generated.
//!
//! Each loop has its own interval. Where both are due at one check, activation comes first; if it asks for a count, the
//! autoscaler waits for the next check.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::decision::{Action, Decision};
use crate::limits::Limits;
use crate::need::Need;
use crate::observation::Observation;
use crate::policy::age::Age;
use crate::policy::hpa::inputs::Inputs;
use crate::policy::hpa::{ControllerSettings, HpaPolicy, HpaSpec, MetricAnswer, SelectPolicy};
use crate::policy::keda::history::{Activating, ScaledObjectHistory};
use crate::policy::keda::queries::{self, Queried};
use crate::policy::keda::reason::ScaledObjectReason;
use crate::policy::keda::{
    Activation, ActivationSettings, Activity, Readiness, ScaledObjectSpec, TargetSeen, TriggerOutcome,
    activate, rules, shown,
};
use crate::policy::{
    ConditionShown, Miscount, Policy, PolicyError, PolicyEvent, Proposal, Scaled, Setting, Situation,
};
use crate::reason::Cause;

/// A `ScaledObject` that drives the loop, with what it remembers.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledObjectPolicy {
    spec: Box<ScaledObjectSpec>,
    settings: ControllerSettings,
    /// The generated autoscaler's bounds, which begin at 1.
    hpa_limits: Limits,
    limits: Limits,
    check_interval: Duration,
    /// The generated autoscaler. Its history is kept in `history` while it is not asked.
    hpa: Box<HpaPolicy>,
    /// Boxed as the two others are, so that the common type of all kinds stays small.
    history: Box<ScaledObjectHistory>,
}

impl ScaledObjectPolicy {
    /// The kind as documents name it.
    pub const KIND: &'static str = "ScaledObject";

    /// Checks a `ScaledObject` and generates its autoscaler, which follows `settings`; it remembers nothing yet.
    ///
    /// # Errors
    /// Names the first field that the loop cannot follow, with its value, what was expected, and a hint.
    pub fn new(mut spec: ScaledObjectSpec, settings: ControllerSettings) -> Result<Self, PolicyError> {
        spec.activation.min_replicas = spec.min_replicas;
        spec.activation.fallback_replicas = spec.fallback.map(|fallback| fallback.replicas);
        let rules::Checked { mut hpa, limits, check_interval } = rules::check(&spec, &settings)?;
        pause_directions(&mut hpa, &spec.activation);
        let hpa = Box::new(HpaPolicy::new(hpa, settings)?);
        let hpa_limits = hpa.limits();
        let (spec, history) = (Box::new(spec), Box::default());
        Ok(Self { spec, settings, hpa_limits, limits, check_interval, hpa, history })
    }

    /// What it is told to do.
    pub fn spec(&self) -> &ScaledObjectSpec {
        &self.spec
    }

    /// The autoscaler that it generates.
    pub fn generated(&self) -> &HpaSpec {
        self.hpa.spec()
    }

    /// The bounds of the autoscaler, where those in force may have been replaced.
    fn hpa_limits_within(&self, limits: Limits) -> Limits {
        if limits == self.limits {
            return self.hpa_limits;
        }
        let min = limits.min().max(1);
        Limits::new(min, limits.max().max(min)).unwrap_or(self.hpa_limits)
    }

    fn activation_within(&self, limits: Limits) -> ActivationSettings {
        if limits == self.limits {
            return self.spec.activation;
        }
        let idle_replicas = self.spec.activation.idle_replicas.filter(|&idle| limits.contains(idle));
        ActivationSettings { min_replicas: Some(limits.min()), idle_replicas, ..self.spec.activation }
    }

    /// One pass of activation: the count that it asks for, and why, or why it asks for none.
    fn poll(&mut self, situation: &Situation<'_>) -> (Option<u32>, ScaledObjectReason) {
        let (seen, current) = (situation.seen, situation.desired);
        let settings = self.activation_within(situation.limits);
        let queried = self.query(seen, current);
        let outcomes: Vec<TriggerOutcome> = queried.iter().map(|queried| queried.outcome).collect();
        let activity = Activity::of(&outcomes);
        self.history.polled = queried.iter().map(Queried::exported_milli).collect();
        self.history.in_fallback = outcomes.contains(&TriggerOutcome::InFallback);
        self.history.trigger_error = self.first_failure(&queried);
        let created_at = self.history.created_at.unwrap_or(seen.at);
        let target = TargetSeen {
            current_replicas: current,
            active: activity.active,
            error: activity.error,
            last_active_age: self.history.last_active_at.map(|active| Age::between(seen.at, active)),
            creation_age: Age::between(seen.at, created_at),
        };
        let Activation { set_replicas, active, refresh_last_active, ready } = activate(&settings, &target);
        self.history.active = Some(active);
        self.note_readiness(seen.at, ready);
        let to = set_replicas.filter(|&to| to != current);
        match to {
            Some(to) => self.history.activating = Some(Activating { from: current, to, refresh_last_active }),
            None if refresh_last_active => self.history.last_active_at = Some(seen.at),
            None => {}
        }
        (to, self.reason_of(&outcomes, active, to, current, &settings))
    }

    /// Asks the triggers, as either loop does.
    fn query(&mut self, seen: &Observation, current: u32) -> Vec<Queried> {
        let Self { spec, history, .. } = self;
        queries::ask(&spec.triggers, spec.fallback.as_ref(), &mut history.failures, seen, current)
    }

    fn first_failure(&self, queried: &[Queried]) -> Option<String> {
        let mut with_names = self.spec.triggers.iter().zip(queried);
        with_names.find_map(|(trigger, queried)| match (&queried.outcome, &queried.answer) {
            (TriggerOutcome::Failed, MetricAnswer::Failed(why)) => {
                Some(alloc::format!("{}: {why}", trigger.trigger.name))
            }
            _ => None,
        })
    }

    fn note_readiness(&mut self, now: Duration, ready: Readiness) {
        if let Some(error) = &self.history.trigger_error {
            self.history.hpa.events.warn(now, "KEDAScalerFailed", error.clone());
        }
        self.history.ready = ready;
    }

    fn reason_of(
        &self,
        outcomes: &[TriggerOutcome],
        active: bool,
        to: Option<u32>,
        current: u32,
        settings: &ActivationSettings,
    ) -> ScaledObjectReason {
        match (to, &self.history.trigger_error) {
            (Some(_), _) if active => {
                let is_active = |outcome: &TriggerOutcome| {
                    matches!(outcome, TriggerOutcome::Active | TriggerOutcome::InFallback)
                };
                let at = outcomes.iter().position(is_active);
                let trigger = at.and_then(|at| self.spec.triggers.get(at));
                ScaledObjectReason::KedaActivated {
                    trigger: trigger.map(|polled| polled.trigger.name.clone()),
                }
            }
            (Some(to), _) if to > current => ScaledObjectReason::KedaBelowMinimum { min: to },
            (Some(_), _) => ScaledObjectReason::KedaDeactivated { cooldown: settings.cooldown },
            (None, Some(error)) => ScaledObjectReason::KedaTriggerError { error: error.clone() },
            (None, None) => ScaledObjectReason::KedaInactive,
        }
    }

    /// One pass of the generated autoscaler.
    fn sync(&mut self, situation: &Situation<'_>) -> Proposal {
        let (seen, current) = (situation.seen, situation.desired);
        let mut inputs = Inputs::read(&self.hpa.spec().metrics, seen);
        // An autoscaler at zero asks for nothing.
        let failures = self.history.failures.clone();
        let queried = if current == 0 { Vec::new() } else { self.query(seen, current) };
        for (at, queried) in queried.into_iter().enumerate() {
            let Some(answer) = inputs.answers.get_mut(at) else { continue };
            match (queried.outcome, self.cached(at)) {
                (TriggerOutcome::Resource, _) => {}
                (_, Some(polled)) => {
                    *answer = MetricAnswer::External([polled].into());
                    // What was polled is taken without another query, which could fail.
                    if let (Some(now), Some(before)) = (self.history.failures.get_mut(at), failures.get(at)) {
                        *now = *before;
                    }
                }
                (_, None) => *answer = queried.answer,
            }
        }
        let limits = self.hpa_limits_within(situation.limits);
        self.with_hpa(|hpa| hpa.pass(&Situation { limits, ..*situation }, &inputs))
    }

    /// The value of the last polling, for a trigger that hands it on.
    fn cached(&self, at: usize) -> Option<i64> {
        let trigger = self.spec.triggers.get(at)?;
        self.history.polled.get(at).copied().flatten().filter(|_| trigger.uses_cached_metrics)
    }

    /// Does something with the autoscaler and its history, which is kept beside that of activation.
    fn with_hpa<Outcome>(&mut self, act: impl FnOnce(&mut HpaPolicy) -> Outcome) -> Outcome {
        self.hpa.swap_history(&mut self.history.hpa);
        let outcome = act(&mut self.hpa);
        self.hpa.swap_history(&mut self.history.hpa);
        outcome
    }

    fn is_paused(&self) -> bool {
        self.spec.activation.paused || self.spec.paused_replicas.is_some()
    }

    fn paused(&self, situation: &Situation<'_>) -> Proposal {
        let to = self.spec.paused_replicas.unwrap_or(situation.desired);
        Proposal { to, reason: ScaledObjectReason::KedaPaused.into(), limited_by: None }
    }

    /// What became of a count that activation asked for and of which nothing was heard.
    fn settle(&mut self, current: u32, now: Duration) {
        let Some(activating) = self.history.activating.take() else { return };
        if activating.to == current {
            self.activated(activating, current, now);
        } else {
            let message = alloc::format!("to {} replicas: not carried out", activating.to);
            self.history.hpa.events.warn(now, "KEDAScaleTargetFailed", message);
        }
    }

    fn activated(&mut self, activating: Activating, reached: u32, at: Duration) {
        if activating.refresh_last_active {
            self.history.last_active_at = Some(at);
        }
        let (reason, verb) = if reached > activating.from {
            ("KEDAScaleTargetActivated", "scaled")
        } else {
            ("KEDAScaleTargetDeactivated", "deactivated")
        };
        let message = alloc::format!("{verb} from {} to {reached}", activating.from);
        self.history.hpa.events.tell(at, reason, message);
    }
}

/// An annotation that pauses a direction disables it in the generated autoscaler too.
fn pause_directions(hpa: &mut HpaSpec, activation: &ActivationSettings) {
    if !activation.paused_scale_in && !activation.paused_scale_out {
        return;
    }
    let behavior = hpa.behavior.get_or_insert_default();
    if activation.paused_scale_in {
        behavior.scale_down.get_or_insert_default().select_policy = Some(SelectPolicy::Disabled);
    }
    if activation.paused_scale_out {
        behavior.scale_up.get_or_insert_default().select_policy = Some(SelectPolicy::Disabled);
    }
}

/// Whether something is due, and if so, when next.
fn take_due(next: &mut Option<Duration>, now: Duration, interval: Duration) -> bool {
    let due = match *next {
        // The clock was set back further than a pass lies ahead.
        Some(at) if at > now.saturating_add(interval) => now,
        Some(at) if at > now => return false,
        Some(at) => at,
        None => now,
    };
    let late = now.saturating_sub(due);
    let begun = if late < interval { due } else { now };
    *next = Some(begun.saturating_add(interval));
    true
}

impl Policy for ScaledObjectPolicy {
    type History = ScaledObjectHistory;

    fn kind(&self) -> &'static str {
        Self::KIND
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    /// The longest interval of which both loops' are multiples.
    fn check_interval(&self) -> Duration {
        self.check_interval
    }

    fn needs(&self) -> Vec<Need> {
        let of_resources =
            self.hpa.needs().into_iter().filter(|need| need.scope == crate::Scope::EachReplica);
        self.spec.triggers.iter().filter_map(queries::need_of).chain(of_resources).collect()
    }

    fn propose(&mut self, situation: &Situation<'_>) -> Proposal {
        let (seen, current) = (situation.seen, situation.desired);
        self.history.created_at.get_or_insert(seen.at);
        if self.is_paused() {
            return self.paused(situation);
        }
        self.settle(current, seen.at);
        let mut of_activation = None;
        if take_due(&mut self.history.next_poll_at, seen.at, self.spec.polling_interval) {
            let (to, reason) = self.poll(situation);
            if let Some(to) = to {
                let limited_by = None;
                return Proposal { to, reason: reason.into(), limited_by };
            }
            of_activation = Some(reason);
        }
        if take_due(&mut self.history.next_sync_at, seen.at, self.settings.sync_period) {
            let proposal = self.sync(situation);
            if current > 0 {
                return proposal;
            }
        }
        let reason = of_activation.unwrap_or_else(|| {
            let nexts = [self.history.next_poll_at, self.history.next_sync_at];
            let next = nexts.into_iter().flatten().min().unwrap_or(seen.at);
            ScaledObjectReason::KedaNotDue { due_in: next.saturating_sub(seen.at) }
        });
        Proposal::hold(situation, reason.into(), None)
    }

    fn miscount(&self) -> Miscount {
        Miscount::Follow
    }

    fn can_leave_zero(&self) -> bool {
        rules::can_leave_zero(&self.spec)
    }

    fn on_scaled(&mut self, action: &Scaled) {
        match (action.cause, self.history.activating.take()) {
            (Cause::Policy, Some(activating)) => self.activated(activating, action.to, action.at),
            (Cause::Restoration | Cause::Unknown, activating) => self.history.activating = activating,
            _ => self.with_hpa(|hpa| hpa.on_scaled(action)),
        }
    }

    /// A trigger that failed without a fallback removes no replica.
    fn broken_rule(
        &self,
        decision: &Decision,
        seen: &Observation,
        last_action_at: Option<Duration>,
    ) -> Option<&'static str> {
        let has_failed = decision.reason.code() == "keda_trigger_error" && decision.action == Action::Down;
        if has_failed {
            return Some("a trigger that failed removes no replica");
        }
        self.hpa.broken_rule(decision, seen, last_action_at)
    }

    fn history(&self) -> ScaledObjectHistory {
        (*self.history).clone()
    }

    fn restore(&mut self, history: ScaledObjectHistory) -> Result<(), ScaledObjectHistory> {
        *self.history = history;
        Ok(())
    }

    /// Times of activity and the autoscaler's memory belong to the object, whatever becomes of its document; failures are
    /// counted for each trigger.
    fn take_over(&mut self, before: &Self) -> bool {
        self.history.clone_from(&before.history);
        if self.spec.triggers != before.spec.triggers {
            self.history.failures.clear();
            self.history.polled.clear();
        }
        true
    }

    fn settings_shown(&self) -> Vec<Setting> {
        shown::settings(&self.spec, self.hpa.spec(), &self.settings)
    }

    fn conditions(&self) -> Vec<ConditionShown> {
        let mut conditions = shown::conditions(&self.history, self.is_paused());
        conditions.extend(self.history.hpa.conditions());
        conditions
    }

    fn events(&self) -> Vec<PolicyEvent> {
        self.history.hpa.events.events().to_vec()
    }
}

#[cfg(test)]
mod tests;
