//! Writes an intent as a `HorizontalPodAutoscaler`.

use std::fmt::Write as _;

use scaler_engine::hpa::{Behavior, MetricTarget, ScalingChange, ScalingRules, SelectPolicy};

use super::intent::{Intent, IntentMetric, Measure};
use super::quoted;
use crate::quantity::{quantity_of_milli, trimmed};
use crate::subject::resource_name;
use crate::target::ObjectReference;

pub(super) fn write(intent: &Intent, lost: &mut Vec<String>) -> String {
    if intent.min_replicas == 0 && intent.cooldown.is_some() {
        lost.push(
            "zero replicas: a HorizontalPodAutoscaler is not woken by a trigger, so the fewest are 1"
                .to_owned(),
        );
    }
    let min = if intent.cooldown.is_some() { intent.min_replicas.max(1) } else { intent.min_replicas };
    let mut text = format!(
        "apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: {}\nspec:\n  scaleTargetRef:\n{}  \
         minReplicas: {min}\n  maxReplicas: {}\n",
        intent.name,
        reference(&intent.target, "    "),
        intent.max_replicas
    );
    let metrics: String = intent.metrics.iter().filter_map(|metric| metric_text(metric, lost)).collect();
    if !metrics.is_empty() {
        text.push_str("  metrics:\n");
        text.push_str(&metrics);
    }
    if let Some(behavior) = &intent.behavior {
        text.push_str("  behavior:\n");
        text.push_str(&behavior_text(behavior, "    "));
    }
    text
}

fn reference(object: &ObjectReference, indent: &str) -> String {
    let version = object.api_version.as_ref().map(|version| format!("{indent}apiVersion: {version}\n"));
    format!("{}{indent}kind: {}\n{indent}name: {}\n", version.unwrap_or_default(), object.kind, object.name)
}

fn target_text(target: MetricTarget, indent: &str) -> String {
    match target {
        MetricTarget::Utilization { percent } => {
            format!("{indent}target:\n{indent}  type: Utilization\n{indent}  averageUtilization: {percent}\n")
        }
        MetricTarget::AverageValue { milli } => {
            format!(
                "{indent}target:\n{indent}  type: AverageValue\n{indent}  averageValue: {}\n",
                quoted(&quantity_of_milli(milli))
            )
        }
        MetricTarget::Value { milli } => {
            format!(
                "{indent}target:\n{indent}  type: Value\n{indent}  value: {}\n",
                quoted(&quantity_of_milli(milli))
            )
        }
    }
}

fn metric_text(metric: &IntentMetric, lost: &mut Vec<String>) -> Option<String> {
    let target = target_text(metric.target, "        ");
    let (kind, field, body) = match &metric.measure {
        Measure::Resource(resource, None) => {
            ("Resource", "resource", format!("        name: {}\n", resource_name(resource)))
        }
        Measure::Resource(resource, Some(container)) => (
            "ContainerResource",
            "containerResource",
            format!("        name: {}\n        container: {container}\n", resource_name(resource)),
        ),
        Measure::Pods(name) => ("Pods", "pods", named(name)),
        Measure::Object(name, object) => (
            "Object",
            "object",
            format!("        describedObject:\n{}{}", reference(object, "          "), named(name)),
        ),
        Measure::External(name) => ("External", "external", named(name)),
        Measure::Query { query, .. } => {
            lost.push(format!(
                "the query `{}`: a rule of an adapter has to serve it as the External metric query_result",
                excerpt::excerpt(query)
            ));
            ("External", "external", named("query_result"))
        }
        Measure::Schedule { window: [timezone, start, end], desired } => {
            lost.push(format!("the schedule of {desired} replicas from `{start}` to `{end}` in {timezone}: KEDA's cron trigger has it"));
            return None;
        }
    };
    Some(format!("    - type: {kind}\n      {field}:\n{body}{target}"))
}

fn named(name: &str) -> String {
    format!("        metric:\n          name: {}\n", quoted(name))
}

/// Both directions as documents have them.
pub(super) fn behavior_text(behavior: &Behavior, indent: &str) -> String {
    let directions = [("scaleUp", &behavior.scale_up), ("scaleDown", &behavior.scale_down)];
    directions
        .into_iter()
        .filter_map(|(name, rules)| {
            Some(format!("{indent}{name}:\n{}", rules_text(rules.as_ref()?, &format!("{indent}  "))))
        })
        .collect()
}

fn rules_text(rules: &ScalingRules, indent: &str) -> String {
    let mut text = String::new();
    let mut line =
        |words: String| writeln!(text, "{indent}{words}").expect("a string takes whatever is written");
    if let Some(window) = rules.stabilization_window {
        line(format!("stabilizationWindowSeconds: {}", window.as_secs().min(3_600)));
    }
    if let Some(tolerance) = rules.tolerance {
        line(format!("tolerance: {}", trimmed(tolerance)));
    }
    if let Some(policies) = &rules.policies {
        line("policies:".to_owned());
        for policy in policies {
            let (kind, value) = match policy.change {
                ScalingChange::Pods(pods) => ("Pods", pods),
                ScalingChange::Percent(percent) => ("Percent", percent),
            };
            line(format!("  - {{type: {kind}, value: {value}, periodSeconds: {}}}", policy.period.as_secs()));
        }
    }
    if let Some(select) = rules.select_policy {
        let name = match select {
            SelectPolicy::Max => "Max",
            SelectPolicy::Min => "Min",
            SelectPolicy::Disabled => "Disabled",
        };
        line(format!("selectPolicy: {name}"));
    }
    if text.is_empty() { format!("{indent}selectPolicy: Max\n") } else { text }
}
