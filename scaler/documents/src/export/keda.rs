//! Writes an intent as a `ScaledObject` of KEDA.

use scaler_engine::hpa::{MetricTarget, Resource};

use super::hpa::behavior_text;
use super::intent::{Intent, IntentMetric, Measure};
use super::quoted;
use crate::quantity::{quantity_of_milli, trimmed};
use crate::subject::resource_name;

/// Where KEDA is to look for Prometheus, unless the document says it.
const SERVER: &str = "http://prometheus:9090";

pub(super) fn write(intent: &Intent, lost: &mut Vec<String>) -> String {
    let version = intent.target.api_version.as_ref().map(|version| format!("    apiVersion: {version}\n"));
    let cooldown = intent.cooldown.map(|cooldown| format!("  cooldownPeriod: {}\n", cooldown.as_secs()));
    let mut text = format!(
        "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata:\n  name: {}\nspec:\n  scaleTargetRef:\n{}    kind: {}\n    \
         name: {}\n  minReplicaCount: {}\n  maxReplicaCount: {}\n{}",
        intent.name,
        version.unwrap_or_default(),
        intent.target.kind,
        intent.target.name,
        intent.min_replicas,
        intent.max_replicas,
        cooldown.unwrap_or_default(),
    );
    if let Some(behavior) = &intent.behavior {
        text.push_str("  advanced:\n    horizontalPodAutoscalerConfig:\n      behavior:\n");
        text.push_str(&behavior_text(behavior, "        "));
    }
    let triggers: String = intent.metrics.iter().filter_map(|metric| trigger(metric, lost)).collect();
    if triggers.is_empty() {
        lost.push("every metric: a ScaledObject without triggers is not valid".to_owned());
    }
    text.push_str("  triggers:\n");
    text.push_str(&triggers);
    text
}

fn trigger(metric: &IntentMetric, lost: &mut Vec<String>) -> Option<String> {
    let prometheus = |server: &str, query: &str, activation: f64, lost: &mut Vec<String>| {
        let (kind, threshold) = match metric.target {
            MetricTarget::AverageValue { milli } => ("AverageValue", milli),
            MetricTarget::Value { milli } => ("Value", milli),
            MetricTarget::Utilization { .. } => {
                lost.push("a utilisation of something that is not a resource".to_owned());
                return None;
            }
        };
        let activation = match activation {
            0.0 => String::new(),
            activation => format!("        activationThreshold: {}\n", quoted(&trimmed(activation))),
        };
        Some(format!(
            "    - type: prometheus\n      metricType: {kind}\n      metadata:\n        serverAddress: {}\n        query: {}\n        \
             threshold: {}\n{activation}",
            quoted(server),
            quoted(query),
            quoted(&trimmed(threshold as f64 / 1_000.0))
        ))
    };
    match &metric.measure {
        Measure::Resource(resource @ (Resource::Cpu | Resource::Memory), container) => {
            let (kind, value) = match metric.target {
                MetricTarget::Utilization { percent } => ("Utilization", percent.to_string()),
                MetricTarget::AverageValue { milli } | MetricTarget::Value { milli } => {
                    ("AverageValue", quantity_of_milli(milli))
                }
            };
            let container =
                container.as_ref().map(|name| format!("        containerName: {}\n", quoted(name)));
            Some(format!(
                "    - type: {}\n      metricType: {kind}\n      metadata:\n        value: {}\n{}",
                resource_name(resource),
                quoted(&value),
                container.unwrap_or_default()
            ))
        }
        Measure::Resource(resource, _) => {
            lost.push(format!(
                "the resource {}: KEDA has triggers for cpu and memory only",
                resource_name(resource)
            ));
            None
        }
        Measure::Pods(name) => {
            lost.push(format!("{name} as a metric of each pod: its sum over the pods is divided by them, which is the same where all report"));
            prometheus(SERVER, &format!("sum({name})"), 0.0, lost)
        }
        Measure::Object(name, object) => {
            lost.push(format!("that {name} belongs to {} {}", object.kind, object.name));
            prometheus(SERVER, name, 0.0, lost)
        }
        Measure::External(name) => {
            lost.push(format!("where {name} comes from: a query of that name stands in"));
            prometheus(SERVER, &name.replace('-', "_"), 0.0, lost)
        }
        Measure::Query { server, query, activation } => prometheus(server, query, *activation, lost),
        Measure::Schedule { window: [timezone, start, end], desired } => Some(format!(
            "    - type: cron\n      metadata:\n        timezone: {}\n        start: {}\n        end: {}\n        desiredReplicas: \
             \"{desired}\"\n",
            quoted(timezone),
            quoted(start),
            quoted(end)
        )),
    }
}
