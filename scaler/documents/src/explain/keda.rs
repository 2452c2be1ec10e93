//! A `ScaledObject` on assumed values: KEDA's own loop first, then the autoscaler that it generates.

use scaler_engine::Age;
use scaler_engine::keda::{Activation, Activity, TargetSeen, TriggerOutcome, activate};

use super::assume::trigger_metric;
use super::{Assumptions, Explanation, hpa, words};
use crate::keda::{ScaledObjectDocument, TriggerKind};
use crate::subject::Subject;

/// Explains a `ScaledObject`.
pub(super) fn explain(
    object: &ScaledObjectDocument,
    subject: &Subject<'_>,
    assumptions: &Assumptions<'_>,
) -> Explanation {
    let current = assumptions.replicas;
    let mut explanation = hpa::explain(subject, assumptions);
    explanation.rules.splice(0..0, rules(object));
    let state = (assumptions.service)(current.max(1));
    let mut unused = Vec::new();
    let outcomes: Vec<TriggerOutcome> = object
        .triggers
        .iter()
        .filter_map(|trigger| match &trigger.kind {
            TriggerKind::Unsupported(name) => {
                explanation.assumed.push(format!("the trigger of type {name} is left out"));
                None
            }
            TriggerKind::Resource(_) => Some(TriggerOutcome::Resource),
            _ => {
                let metric = trigger_metric(trigger, assumptions, &state, &mut unused);
                Some(if metric.active { TriggerOutcome::Active } else { TriggerOutcome::Inactive })
            }
        })
        .collect();
    let activity = Activity::of(&outcomes);
    explanation
        .assumed
        .push("the object was created long ago, and no trigger was active within the cooldown".into());
    let seen = TargetSeen {
        current_replicas: current,
        active: activity.active,
        error: activity.error,
        last_active_age: None,
        creation_age: Age::from_seconds(1e9),
    };
    let activation = activate(&object.activation, &seen);
    let sentence = activation_sentence(object, &activation, activity, current);
    explanation.steps.insert(0, sentence.clone());
    if let Some(count) = object.paused_replicas {
        settle(
            &mut explanation,
            count,
            format!("the annotation paused-replicas holds it at {count}"),
            Some("Paused"),
        );
    } else if object.activation.paused {
        settle(&mut explanation, current, "the annotation paused holds everything".into(), Some("Paused"));
    } else if let Some(count) = activation.set_replicas {
        let chain = hpa::chain(subject, assumptions, count);
        settle(&mut explanation, count, sentence, None);
        if count > 0 && activity.active {
            explanation.chain = chain;
        }
    } else if current == 0 {
        settle(&mut explanation, 0, sentence, None);
    }
    explanation
}

/// Replaces the autoscaler's decision by one that comes before it.
fn settle(explanation: &mut Explanation, count: u32, reason: String, limited_by: Option<&str>) {
    explanation.desired = count;
    explanation.reason = reason;
    explanation.limited_by = limited_by.map(str::to_owned);
    explanation.chain = super::Chain { steps: Vec::new(), settles_at: Some(count) };
}

fn rules(object: &ScaledObjectDocument) -> Vec<String> {
    let min = object.object.min_replicas.unwrap_or(0);
    let mut rules = Vec::new();
    if min == 0 || object.object.idle_replicas.is_some() {
        let low = object.object.idle_replicas.unwrap_or(0);
        rules.push(format!(
            "KEDA itself, every {}: a trigger that is active brings {low} to {}, and {} without one bring it back to {low}",
            words::span(object.polling_interval),
            words::replicas(min.max(1)),
            words::span(object.activation.cooldown),
        ));
    } else {
        rules.push(format!("KEDA itself has nothing to do above its minimum of {min}: the autoscaler that it generates decides"));
    }
    if let Some(fallback) = &object.fallback {
        rules.push(format!(
            "after more than {} failed queries in a row, a trigger asks for {} replicas",
            fallback.failure_threshold, fallback.replicas
        ));
    }
    rules
}

fn activation_sentence(
    object: &ScaledObjectDocument,
    activation: &Activation,
    activity: Activity,
    current: u32,
) -> String {
    let active = if activity.active { "a trigger is active" } else { "no trigger is active" };
    match activation.set_replicas {
        Some(count) if count > current => format!("{active}: KEDA brings {current} to {count}"),
        Some(count) => format!(
            "{active} for longer than the cooldown of {}: KEDA brings {current} to {count}",
            words::span(object.activation.cooldown)
        ),
        None if current == 0 => format!("{active}: KEDA leaves 0 as it is"),
        None => format!("{active}: KEDA leaves {current} to the autoscaler"),
    }
}
