//! Compares what two manifests decide by, field by field, with defaults filled in.

use std::collections::BTreeMap;

use scaler_engine::AnyPolicy;
use scaler_engine::Policy as _;
use scaler_engine::SettingValue;
use scaler_engine::hpa::{Behavior, CompleteRules, MetricTarget, ScalingChange, SelectPolicy};

use crate::knative::KnativeDocument;
use crate::manifest::{Document, Manifest};
use crate::quantity::{quantity_of_milli, trimmed};
use crate::subject::{Subject, SubjectMetric};

/// A field that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The field, in words that mean the same for each kind.
    pub field: String,
    /// Its value in the first file; none if it has no such field.
    pub before: Option<String>,
    /// Its value in the second file.
    pub after: Option<String>,
}

/// What a policy decides by: each field with its value, defaults included.
pub type Decisive = BTreeMap<String, String>;

/// What a manifest decides by. Several documents are numbered.
pub fn decisive(manifest: &Manifest) -> Decisive {
    let manifests = [manifest];
    let read: Vec<Decisive> = manifest
        .documents
        .iter()
        .filter_map(|document| match document {
            Document::Knative(service) => Some(of_knative(service)),
            _ => Subject::of(document, &manifests).map(|subject| of_subject(&subject)),
        })
        .collect();
    match <[Decisive; 1]>::try_from(read) {
        Ok([only]) => only,
        Err(several) => several
            .into_iter()
            .enumerate()
            .flat_map(|(at, fields)| {
                fields.into_iter().map(move |(field, value)| (format!("document {}: {field}", at + 1), value))
            })
            .collect(),
    }
}

/// What a policy of the lab's own decides by.
pub fn decisive_own(policy: &AnyPolicy) -> Decisive {
    let mut fields = Decisive::new();
    fields.insert("kind".into(), policy.kind().into());
    fields.insert("minimum".into(), policy.limits().min().to_string());
    fields.insert("maximum".into(), policy.limits().max().to_string());
    for setting in policy.settings_shown() {
        let value = match setting.value {
            SettingValue::Number(number) => trimmed(number),
            SettingValue::Count(count) => count.to_string(),
            SettingValue::Flag(flag) => flag.to_string(),
            SettingValue::Span(span) => seconds(span),
            SettingValue::Text(text) => text,
        };
        fields.insert(setting.field.to_owned(), value);
    }
    fields
}

/// The fields in which two policies differ, in the order of their names.
pub fn diff(before: &Decisive, after: &Decisive) -> Vec<Difference> {
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    names
        .into_iter()
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| Difference {
            field: name.clone(),
            before: before.get(name).cloned(),
            after: after.get(name).cloned(),
        })
        .collect()
}

fn seconds(span: std::time::Duration) -> String {
    format!("{} s", trimmed(span.as_secs_f64()))
}

fn of_subject(subject: &Subject<'_>) -> Decisive {
    let mut fields = Decisive::new();
    let mut put = |field: &str, value: String| fields.insert(field.to_owned(), value);
    put("kind", subject.kind.to_owned());
    put("target", format!("{} {}", subject.target.kind, subject.target.name));
    put("minimum", subject.spec.min_replicas.to_string());
    put("maximum", subject.spec.max_replicas.to_string());
    for metric in &subject.metrics {
        put(&format!("metric {}", named(metric)), target(metric));
    }
    let behavior = subject.spec.behavior.clone();
    put(
        "behavior",
        if behavior.is_some() {
            "given".into()
        } else {
            "none: at most to twice the count or 4 per pass".into()
        },
    );
    if let Some(behavior) = &behavior {
        of_behavior(behavior, &mut put);
    }
    if let Some(object) = subject.scaled_object {
        let activation = object.activation;
        put("minimum", activation.min_replicas.unwrap_or(0).to_string());
        put("idle count", activation.idle_replicas.map_or_else(|| "none".into(), |idle| idle.to_string()));
        put("polling interval", seconds(object.polling_interval));
        put("cooldown", seconds(activation.cooldown));
        put("initial cooldown", seconds(activation.initial_cooldown));
        let fallback = object.fallback.map(|fallback| {
            format!("{} replicas after more than {} failures", fallback.replicas, fallback.failure_threshold)
        });
        put("fallback", fallback.unwrap_or_else(|| "none".into()));
    }
    fields
}

fn named(metric: &SubjectMetric<'_>) -> String {
    match metric.resource() {
        Some((_, Some(container))) => format!("{} of {container}", metric.name()),
        _ => metric.name().to_owned(),
    }
}

fn target(metric: &SubjectMetric<'_>) -> String {
    match metric.metric.target {
        Some(MetricTarget::Utilization { percent }) => format!("{percent} % of the request"),
        Some(MetricTarget::AverageValue { milli }) => format!("{} per pod", quantity_of_milli(milli)),
        Some(MetricTarget::Value { milli }) => format!("{} in total", quantity_of_milli(milli)),
        None => "none".to_owned(),
    }
}

fn of_behavior(behavior: &Behavior, put: &mut impl FnMut(&str, String) -> Option<String>) {
    for (direction, rules) in
        [("scale up", behavior.complete_scale_up()), ("scale down", behavior.complete_scale_down())]
    {
        let CompleteRules { policies, select_policy, stabilization_window, tolerance } = rules;
        let policies: Vec<String> = policies
            .iter()
            .map(|policy| match policy.change {
                ScalingChange::Pods(pods) => format!("{pods} pods per {}", seconds(policy.period)),
                ScalingChange::Percent(percent) => format!("{percent} % per {}", seconds(policy.period)),
            })
            .collect();
        put(&format!("{direction}: rates"), policies.join(", "));
        let select = match select_policy {
            SelectPolicy::Max => "the larger",
            SelectPolicy::Min => "the smaller",
            SelectPolicy::Disabled => "never",
        };
        put(&format!("{direction}: which rate"), select.to_owned());
        let by_controller = || "the controller's".to_owned();
        put(&format!("{direction}: window"), stabilization_window.map_or_else(by_controller, seconds));
        put(&format!("{direction}: tolerance"), tolerance.map_or_else(by_controller, trimmed));
    }
}

fn of_knative(service: &KnativeDocument) -> Decisive {
    let (spec, settings) = (&service.spec, &service.settings);
    let max = if settings.max_scale == 0 { "none".to_owned() } else { settings.max_scale.to_string() };
    [
        ("kind", "Service of Knative".to_owned()),
        ("minimum", settings.min_scale.to_string()),
        ("maximum", max),
        ("metric", format!("{:?}", service.metric).to_lowercase()),
        ("target", trimmed(spec.target)),
        ("total", trimmed(spec.total)),
        ("stable window", seconds(spec.stable_window)),
        ("panic window", seconds(service.panic_window)),
        ("panic threshold", trimmed(spec.panic_threshold)),
        ("burst capacity", trimmed(spec.target_burst_capacity)),
        ("activation scale", spec.activation_scale.to_string()),
        ("initial scale", settings.initial_scale.to_string()),
        ("scale-down delay", seconds(spec.scale_down_delay)),
        ("pod retention", seconds(settings.pod_retention)),
    ]
    .into_iter()
    .map(|(field, value)| (field.to_owned(), value))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hpa(min: &str, rest: &str) -> Decisive {
        decisive(&Manifest::read(&format!(
            "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {{name: x}}\nspec:\n  scaleTargetRef: {{kind: Deployment, name: x}}\n{min}  maxReplicas: 5\n{rest}"
        )))
    }

    #[test]
    fn defaults_are_filled_in_before_fields_are_compared() {
        let cpu = "  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 80}}}]\n";
        assert_eq!(diff(&hpa("", ""), &hpa("  minReplicas: 1\n", cpu)), []);
        let found = diff(&hpa("", ""), &hpa("  minReplicas: 2\n", ""));
        let expected =
            Difference { field: "minimum".into(), before: Some("1".into()), after: Some("2".into()) };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn a_behavior_that_looks_empty_is_a_difference() {
        let found = diff(&hpa("", ""), &hpa("", "  behavior: {scaleUp: {tolerance: 0.1}}\n"));
        assert!(found.iter().any(|difference| difference.field == "behavior"), "{found:?}");
    }
}
