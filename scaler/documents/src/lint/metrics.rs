//! Rules about what a metric measures.

use scaler_engine::hpa::{MetricSource, MetricTarget};

use super::{Report, Severity};
use crate::hpa::{HpaDocument, TargetType};
use crate::keda::TriggerKind;
use crate::quantity::{quantity_of_milli, trimmed};
use crate::subject::{Subject, SubjectMetric};

pub(super) const LATENCY_AS_AVERAGE: &str = "latency-as-average";
pub(super) const RAW_COUNTER: &str = "raw-counter";
pub(super) const TYPE_CONTRADICTS_VALUE: &str = "type-contradicts-value";

/// Ends of the names of counters.
const COUNTERS: [&str; 4] = ["_total", "_count", "_sum", "_bucket"];

/// Functions that make a rate of a counter.
const RATES: [&str; 7] = ["rate", "irate", "increase", "delta", "idelta", "deriv", "resets"];

/// Parts of the names of times.
const TIMES: [&str; 5] = ["latency", "duration", "response_time", "request_time", "histogram_quantile"];

pub(super) fn judge(subject: &Subject<'_>, report: &mut Report) {
    for metric in &subject.metrics {
        raw_counter(subject, metric, report);
        latency_as_average(subject, metric, report);
    }
}

/// The text that tells what is measured: the query of a trigger, or the metric's name.
fn measured<'a>(metric: &'a SubjectMetric<'_>) -> Option<&'a str> {
    match metric.trigger.map(|trigger| &trigger.kind) {
        Some(TriggerKind::Prometheus(trigger)) => Some(&trigger.query),
        Some(TriggerKind::MetricsApi(trigger)) => Some(&trigger.location),
        Some(_) => None,
        None => match &metric.metric.source {
            MetricSource::Pods(metric) | MetricSource::Object(metric) | MetricSource::External(metric) => {
                Some(&metric.name)
            }
            _ => None,
        },
    }
}

/// Names in a query.
fn identifiers(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_ascii_alphanumeric() && !matches!(character, '_' | ':'))
        .filter(|word| word.contains(|character: char| character.is_ascii_alphabetic()))
}

fn target_of(metric: &SubjectMetric<'_>) -> Option<(i64, bool)> {
    match metric.metric.target? {
        MetricTarget::AverageValue { milli } => Some((milli, true)),
        MetricTarget::Value { milli } => Some((milli, false)),
        MetricTarget::Utilization { .. } => None,
    }
}

/// A counter only grows, so what is compared with a target must be its rate.
fn raw_counter(subject: &Subject<'_>, metric: &SubjectMetric<'_>, report: &mut Report) {
    let Some(text) = measured(metric) else { return };
    if identifiers(text).any(|name| RATES.contains(&name)) {
        return;
    }
    let Some(counter) = identifiers(text).find(|name| COUNTERS.iter().any(|end| name.ends_with(end))) else {
        return;
    };
    let Some((milli, _)) = target_of(metric) else { return };
    let (target, max) = (milli as f64 / 1_000.0, subject.spec.max_replicas);
    let total = target * f64::from(max);
    let message = format!(
        "`{counter}` is a counter by its name and only grows: once it is above {} ({} × {max}), {max} replicas stay for good; \
         take its rate",
        trimmed(total),
        quantity_of_milli(milli)
    );
    let numbers = [("target", target), ("max_replicas", f64::from(max)), ("stays_above", total)];
    report.about(subject, (RAW_COUNTER, Severity::Error), &metric.field, message, &numbers);
}

/// Whether a name is that of a span of time.
fn is_time(name: &str) -> bool {
    let is_rate = name.ends_with("_per_second") || name.contains("cpu");
    let is_seconds = name.ends_with("_seconds") || name.ends_with("_milliseconds") || name.ends_with("_ms");
    !is_rate && (is_seconds || TIMES.iter().any(|part| name.contains(part)))
}

/// The formula divides by the pods, a response time does not.
fn latency_as_average(subject: &Subject<'_>, metric: &SubjectMetric<'_>, report: &mut Report) {
    let Some(text) = measured(metric) else { return };
    let counts = |name: &str| name.ends_with("_count") || name.ends_with("_total");
    let Some(name) = identifiers(text).find(|name| is_time(&name.to_lowercase()) && !counts(name)) else {
        return;
    };
    let Some((milli, is_average)) = target_of(metric) else { return };
    if matches!(metric.metric.source, MetricSource::Object(_)) && !is_average {
        return;
    }
    let target = milli as f64 / 1_000.0;
    let (seen, from) = (target * 2.0, subject.spec.min_replicas.max(1));
    let message = match (&metric.metric.source, is_average) {
        (MetricSource::External(_) | MetricSource::Object(_), true) => format!(
            "`{name}` is a time, and a target of type AverageValue divides it by the pods: with {from} pods, {} count as {}; \
             use type Value, or scale by requests or work in flight",
            trimmed(seen),
            trimmed(seen / f64::from(from))
        ),
        _ => format!(
            "`{name}` is a time, and the formula takes it for work that pods share: at {} against a target of {} it asks for \
             twice the pods, whether or not the wait is theirs, and below the target it removes pods until it is back; scale \
             by requests or work in flight",
            trimmed(seen),
            quantity_of_milli(milli)
        ),
    };
    let numbers = [("target", target), ("at_value", seen), ("min_replicas", f64::from(from))];
    report.about(subject, (LATENCY_AS_AVERAGE, Severity::Warning), &metric.field, message, &numbers);
}

/// Kubernetes follows the value that is set, or nothing at all.
pub(super) fn type_contradicts_value(hpa: &HpaDocument, report: &mut Report) {
    for (index, (metric, details)) in hpa.spec.metrics.iter().zip(&hpa.details).enumerate() {
        let decides = match metric.target {
            Some(MetricTarget::Utilization { .. }) => Some(TargetType::Utilization),
            Some(MetricTarget::AverageValue { .. }) => Some(TargetType::AverageValue),
            Some(MetricTarget::Value { .. }) => Some(TargetType::Value),
            None => None,
        };
        if decides == Some(details.declared) {
            continue;
        }
        let field = format!("spec.metrics[{index}]");
        let declared = details.declared.name();
        let (severity, what) = match decides {
            Some(decides) => (
                Severity::Warning,
                format!("Kubernetes follows the value, as if the type were {}", decides.name()),
            ),
            None => (Severity::Error, "Kubernetes finds no target, and the metric fails".to_owned()),
        };
        let message = format!("the target's type is {declared}, but its value is of another type: {what}");
        let place = (hpa.lines.of_field(&field), field.as_str());
        report.add(TYPE_CONTRADICTS_VALUE, severity, place, message, &[("metric", index as f64)]);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CPU, found, hpa};
    use super::*;

    fn pods(name: &str, target: &str) -> String {
        hpa(
            2,
            5,
            &format!(
                "    - {{type: Pods, pods: {{metric: {{name: {name}}}, target: {{type: AverageValue, averageValue: {target}}}}}}}\n"
            ),
            "",
        )
    }

    fn query(query: &str) -> String {
        format!(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: x}}\nspec:\n  scaleTargetRef: {{name: x}}\n  triggers:\n    - type: prometheus\n      \
             metadata: {{serverAddress: 'http://p', query: '{query}', threshold: '60'}}\n"
        )
    }

    #[test]
    fn counters_are_known_by_their_names() {
        let finding = found(RAW_COUNTER, &pods("http_requests_total", "50")).unwrap();
        assert_eq!((finding.line, finding.numbers["stays_above"]), (9, 250.0));
        for fine in [
            pods("http_requests_per_second", "50"),
            query("sum(rate(http_requests_total[1m]))"),
            query("queue_depth"),
        ] {
            assert_eq!(found(RAW_COUNTER, &fine), None, "{fine}");
        }
        assert!(found(RAW_COUNTER, &query("sum(http_requests_total{a=\"b\"})")).is_some());
        assert!(
            found(RAW_COUNTER, &query("sum(accurate_total)")).is_some(),
            "a part of a name is no function"
        );
    }

    #[test]
    fn times_are_no_work_to_share() {
        let finding = found(LATENCY_AS_AVERAGE, &pods("webapp_response_time_seconds", "600m")).unwrap();
        assert_eq!((finding.numbers["target"], finding.numbers["at_value"]), (0.6, 1.2));
        let divided =
            query("histogram_quantile(0.95, sum(rate(http_request_duration_seconds_bucket[1m])) by (le))");
        assert!(found(LATENCY_AS_AVERAGE, &divided).unwrap().message.contains("divides it by the pods"));
        for fine in [
            pods("http_requests_per_second", "50"),
            query("sum(rate(http_server_request_duration_seconds_count[1m]))"),
            query("sum(rate(process_cpu_seconds_total[1m]))"),
            hpa(2, 5, CPU, ""),
        ] {
            assert_eq!(found(LATENCY_AS_AVERAGE, &fine), None, "{fine}");
        }
    }

    #[test]
    fn a_type_without_its_value_is_named() {
        let metric = |target: &str| {
            hpa(2, 5, &format!("    - {{type: Resource, resource: {{name: cpu, target: {target}}}}}\n"), "")
        };
        let finding =
            found(TYPE_CONTRADICTS_VALUE, &metric("{type: Utilization, averageValue: 100m}")).unwrap();
        assert_eq!(finding.severity, Severity::Warning);
        assert_eq!(found(TYPE_CONTRADICTS_VALUE, &metric("{type: AverageValue, averageValue: 100m}")), None);
        assert_eq!(found(TYPE_CONTRADICTS_VALUE, &hpa(2, 5, CPU, "")), None);
    }
}
