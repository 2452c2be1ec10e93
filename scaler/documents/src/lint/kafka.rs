//! Rules about consumers of a topic.

use super::{LintSettings, Report, Severity};
use crate::keda::{KafkaTrigger, ScaledObjectDocument, TriggerKind};

pub(super) const PARTITIONS: &str = "kafka-threshold-and-partitions";

pub(super) fn judge(object: &ScaledObjectDocument, settings: &LintSettings, report: &mut Report) {
    for trigger in &object.triggers {
        if let TriggerKind::Kafka(kafka) = &trigger.kind {
            let field = format!("spec.triggers[{}].metadata.lagThreshold", trigger.position);
            partitions(object, kafka, &field, settings, report);
        }
    }
}

/// The lag is cut to partitions × threshold, so partitions bound the count.
fn partitions(
    object: &ScaledObjectDocument,
    kafka: &KafkaTrigger,
    field: &str,
    settings: &LintSettings,
    report: &mut Report,
) {
    let max = object.object.max_replicas.unwrap_or(100);
    let threshold = kafka.options.lag_threshold;
    let topic = kafka.topic.as_deref().unwrap_or("all topics of the group");
    if kafka.options.allow_idle_consumers {
        return;
    }
    let reaches_max = threshold as f64 * f64::from(max.saturating_sub(1));
    let mut numbers = vec![
        ("lag_threshold", threshold as f64),
        ("max_replicas", f64::from(max)),
        ("lag_for_max_replicas", reaches_max),
    ];
    let (severity, message) = match settings.partitions {
        Some(partitions) if partitions >= max => return,
        Some(partitions) => {
            let cut = threshold as f64 * f64::from(partitions);
            numbers.extend([("partitions", f64::from(partitions)), ("lag_cut_to", cut)]);
            let message = format!(
                "{topic} has {partitions} partitions, so the lag is cut to {cut} ({partitions} × {threshold}) and the count stays \
                 at {partitions}, below the maximum of {max}; a lag between {cut} and {} still makes {} consumers, of which one \
                 idles; add partitions or lower the maximum",
                cut + threshold as f64,
                partitions + 1,
            );
            (Severity::Warning, message)
        }
        None => {
            let message = format!(
                "{max} consumers need a lag above {reaches_max} at {threshold} each, and at least {max} partitions in {topic}: with \
                 fewer, KEDA cuts the lag to partitions × {threshold}; say how many there are with --partitions"
            );
            (Severity::Info, message)
        }
    };
    report.add(PARTITIONS, severity, (object.lines.of_field(field), field), message, &numbers);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{found, found_with};
    use super::*;

    fn object(options: &str) -> String {
        format!(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: x}}\nspec:\n  scaleTargetRef: {{name: x}}\n  maxReplicaCount: 5\n  triggers:\n    \
             - type: kafka\n      metadata: {{bootstrapServers: k, consumerGroup: g, topic: t, lagThreshold: '100'{options}}}\n"
        )
    }

    #[test]
    fn partitions_bound_the_consumers() {
        let with = |partitions| LintSettings { partitions: Some(partitions), ..LintSettings::default() };
        let finding = found_with(PARTITIONS, &object(""), &with(3)).unwrap();
        assert_eq!((finding.severity, finding.numbers["lag_cut_to"]), (Severity::Warning, 300.0));
        assert_eq!(found_with(PARTITIONS, &object(""), &with(5)), None);
        let unknown = found(PARTITIONS, &object("")).unwrap();
        assert_eq!((unknown.severity, unknown.numbers["lag_for_max_replicas"]), (Severity::Info, 400.0));
        assert_eq!(found(PARTITIONS, &object(", allowIdleConsumers: 'true'")), None);
    }
}
