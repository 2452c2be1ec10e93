//! Knative's autoscaler on assumed values, in words.

use std::time::Duration;

use scaler_engine::knative::{
    ActiveState, Algorithm, Averages, KpaState, Probe, Reachability, ScaleOutcome, ScaleSeen, ScalingMetric,
    TICK, Windows, decide, scale,
};

use super::{Assumptions, Chain, ExplainedMetric, Explanation, words};
use crate::knative::KnativeDocument;
use crate::quantity::trimmed;

/// Explains a `Service` of Knative.
pub(super) fn explain(service: &KnativeDocument, assumptions: &Assumptions<'_>) -> Explanation {
    let current = assumptions.replicas;
    let metric = name_of(service);
    let value = value_of(service, assumptions, current);
    let mut assumed = Vec::new();
    assumed.push(match (assumptions.values.contains_key(metric), service.metric) {
        (true, _) => format!("{metric} has been {} for both windows", trimmed(value)),
        (false, ScalingMetric::Rps) => format!("{metric} has been the load of {} for both windows", trimmed(value)),
        (false, ScalingMetric::Concurrency) => format!(
            "{metric} has been {} for both windows: the load times its response time, those that wait included",
            trimmed(value)
        ),
    });
    assumed.push(format!("{} ready for long", words::replicas(current)));
    let (decided, applied) =
        pass(service, &mut KpaState::default(), TICK, current, Averages { stable: value, panic: value });
    let desired = applied.patch.unwrap_or(current);
    let target = service.spec.target;
    let wanted = (value / target).ceil();
    let words = format!(
        "{metric}: {} ÷ {} = {}, rounded up to {wanted}",
        trimmed(value),
        trimmed(target),
        trimmed(value / target)
    );
    let is_panic = wanted / f64::from(current.max(1)) >= service.spec.panic_threshold;
    let mut steps = vec![
        format!(
            "the target is {} of a total of {} per pod, of which {} % are aimed at",
            trimmed(target),
            trimmed(service.target.total),
            trimmed(target / service.target.total * 100.0)
        ),
        words.clone(),
    ];
    if is_panic {
        steps.push(format!(
            "{wanted} are at least {} times the {}: panic, in which the count does not fall for {}",
            trimmed(service.spec.panic_threshold),
            words::replicas(current),
            words::span(service.spec.stable_window)
        ));
    }
    let (reason, limited_by) = reason(service, wanted, decided, applied, current, desired);
    steps.push(reason.clone());
    let explained = ExplainedMetric {
        name: metric.to_owned(),
        source: "Knative".to_owned(),
        value: Some(value),
        target,
        target_type: "per pod",
        ratio: Some(value / target),
        proposed: decided.map(i64::from),
        words,
        error: None,
    };
    Explanation {
        kind: "Service".to_owned(),
        name: service.header.name.clone(),
        current,
        desired,
        reason,
        limited_by: limited_by.map(str::to_owned),
        rules: rules(service),
        metrics: vec![explained],
        steps,
        chain: chain(service, assumptions),
        assumed,
    }
}

const fn name_of(service: &KnativeDocument) -> &'static str {
    match service.metric {
        ScalingMetric::Concurrency => "concurrency",
        ScalingMetric::Rps => "rps",
    }
}

/// The metric of the whole revision.
fn value_of(service: &KnativeDocument, assumptions: &Assumptions<'_>, replicas: u32) -> f64 {
    if let Some(value) = assumptions.values.get(name_of(service)) {
        return *value;
    }
    let state = (assumptions.service)(replicas.max(1));
    match service.metric {
        ScalingMetric::Concurrency => state.in_flight(),
        ScalingMetric::Rps => state.load_rps,
    }
}

/// One decision, and what is done about it.
fn pass(
    service: &KnativeDocument,
    state: &mut KpaState,
    now: Duration,
    current: u32,
    averages: Averages,
) -> (Option<u32>, ScaleOutcome) {
    let decided =
        decide(&service.spec, state, now, Some(current), Some(averages)).map(|decision| decision.desired);
    let seen = ScaleSeen {
        current_replicas: current,
        desired: decided,
        initialized: true,
        reachability: Reachability::Reachable,
        state: if current == 0 { ActiveState::Inactive } else { ActiveState::Active },
        // Long enough for all stages on the way to zero but the last, which another pass begins.
        state_for: service.settings.stable_window,
        probe: Probe::Ok,
        proxy_mode: current == 0,
        in_path_for: Duration::ZERO,
    };
    (decided, scale(&service.settings, &seen))
}

/// The decisions from now on; the windows are full of what there was before.
fn chain(service: &KnativeDocument, assumptions: &Assumptions<'_>) -> Chain {
    let second = Duration::from_secs(1);
    let stable = service.spec.stable_window;
    let Ok(mut windows) = Windows::new(Algorithm::Linear, stable, service.panic_window) else {
        return Chain { steps: Vec::new(), settles_at: Some(assumptions.replicas) };
    };
    let mut recorded = Duration::ZERO;
    let mut record = |until: Duration, value: f64, windows: &mut Windows| {
        while recorded < until {
            windows.record(recorded, value);
            recorded += second;
        }
    };
    record(stable, value_of(service, assumptions, assumptions.replicas), &mut windows);
    let mut state = KpaState::default();
    Chain::follow(assumptions.replicas, TICK, |after, count| {
        let now = stable + after;
        record(now, value_of(service, assumptions, count), &mut windows);
        let Ok(averages) = windows.averages(now.saturating_sub(second), true) else { return count };
        pass(service, &mut state, now, count, averages).1.patch.unwrap_or(count)
    })
}

fn reason(
    service: &KnativeDocument,
    wanted: f64,
    decided: Option<u32>,
    applied: ScaleOutcome,
    current: u32,
    desired: u32,
) -> (String, Option<&'static str>) {
    let change = if desired == current {
        format!("it stays at {current}")
    } else {
        format!("it goes from {current} to {desired}")
    };
    let decided = decided.unwrap_or(current);
    let settings = &service.settings;
    if applied.reported == Some(0) && current > 0 {
        let stages = words::span(settings.grace_period.max(settings.pod_retention));
        let reason = format!(
            "nothing is asked of it: {change} and goes to 0 once the activator has been in the path for {stages}"
        );
        return (reason, Some("grace-period"));
    }
    if settings.max_scale != 0 && decided > settings.max_scale {
        return (
            format!("{decided} are wanted, but max-scale is {}: {change}", settings.max_scale),
            Some("max-scale"),
        );
    }
    if decided < settings.min_scale {
        return (
            format!("{decided} are wanted, but min-scale is {}: {change}", settings.min_scale),
            Some("min-scale"),
        );
    }
    if f64::from(decided) > wanted {
        let rate = trimmed(service.spec.max_scale_down_rate);
        return (
            format!(
                "{wanted} are wanted, but one decision at most divides the pods by {rate}, or a panic or delay holds: {change}"
            ),
            Some("scale-down-rate"),
        );
    }
    (format!("{decided} are wanted: {change}"), None)
}

fn rules(service: &KnativeDocument) -> Vec<String> {
    let max = match service.settings.max_scale {
        0 => "no limit".to_owned(),
        max => format!("{max} replicas"),
    };
    let per = match service.metric {
        ScalingMetric::Concurrency => "requests in flight",
        ScalingMetric::Rps => "requests per second",
    };
    let mut rules = vec![
        format!(
            "scales by {per} between {} and {max}, deciding every {}",
            words::replicas(service.settings.min_scale),
            words::span(TICK)
        ),
        format!(
            "averages over {}, and over {} for panic, which begins at {} times the pods",
            words::span(service.spec.stable_window),
            words::span(service.panic_window),
            trimmed(service.spec.panic_threshold)
        ),
        format!(
            "one decision multiplies the pods by {} at most, and divides them by {}",
            trimmed(service.spec.max_scale_up_rate),
            trimmed(service.spec.max_scale_down_rate)
        ),
    ];
    if !service.spec.scale_down_delay.is_zero() {
        rules
            .push(format!("a lower count must be wanted for {}", words::span(service.spec.scale_down_delay)));
    }
    if service.settings.min_scale == 0 {
        rules.push(format!(
            "without requests it goes to zero in stages: the stable window, as long again, then {} with the activator in the path",
            words::span(service.settings.grace_period)
        ));
    }
    rules
}
