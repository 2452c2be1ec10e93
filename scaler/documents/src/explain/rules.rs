//! What an autoscaler follows, in words.

use scaler_engine::hpa::{MetricSource, MetricTarget};

use super::{Assumptions, words};
use crate::quantity::{quantity_of_milli, trimmed};
use crate::subject::{Subject, SubjectMetric};

/// The source of a metric, as documents name it.
pub(super) fn source(metric: &SubjectMetric<'_>) -> String {
    match &metric.metric.source {
        MetricSource::Resource(_) => "Resource".into(),
        MetricSource::ContainerResource { container, .. } => format!("ContainerResource of {container}"),
        MetricSource::Pods(_) => "Pods".into(),
        MetricSource::Object(_) => "Object".into(),
        _ => "External".into(),
    }
}

/// The target of a metric, in words.
pub(super) fn target(metric: &SubjectMetric<'_>) -> String {
    let amount = |milli: i64| match metric.resource() {
        Some((resource, _)) => words::amount(resource, milli),
        None => quantity_of_milli(milli),
    };
    match metric.metric.target {
        Some(MetricTarget::Utilization { percent }) => format!("{percent} % of the request"),
        Some(MetricTarget::AverageValue { milli }) => format!("{} per pod", amount(milli)),
        Some(MetricTarget::Value { milli }) => format!("{} in total", amount(milli)),
        None => "nothing: its target is not one that its source takes".into(),
    }
}

/// The sentences about an autoscaler.
pub(super) fn of(subject: &Subject<'_>, assumptions: &Assumptions<'_>) -> Vec<String> {
    let (spec, controller) = (&subject.spec, &assumptions.controller);
    let mut rules = vec![format!(
        "scales {} {} between {} and {} replicas and looks every {}",
        subject.target.kind,
        subject.target.name,
        spec.min_replicas,
        spec.max_replicas,
        words::span(controller.sync_period),
    )];
    for metric in &subject.metrics {
        rules.push(format!("keeps {} ({}) at {}", metric.name(), source(metric), target(metric)));
    }
    if subject.metrics.len() > 1 {
        rules.push(
            "the metric that asks for most decides; where one fails, the count does not go down".into(),
        );
    }
    let tolerances = controller.tolerances(spec.behavior.as_ref());
    rules.push(if (tolerances.up - tolerances.down).abs() < f64::EPSILON {
        format!("leaves deviations of up to {} % from a target alone", trimmed(tolerances.up * 100.0))
    } else {
        format!(
            "leaves deviations of up to {} % above and {} % below a target alone",
            trimmed(tolerances.up * 100.0),
            trimmed(tolerances.down * 100.0)
        )
    });
    match &spec.behavior {
        None => {
            rules.push("scaling up: at once, at most to twice the count or to 4 per pass".into());
            let window = words::span(controller.downscale_stabilization);
            rules.push(format!(
                "scaling down: to the highest recommendation of the last {window}, in one step"
            ));
        }
        Some(behavior) => {
            let (up, down) = (behavior.complete_scale_up(), behavior.complete_scale_down());
            rules.push(words::direction("scaling up", &up, up.stabilization_window.unwrap_or_default()));
            let window = down.stabilization_window.unwrap_or(controller.downscale_stabilization);
            rules.push(words::direction("scaling down", &down, window));
        }
    }
    let slowest = subject.workload.and_then(|workload| {
        let probes = workload.pod.containers.iter().filter_map(|container| container.readiness);
        probes.max_by_key(|probe| probe.initial_delay)
    });
    if let Some(probe) = slowest.filter(|probe| !probe.initial_delay.is_zero()) {
        rules.push(format!(
            "a new pod is ready after {} at the earliest (its readinessProbe), looked at every {}",
            words::span(probe.initial_delay),
            words::span(probe.period)
        ));
    }
    rules
}
