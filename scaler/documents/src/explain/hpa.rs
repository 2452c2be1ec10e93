//! One pass of an autoscaler on assumed values, in words, and the passes after it.

use std::time::Duration;

use scaler_engine::hpa::{
    ConditionReason, HpaState, MetricError, MetricTarget, Proposal, Reconciliation, Scale, Seen, Selector,
    reconcile,
};

use super::assume::{answers, pods};
use super::{Assumptions, Chain, ExplainedMetric, Explanation, rules, words};
use crate::quantity::{quantity_of_milli, trimmed};
use crate::subject::{Subject, SubjectMetric};

/// Explains a `HorizontalPodAutoscaler`.
pub(super) fn explain(subject: &Subject<'_>, assumptions: &Assumptions<'_>) -> Explanation {
    let current = assumptions.replicas;
    let mut assumed = vec![format!("{} ready for long, all of them measured", words::replicas(current))];
    let mut state = HpaState::default();
    let first = assumptions.controller.sync_period;
    let outcome = pass(subject, assumptions, &mut state, first, current, &mut assumed);
    let desired = outcome.rescale.map_or(current, |rescale| rescale.to);
    let metrics: Vec<ExplainedMetric> = explained(subject, &outcome, assumptions, current);
    let limited_by = limit(&state, &outcome);
    let reason = reason(subject, &outcome, &metrics, limited_by, current, desired, assumptions);
    let mut steps: Vec<String> = metrics.iter().map(|metric| metric.words.clone()).collect();
    if let Some(best) = outcome.decisive.and_then(|at| metrics.get(at)).filter(|_| metrics.len() > 1) {
        steps.push(format!("{} asks for most and decides", best.name));
    }
    steps.push(reason.clone());
    Explanation {
        kind: subject.kind.to_owned(),
        name: subject.header.name.clone(),
        current,
        desired,
        reason,
        limited_by: limited_by.map(|reason| reason.to_string()),
        rules: rules::of(subject, assumptions),
        metrics,
        steps,
        chain: chain(subject, assumptions, current),
        assumed,
    }
}

/// One pass; a rescale is carried out at once.
fn pass(
    subject: &Subject<'_>,
    assumptions: &Assumptions<'_>,
    state: &mut HpaState,
    now: Duration,
    count: u32,
    assumed: &mut Vec<String>,
) -> Reconciliation {
    let pods = pods(subject, assumptions, count, assumed);
    let answers = answers(subject, assumptions, count, &pods, assumed);
    let scale = Scale { spec_replicas: count, status_replicas: count, selector: Selector::Ok };
    let seen = Seen { now, scale: Some(scale), pods: &pods, answers: &answers };
    let outcome = reconcile(&subject.spec, &assumptions.controller, state, &seen);
    // The conditions that explain the pass are those from before the write.
    let conditions = state.conditions;
    outcome.rescaled(&subject.spec, &assumptions.controller, state, now);
    state.conditions.able_to_scale = conditions.able_to_scale;
    outcome
}

/// The passes from now on.
pub(super) fn chain(subject: &Subject<'_>, assumptions: &Assumptions<'_>, start: u32) -> Chain {
    let mut state = HpaState::default();
    Chain::follow(start, assumptions.controller.sync_period, |now, count| {
        let outcome = pass(subject, assumptions, &mut state, now, count, &mut Vec::new());
        outcome.rescale.map_or(count, |rescale| rescale.to)
    })
}

/// What kept the pass from what its metrics ask for.
fn limit(state: &HpaState, outcome: &Reconciliation) -> Option<ConditionReason> {
    if outcome.metrics.is_empty() {
        // Bounds come before metrics, and no condition tells of them.
        return outcome.rescale.map(|rescale| {
            if rescale.to < rescale.from {
                ConditionReason::TooManyReplicas
            } else {
                ConditionReason::TooFewReplicas
            }
        });
    }
    let limited = state
        .conditions
        .scaling_limited
        .filter(|condition| condition.holds)
        .map(|condition| condition.reason);
    let stabilized = state.conditions.able_to_scale.map(|condition| condition.reason).filter(|reason| {
        matches!(reason, ConditionReason::ScaleDownStabilized | ConditionReason::ScaleUpStabilized)
    });
    limited.or(stabilized)
}

/// Each metric with its part of the calculation.
pub(super) fn explained(
    subject: &Subject<'_>,
    outcome: &Reconciliation,
    assumptions: &Assumptions<'_>,
    current: u32,
) -> Vec<ExplainedMetric> {
    let of = |(at, metric): (usize, &SubjectMetric<'_>)| {
        let (target, target_type) = match metric.metric.target {
            Some(MetricTarget::Utilization { percent }) => (f64::from(percent), "Utilization"),
            Some(MetricTarget::AverageValue { milli }) => (milli as f64 / 1_000.0, "AverageValue"),
            Some(MetricTarget::Value { milli }) => (milli as f64 / 1_000.0, "Value"),
            None => (0.0, "none"),
        };
        let mut explained = ExplainedMetric {
            name: metric.name().to_owned(),
            source: rules::source(metric),
            target,
            target_type,
            ..ExplainedMetric::default()
        };
        match outcome.metrics.get(at) {
            Some(Ok(proposal)) => calculate(&mut explained, metric, *proposal, subject, assumptions, current),
            Some(Err(error)) => fail(&mut explained, error),
            None => explained.words = format!("{} is not looked at: the bounds come first", explained.name),
        }
        explained
    };
    subject.metrics.iter().enumerate().map(of).collect()
}

fn fail(explained: &mut ExplainedMetric, error: &MetricError) {
    explained.words = format!("{} fails: {error}", explained.name);
    explained.error = Some(error.to_string());
}

/// The worked example of one metric.
fn calculate(
    explained: &mut ExplainedMetric,
    metric: &SubjectMetric<'_>,
    proposal: Proposal,
    subject: &Subject<'_>,
    assumptions: &Assumptions<'_>,
    current: u32,
) {
    let reported = proposal.reported;
    let is_per_pod = metric.resource().is_some()
        || matches!(metric.metric.source, scaler_engine::hpa::MetricSource::Pods(_));
    // An average over pods of a metric that is a total: the API reports it divided and rounded.
    let (value, compared) = match (metric.metric.target, reported.utilization_percent, reported.usage_milli) {
        (Some(MetricTarget::Utilization { percent }), Some(used), _) => {
            (f64::from(used), format!("{used} % ÷ {percent} %"))
        }
        (_, _, Some(milli)) => {
            let shown = match metric.resource() {
                Some((resource, _)) => words::amount(resource, milli),
                None => quantity_of_milli(milli),
            };
            (milli as f64 / 1_000.0, format!("{shown} ÷ {}", rules::target(metric)))
        }
        _ => (0.0, String::new()),
    };
    let ratio = value / explained.target;
    explained.value = Some(value);
    explained.ratio = Some(ratio).filter(|ratio| ratio.is_finite());
    explained.proposed = Some(proposal.replicas.into());
    let tolerances = assumptions.controller.tolerances(subject.spec.behavior.as_ref());
    let counted = match explained.source.as_str() {
        "External" | "Object" if !is_per_pod && explained.target_type == "AverageValue" => {
            "the mean over the pods"
        }
        _ if is_per_pod => "the mean of the pods",
        _ => "the metric",
    };
    let outcome = if current > 0 && tolerances.contains(ratio) {
        let (low, high) = (1.0 - tolerances.down, 1.0 + tolerances.up);
        format!("within {} to {}, so it stays at {}", trimmed(low), trimmed(high), proposal.replicas)
    } else if current == 0 {
        format!("from zero it asks for {}", proposal.replicas)
    } else {
        format!(
            "{} × {current} = {}, rounded up to {}",
            trimmed(ratio),
            trimmed(ratio * f64::from(current)),
            proposal.replicas
        )
    };
    explained.words = format!("{}: {counted} is {compared} = {}: {outcome}", explained.name, trimmed(ratio));
}

/// The decision in one sentence.
fn reason(
    subject: &Subject<'_>,
    outcome: &Reconciliation,
    metrics: &[ExplainedMetric],
    limited_by: Option<ConditionReason>,
    current: u32,
    desired: u32,
    assumptions: &Assumptions<'_>,
) -> String {
    let spec = &subject.spec;
    let change = if desired == current {
        format!("stays at {current}")
    } else {
        format!("goes from {current} to {desired}")
    };
    let proposed = outcome.decisive.and_then(|at| metrics.get(at)).and_then(|metric| metric.proposed);
    let held = |what: &str| match proposed {
        Some(proposed) => format!("its metrics ask for {proposed}, but {what}: it {change}"),
        None => format!("{what}: it {change}"),
    };
    match limited_by {
        Some(ConditionReason::TooManyReplicas) => held(&format!("the maximum is {}", spec.max_replicas)),
        Some(ConditionReason::TooFewReplicas) => held(&format!("the minimum is {}", spec.min_replicas)),
        Some(ConditionReason::ScaleUpLimit) => held("the rate of scaling up allows no more in this pass"),
        Some(ConditionReason::ScaleDownLimit) => held("the rate of scaling down allows no more in this pass"),
        Some(ConditionReason::ScaleDownStabilized) => {
            let window = spec
                .behavior
                .as_ref()
                .and_then(|behavior| behavior.complete_scale_down().stabilization_window);
            let window = window.unwrap_or(assumptions.controller.downscale_stabilization);
            held(&format!("the highest recommendation of the last {} holds", words::span(window)))
        }
        Some(ConditionReason::ScaleUpStabilized) => held("the scale-up window holds a lower recommendation"),
        _ if current == 0 && outcome.metrics.is_empty() => {
            "at zero replicas, where it was not brought by itself, it does nothing".to_owned()
        }
        _ => match (&outcome.error, proposed) {
            (Some(error), None) => format!("{error}: it {change}"),
            (Some(error), Some(_)) if desired == current => {
                format!("{error}, so nothing is removed: it {change}")
            }
            (_, Some(proposed)) => format!("its metrics ask for {proposed}: it {change}"),
            (_, None) => format!("it {change}"),
        },
    }
}
