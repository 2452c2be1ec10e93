//! Rules about requests, limits and memory.

use scaler_engine::hpa::{MetricTarget, Resource, SelectPolicy};

use super::{LintSettings, Report, Severity};
use crate::quantity::{bytes_of_milli, quantity_of_milli, trimmed};
use crate::subject::{Subject, SubjectMetric, resource_name};

pub(super) const LIMIT_CAPS_RATIO: &str = "limit-caps-ratio";
pub(super) const MEMORY_SCALE_DOWN: &str = "memory-scale-down";
pub(super) const WITHOUT_REQUESTS: &str = "utilization-without-requests";

pub(super) fn judge(subject: &Subject<'_>, settings: &LintSettings, report: &mut Report) {
    for metric in &subject.metrics {
        let Some((resource, container)) = metric.resource() else { continue };
        if *resource == Resource::Memory {
            memory_scale_down(subject, metric, report);
        }
        if let Some(MetricTarget::Utilization { percent }) = metric.metric.target {
            without_requests(subject, metric, (resource, container), percent, report);
            limit_caps_ratio(subject, metric, (resource, container), percent, settings, report);
        }
    }
}

fn without_requests(
    subject: &Subject<'_>,
    metric: &SubjectMetric<'_>,
    (resource, container): (&Resource, Option<&str>),
    percent: i32,
    report: &mut Report,
) {
    let Some(workload) = subject.workload else { return };
    if workload.pod.containers.is_empty() || workload.pod.request_milli(resource, container).is_some() {
        return;
    }
    let name = resource_name(resource);
    let missing = workload.pod.without_request(resource, container);
    let what = match (missing.as_slice(), container) {
        ([], Some(container)) => format!("there is no container {container}"),
        (missing, _) => format!("no request for {name} in container {}", missing.join(", ")),
    };
    let count = missing.len() as f64;
    let message = format!(
        "the target is {percent} % of the requested {name}, but in {} {} {what}: the metric fails, and nothing is scaled by \
         it; add resources.requests.{name}",
        workload.kind, workload.header.name
    );
    let numbers = [("target_percent", f64::from(percent)), ("containers_without_request", count)];
    report.about(subject, (WITHOUT_REQUESTS, Severity::Error), &metric.field, message, &numbers);
}

/// What a pod can use at most, in percent of its request; none where that is not known or not limited.
pub(super) fn cap_percent(
    subject: &Subject<'_>,
    resource: &Resource,
    container: Option<&str>,
) -> Option<f64> {
    let pod = &subject.workload?.pod;
    let request = pod.request_milli(resource, container).filter(|request| *request > 0)?;
    let limit = pod.limit_milli(resource, container)?;
    Some(limit as f64 / request as f64 * 100.0)
}

fn limit_caps_ratio(
    subject: &Subject<'_>,
    metric: &SubjectMetric<'_>,
    (resource, container): (&Resource, Option<&str>),
    percent: i32,
    settings: &LintSettings,
    report: &mut Report,
) {
    let Some(cap) = cap_percent(subject, resource, container) else { return };
    let Some(workload) = subject.workload else { return };
    let ratio = cap / f64::from(percent);
    let tolerances = settings.controller.tolerances(subject.spec.behavior.as_ref());
    let (min, max) = (subject.spec.min_replicas.max(1), subject.spec.max_replicas);
    let after_one = (ratio * f64::from(min)).ceil();
    // Below that, the target is not reached at all, which another rule tells.
    if ratio <= 1.0 + tolerances.up || after_one >= f64::from(max) {
        return;
    }
    let shown = |milli: Option<i64>| match (milli, resource) {
        (Some(milli), Resource::Memory) => bytes_of_milli(milli),
        (Some(milli), _) => quantity_of_milli(milli),
        (None, _) => "?".to_owned(),
    };
    let limit = shown(workload.pod.limit_milli(resource, container));
    let request = shown(workload.pod.request_milli(resource, container));
    let message = format!(
        "a pod can use at most its limit of {limit}, which is {} % of the request of {request}: against {percent} % one pass \
         multiplies the pods by {} at most, so {min} become {after_one}, and {max} take several passes however high the load; \
         raise the limit or lower the target",
        trimmed(cap),
        trimmed(ratio),
    );
    let severity = if ratio < 2.0 { Severity::Warning } else { Severity::Info };
    let numbers = [
        ("limit_percent_of_request", cap),
        ("target_percent", f64::from(percent)),
        ("ratio_max", ratio),
        ("replicas_after_one_pass", after_one),
    ];
    report.about(subject, (LIMIT_CAPS_RATIO, severity), &metric.field, message, &numbers);
}

/// Memory that was taken is seldom given back, so replicas that it brought stay.
fn memory_scale_down(subject: &Subject<'_>, metric: &SubjectMetric<'_>, report: &mut Report) {
    let down = subject.spec.behavior.as_ref().map(scaler_engine::hpa::Behavior::complete_scale_down);
    let may_go_down = down.is_none_or(|down| down.select_policy != SelectPolicy::Disabled);
    let (min, max) = (subject.spec.min_replicas.max(1), subject.spec.max_replicas);
    if !may_go_down || min >= max {
        return;
    }
    let (from, to) = (min + 1, min);
    let (target, below, target_number) = match metric.metric.target {
        Some(MetricTarget::Utilization { percent }) => {
            let below = f64::from(percent) * f64::from(to) / f64::from(from);
            (format!("{percent} %"), format!("{} %", trimmed(below)), f64::from(percent))
        }
        Some(MetricTarget::AverageValue { milli }) => {
            let below = i128::from(milli) * i128::from(to) / i128::from(from);
            let below = i64::try_from(below).unwrap_or(i64::MAX);
            (bytes_of_milli(milli), bytes_of_milli(below), milli as f64 / 1_000.0)
        }
        _ => return,
    };
    let message = format!(
        "memory seldom falls when the load does: with a target of {target}, {from} replicas become {to} only where each uses \
         at most {below}; take memory for alerts, or scale by what the load itself shows"
    );
    let numbers = [
        ("target", target_number),
        ("from_replicas", f64::from(from)),
        ("to_replicas", f64::from(to)),
        ("falls_below", target_number * f64::from(to) / f64::from(from)),
    ];
    report.about(subject, (MEMORY_SCALE_DOWN, Severity::Warning), &metric.field, message, &numbers);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CPU, found, hpa, with_deployment};
    use super::*;

    const MEMORY: &str = "    - {type: Resource, resource: {name: memory, target: {type: Utilization, averageUtilization: 90}}}\n";

    #[test]
    fn a_target_in_percent_needs_requests() {
        let finding =
            found(WITHOUT_REQUESTS, &with_deployment("", "limits: {memory: 64Mi}", &hpa(1, 3, CPU, "")))
                .unwrap();
        assert!(finding.message.contains("no request for cpu in container app"), "{}", finding.message);
        assert_eq!(
            found(WITHOUT_REQUESTS, &with_deployment("", "requests: {cpu: 1}", &hpa(1, 3, CPU, ""))),
            None
        );
        assert_eq!(
            found(WITHOUT_REQUESTS, &with_deployment("", "limits: {cpu: 1}", &hpa(1, 3, CPU, ""))),
            None,
            "a limit requests"
        );
        assert_eq!(found(WITHOUT_REQUESTS, &hpa(1, 3, CPU, "")), None, "nothing is known of the pods");
        let value = "    - {type: Resource, resource: {name: cpu, target: {type: AverageValue, averageValue: 100m}}}\n";
        assert_eq!(found(WITHOUT_REQUESTS, &with_deployment("", "", &hpa(1, 3, value, ""))), None);
        let container = "    - {type: ContainerResource, containerResource: {name: cpu, container: web, target: {type: Utilization, averageUtilization: 70}}}\n";
        let finding =
            found(WITHOUT_REQUESTS, &with_deployment("", "requests: {cpu: 1}", &hpa(1, 3, container, "")))
                .unwrap();
        assert!(finding.message.contains("no container web"), "{}", finding.message);
    }

    #[test]
    fn a_limit_bounds_the_growth_of_a_pass() {
        let equal = with_deployment("", "limits: {cpu: 500m}", &hpa(2, 10, CPU, ""));
        let finding = found(LIMIT_CAPS_RATIO, &equal).unwrap();
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(finding.numbers.get("replicas_after_one_pass"), Some(&3.0), "{}", finding.message);
        let wide = with_deployment("", "requests: {cpu: 500m}, limits: {cpu: 4}", &hpa(2, 10, CPU, ""));
        assert_eq!(found(LIMIT_CAPS_RATIO, &wide), None, "800 % of the request reach ten at once");
        assert_eq!(
            found(LIMIT_CAPS_RATIO, &with_deployment("", "requests: {cpu: 1}", &hpa(2, 10, CPU, ""))),
            None
        );
    }

    #[test]
    fn memory_is_a_poor_reason_to_go_down() {
        let finding = found(MEMORY_SCALE_DOWN, &hpa(2, 5, MEMORY, "")).unwrap();
        assert_eq!((finding.numbers["from_replicas"], finding.numbers["falls_below"]), (3.0, 60.0));
        assert_eq!(found(MEMORY_SCALE_DOWN, &hpa(2, 5, CPU, "")), None);
        assert_eq!(
            found(
                MEMORY_SCALE_DOWN,
                &hpa(2, 5, MEMORY, "  behavior: {scaleDown: {selectPolicy: Disabled}}\n")
            ),
            None
        );
    }
}
