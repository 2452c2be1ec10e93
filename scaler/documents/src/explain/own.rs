//! A policy of the lab's own on assumed values: the engine checks it until it acts, or would have.

use std::time::Duration;

use scaler_engine::{Cause, Engine, Metric, Observation, Policy, SettingValue, Signal};

use super::{Assumptions, Chain, ExplainedMetric, Explanation, ServiceState, words};
use crate::quantity::trimmed;

/// Quantiles of the response time as multiples of its mean.
const QUANTILES: [(&str, f64); 3] = [("_p50_", 1.0), ("_p95_", 2.0), ("_p99_", 3.0)];

/// Checks after which a policy that has not acted will not act.
const CHECKS_MAX: u32 = 100;

/// Explains a policy that the engine follows, on signals that follow from the assumed load.
pub fn explain_own<P: Policy>(name: &str, policy: &P, assumptions: &Assumptions<'_>) -> Explanation {
    let current = assumptions.replicas;
    let mut assumed = vec![format!("{} ready, each of which reports every signal", words::replicas(current))];
    let state = (assumptions.service)(current.max(1));
    let limits = policy.limits();
    let mut rules = vec![format!(
        "between {} and {} replicas, checked every {}",
        limits.min(),
        limits.max(),
        words::span(policy.check_interval())
    )];
    rules.extend(
        policy
            .settings_shown()
            .into_iter()
            .map(|setting| format!("{}: {}", setting.field, value_of(&setting.value))),
    );
    let thresholds = policy.thresholds();
    let mut needs = policy.needs();
    // The same signal may be wanted of the service and of each replica.
    needs.dedup_by(|one, other| one.metric == other.metric);
    let metrics: Vec<ExplainedMetric> = needs
        .iter()
        .map(|need| {
            let value = need
                .metric
                .signal()
                .and_then(|signal| signal_value(signal, assumptions, &state, &mut assumed));
            let target = thresholds.iter().find(|threshold| threshold.signal == need.metric);
            let shown =
                value.map_or_else(|| "not known".to_owned(), |value| need.metric.amount(value).to_string());
            let against: Vec<String> = thresholds
                .iter()
                .filter(|threshold| threshold.signal == need.metric)
                .map(|threshold| {
                    format!("{} {}", threshold.direction.name(), need.metric.amount(threshold.value))
                })
                .collect();
            ExplainedMetric {
                name: need.metric.to_string(),
                source: "signal".to_owned(),
                value,
                target: target.map_or(0.0, |threshold| threshold.value),
                target_type: "threshold",
                ratio: target.and_then(|threshold| value.map(|value| value / threshold.value)),
                words: format!("{} is {shown}; thresholds: {}", need.metric, against.join(", ")),
                ..ExplainedMetric::default()
            }
        })
        .collect();
    let mut engine = Engine::new(policy.clone());
    let interval = policy.check_interval();
    let (mut decision, mut checks) = (engine.decide(&observation(policy, assumptions, interval, current)), 1);
    while decision.to == current && checks < CHECKS_MAX {
        checks += 1;
        let next = engine.decide(&observation(policy, assumptions, interval * checks, current));
        if next.to != current {
            decision = next;
        }
    }
    let acts = decision.to != current;
    let change = if acts {
        format!(
            "goes from {current} to {} at check {checks}, after {}",
            decision.to,
            words::span(interval * checks)
        )
    } else {
        format!("stays at {current}")
    };
    let reason = format!("{}: it {change}", decision.reason);
    let mut steps: Vec<String> = metrics.iter().map(|metric| metric.words.clone()).collect();
    steps.push(reason.clone());
    let chain = Chain::follow(current, interval, {
        let mut engine = Engine::new(policy.clone());
        move |now, count| {
            let to = engine.decide(&observation(policy, assumptions, now, count)).to;
            engine.record_scaled(now, count, to, Cause::Policy);
            to
        }
    });
    Explanation {
        kind: policy.kind().to_owned(),
        name: name.to_owned(),
        current,
        desired: decision.to,
        reason,
        limited_by: decision.limited_by.map(|limit| limit.name().to_owned()),
        rules,
        metrics,
        steps,
        chain,
        assumed,
    }
}

fn observation<P: Policy>(
    policy: &P,
    assumptions: &Assumptions<'_>,
    at: Duration,
    count: u32,
) -> Observation {
    let state = (assumptions.service)(count.max(1));
    let mut seen = Observation { window: policy.window(), ..Observation::of_replicas(at, count) };
    for metric in policy.needs().into_iter().map(|need| need.metric) {
        if let Metric::Signal(signal) = metric
            && let Some(value) = signal_value(signal, assumptions, &state, &mut Vec::new())
        {
            seen.report_from_all(signal, value);
        }
    }
    seen
}

/// A signal at the assumed load; none if nothing can be said of it.
fn signal_value(
    signal: Signal,
    assumptions: &Assumptions<'_>,
    state: &ServiceState,
    assumed: &mut Vec<String>,
) -> Option<f64> {
    let name = signal.name();
    if let Some(value) = assumptions.values.get(name) {
        return Some(*value);
    }
    let (value, note) = match name {
        "response_time_mean_seconds" => (state.response_time_seconds, ""),
        "requests_per_second" => (state.load_rps, ""),
        "refused_per_second" => (state.refused_per_second, ""),
        "errors_per_second" | "dependency_wait_seconds" => (0.0, ""),
        "in_flight" => (state.in_flight(), ""),
        "queue_depth" => (state.waiting_per_replica, ""),
        "utilization" => (state.utilization, ""),
        "cpu_utilization" | "cpu_cores" => (state.cpu_milli as f64 / 1_000.0, ""),
        "memory_bytes" => (state.memory_milli as f64 / 1_000.0, ""),
        _ => {
            let (_, factor) = QUANTILES.into_iter().find(|(part, _)| name.contains(part))?;
            (state.response_time_seconds * factor, " (a quantile, taken as a multiple of the mean)")
        }
    };
    assumed.push(format!("{name}: {}{note}", signal.amount(value)));
    Some(value)
}

fn value_of(value: &SettingValue) -> String {
    match value {
        SettingValue::Number(number) => trimmed(*number),
        SettingValue::Count(count) => count.to_string(),
        SettingValue::Flag(flag) => flag.to_string(),
        SettingValue::Span(span) => words::span(*span),
        SettingValue::Text(text) => text.clone(),
    }
}
