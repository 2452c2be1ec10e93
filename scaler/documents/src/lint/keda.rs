//! Rules about the loop between zero and the minimum that KEDA runs itself.

use scaler_engine::keda::POLLING_INTERVAL as DEFAULT_INTERVAL;

use super::{LintSettings, Report, Severity};
use crate::keda::{ScaledObjectDocument, TriggerKind};

pub(super) const COOLDOWN_WITHOUT_ZERO: &str = "cooldown-without-zero";
pub(super) const NEVER_ZERO: &str = "resource-triggers-never-reach-zero";
pub(super) const POLLING_INTERVAL: &str = "polling-interval-without-zero";

pub(super) fn judge(object: &ScaledObjectDocument, settings: &LintSettings, report: &mut Report) {
    let min = object.object.min_replicas.unwrap_or(0);
    let stays_above_zero = min >= 1 && object.object.idle_replicas.is_none();
    let place = |field: &'static str| (object.lines.of_field(field), field);
    if stays_above_zero && object.has_cooldown {
        let cooldown = object.activation.cooldown.as_secs_f64();
        let window = object
            .object
            .behavior
            .as_ref()
            .and_then(|behavior| behavior.complete_scale_down().stabilization_window)
            .unwrap_or(settings.controller.downscale_stabilization)
            .as_secs_f64();
        let message = format!(
            "cooldownPeriod of {cooldown} s holds for the way to zero only, and minReplicaCount is {min}: it does nothing; \
             how long replicas above {min} stay is the autoscaler's window of {window} s"
        );
        let numbers =
            [("cooldown_seconds", cooldown), ("min_replicas", f64::from(min)), ("window_seconds", window)];
        report.add(COOLDOWN_WITHOUT_ZERO, Severity::Warning, place("spec.cooldownPeriod"), message, &numbers);
    }
    let cached = object.triggers.iter().any(|trigger| trigger.uses_cached_metrics);
    if stays_above_zero && !cached && object.polling_interval != DEFAULT_INTERVAL {
        let polling = object.polling_interval.as_secs_f64();
        let sync = settings.controller.sync_period.as_secs_f64();
        let message = format!(
            "pollingInterval of {polling} s drives the way from and to zero only, and minReplicaCount is {min}: between {min} \
             and the maximum the autoscaler asks the triggers itself, every {sync} s"
        );
        let numbers =
            [("polling_seconds", polling), ("min_replicas", f64::from(min)), ("sync_period_seconds", sync)];
        report.add(POLLING_INTERVAL, Severity::Info, place("spec.pollingInterval"), message, &numbers);
    }
    let only_resources = !object.triggers.is_empty()
        && object.triggers.iter().all(|trigger| matches!(trigger.kind, TriggerKind::Resource(_)));
    if min == 0 && only_resources {
        let message = "only cpu and memory triggers: at zero replicas there is nothing to measure, so KEDA keeps the target \
                       at 1 and more, although minReplicaCount is 0; add another trigger or set minReplicaCount: 1";
        let numbers = [("min_replicas", 0.0), ("triggers", object.triggers.len() as f64)];
        report.add(
            NEVER_ZERO,
            Severity::Warning,
            place("spec.minReplicaCount"),
            message.to_owned(),
            &numbers,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::found;
    use super::*;

    fn object(spec: &str, trigger: &str) -> String {
        format!(
            "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: x}}\nspec:\n  scaleTargetRef: {{name: x}}\n{spec}  triggers: [{trigger}]\n"
        )
    }

    const KAFKA: &str = "{type: kafka, metadata: {bootstrapServers: k, consumerGroup: g}}";
    const CPU: &str = "{type: cpu, metadata: {value: '60'}}";

    #[test]
    fn a_cooldown_above_zero_does_nothing() {
        let finding =
            found(COOLDOWN_WITHOUT_ZERO, &object("  minReplicaCount: 1\n  cooldownPeriod: 120\n", KAFKA))
                .unwrap();
        assert_eq!(
            (finding.line, finding.numbers["cooldown_seconds"], finding.numbers["window_seconds"]),
            (7, 120.0, 300.0)
        );
        assert_eq!(
            found(COOLDOWN_WITHOUT_ZERO, &object("  minReplicaCount: 0\n  cooldownPeriod: 120\n", KAFKA)),
            None
        );
        assert_eq!(found(COOLDOWN_WITHOUT_ZERO, &object("  minReplicaCount: 1\n", KAFKA)), None);
        let idle = "  minReplicaCount: 1\n  idleReplicaCount: 0\n  cooldownPeriod: 120\n";
        assert_eq!(found(COOLDOWN_WITHOUT_ZERO, &object(idle, KAFKA)), None);
    }

    #[test]
    fn a_polling_interval_above_zero_does_nothing() {
        let finding =
            found(POLLING_INTERVAL, &object("  minReplicaCount: 2\n  pollingInterval: 5\n", KAFKA)).unwrap();
        assert_eq!(finding.numbers.get("polling_seconds"), Some(&5.0));
        assert_eq!(found(POLLING_INTERVAL, &object("  pollingInterval: 5\n", KAFKA)), None);
    }

    #[test]
    fn resources_alone_never_reach_zero() {
        assert!(found(NEVER_ZERO, &object("", CPU)).is_some());
        assert_eq!(found(NEVER_ZERO, &object("", &format!("{CPU}, {KAFKA}"))), None);
        assert_eq!(found(NEVER_ZERO, &object("  minReplicaCount: 1\n", CPU)), None);
    }
}
