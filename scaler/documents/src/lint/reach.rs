//! Rules about counts that rounding up and the tolerance keep out of reach.

use scaler_engine::hpa::{MetricTarget, Resource};

use super::resources::cap_percent;
use super::{LintSettings, Report, Severity};
use crate::keda::TriggerKind;
use crate::quantity::trimmed;
use crate::subject::{Subject, SubjectMetric};

pub(super) const TARGET_NEVER_REACHED: &str = "target-never-reached";
pub(super) const WITHIN_TOLERANCE: &str = "one-more-within-tolerance";

pub(super) fn judge(subject: &Subject<'_>, settings: &LintSettings, report: &mut Report) {
    let tolerances = settings.controller.tolerances(subject.spec.behavior.as_ref());
    for metric in &subject.metrics {
        if let Some(MetricTarget::Utilization { percent }) = metric.metric.target {
            never_up(subject, metric, percent, tolerances.up, report);
        }
        one_short(subject, metric, tolerances.up, report);
    }
    never_down(subject, tolerances.down, report);
    within_tolerance(subject, tolerances.up, report);
    two_counts(subject, tolerances.down, report);
}

/// The lowest whole percent that is above a target and its tolerance: utilisation is cut to whole percent.
fn acts_from(percent: i32, tolerance: f64) -> i32 {
    let is_above = |used: i32| f64::from(used) / f64::from(percent) > 1.0 + tolerance;
    let bound = (f64::from(percent) * (1.0 + tolerance)).floor();
    if bound >= f64::from(i32::MAX - 2) {
        return i32::MAX;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it lies in the range, as was just tested")]
    let bound = bound as i32;
    (bound..=bound + 2).find(|used| is_above(*used)).unwrap_or(i32::MAX)
}

fn never_up(
    subject: &Subject<'_>,
    metric: &SubjectMetric<'_>,
    percent: i32,
    tolerance: f64,
    report: &mut Report,
) {
    let Some((resource, container)) = metric.resource() else { return };
    if subject.spec.min_replicas >= subject.spec.max_replicas {
        return;
    }
    let needed = acts_from(percent, tolerance);
    let name = metric.name();
    let rule = format!(
        "with a target of {percent} % and a tolerance of {tolerance} it adds a replica from {needed} % on"
    );
    let (severity, cap, message) = match cap_percent(subject, resource, container) {
        Some(cap) if cap < f64::from(needed) => {
            let message = format!(
                "{rule}, but a pod's limit is at {} % of its request: {name} never adds one",
                trimmed(cap)
            );
            (Severity::Error, cap, message)
        }
        None if *resource == Resource::Cpu && needed > 100 => {
            let message = format!(
                "{rule}: pods whose limit equals their request never use more than 100 %, so none is ever added; lower the \
                 target to at most {} %",
                trimmed((100.0 / (1.0 + tolerance)).floor() - 1.0)
            );
            (Severity::Warning, 100.0, message)
        }
        _ => return,
    };
    let numbers = [
        ("target_percent", f64::from(percent)),
        ("tolerance", tolerance),
        ("acts_from_percent", f64::from(needed)),
        ("limit_percent_of_request", cap),
    ];
    report.about(subject, (TARGET_NEVER_REACHED, severity), &metric.field, message, &numbers);
}

/// A schedule's count is not reached from just below it.
fn one_short(subject: &Subject<'_>, metric: &SubjectMetric<'_>, tolerance: f64, report: &mut Report) {
    let Some(TriggerKind::Cron(cron)) = metric.trigger.map(|trigger| &trigger.kind) else { return };
    let desired = cron.desired.min(subject.spec.max_replicas);
    if desired < 2 || f64::from(desired) / f64::from(desired - 1) > 1.0 + tolerance {
        return;
    }
    let stuck_from = (f64::from(desired) / (1.0 + tolerance)).ceil();
    let message = format!(
        "the schedule wants {desired} replicas, but with {stuck_from} to {} there are, the difference is within the tolerance \
         of {tolerance}: the count stays there; set minReplicaCount or a tolerance of 0",
        desired - 1
    );
    let numbers = [
        ("desired_replicas", f64::from(desired)),
        ("tolerance", tolerance),
        ("stuck_from_replicas", stuck_from),
    ];
    let field = format!("{}.desiredReplicas", metric.field);
    report.about(subject, (TARGET_NEVER_REACHED, Severity::Warning), &field, message, &numbers);
}

fn never_down(subject: &Subject<'_>, tolerance: f64, report: &mut Report) {
    if tolerance < 1.0 {
        return;
    }
    let field = format!("{}.scaleDown.tolerance", subject.fields.behavior);
    let message = format!(
        "a tolerance of {tolerance} leaves every value from 0 to the target alone: no replica is ever removed; 0.1 is 10 %"
    );
    report.about(
        subject,
        (TARGET_NEVER_REACHED, Severity::Error),
        &field,
        message,
        &[("tolerance", tolerance)],
    );
}

/// From `1 ÷ tolerance` replicas on, the need for one more is within the tolerance.
fn within_tolerance(subject: &Subject<'_>, tolerance: f64, report: &mut Report) {
    let max = subject.spec.max_replicas;
    if tolerance <= 0.0 || max < 2 || f64::from(max) / f64::from(max - 1) > 1.0 + tolerance {
        return;
    }
    let from = (1.0 / tolerance).ceil().max(1.0);
    if from >= f64::from(max) {
        return;
    }
    let late = f64::from(max - 1) * (1.0 + tolerance);
    let message = format!(
        "from {from} replicas on, the need for one more is within the tolerance of {tolerance}: with {} replicas the next one \
         comes only where the load needs more than {} of them; lower scaleUp.tolerance if that matters",
        max - 1,
        trimmed(late)
    );
    let numbers = [
        ("max_replicas", f64::from(max)),
        ("tolerance", tolerance),
        ("from_replicas", from),
        ("acts_above_replicas", late),
    ];
    report.about(subject, (WITHIN_TOLERANCE, Severity::Info), subject.fields.max, message, &numbers);
}

/// With two counts to choose from, rounding up keeps the higher one over a wide range.
fn two_counts(subject: &Subject<'_>, tolerance: f64, report: &mut Report) {
    let (min, max) = (subject.spec.min_replicas.max(1), subject.spec.max_replicas);
    if max != min + 1 || tolerance >= 1.0 {
        return;
    }
    for metric in &subject.metrics {
        let Some(MetricTarget::Utilization { percent }) = metric.metric.target else { continue };
        let below = f64::from(percent) * f64::from(min) / f64::from(max);
        let message = format!(
            "rounding up keeps {max} replicas until each uses at most {} %, though the target is {percent} %: between the two \
             {max} stay where {min} would be above the target",
            trimmed(below)
        );
        let numbers = [
            ("target_percent", f64::from(percent)),
            ("falls_below_percent", below),
            ("min_replicas", f64::from(min)),
            ("max_replicas", f64::from(max)),
        ];
        report.about(subject, (TARGET_NEVER_REACHED, Severity::Info), &metric.field, message, &numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CPU, found, hpa, with_deployment};
    use super::*;

    fn cpu(percent: i32) -> String {
        CPU.replace("70", &percent.to_string())
    }

    #[test]
    fn utilisation_acts_from_the_next_whole_percent_above_the_tolerance() {
        assert_eq!(
            [acts_from(65, 0.1), acts_from(50, 0.1), acts_from(100, 0.0), acts_from(5, 0.1)],
            [72, 56, 101, 6]
        );
        assert_eq!(acts_from(i32::MAX, 0.1), i32::MAX);
    }

    #[test]
    fn a_target_that_a_pod_cannot_exceed_adds_no_replica() {
        let finding = found(TARGET_NEVER_REACHED, &hpa(2, 5, &cpu(95), "")).unwrap();
        assert_eq!((finding.severity, finding.numbers["acts_from_percent"]), (Severity::Warning, 105.0));
        let capped = with_deployment("", "requests: {cpu: 1}, limits: {cpu: 1}", &hpa(2, 5, &cpu(95), ""));
        assert_eq!(found(TARGET_NEVER_REACHED, &capped).unwrap().severity, Severity::Error);
        let wide = with_deployment("", "requests: {cpu: 1}, limits: {cpu: 2}", &hpa(2, 5, &cpu(95), ""));
        assert_eq!(found(TARGET_NEVER_REACHED, &wide), None);
        assert_eq!(found(TARGET_NEVER_REACHED, &hpa(2, 5, CPU, "")), None);
    }

    #[test]
    fn a_tolerance_of_one_removes_nothing() {
        let text = hpa(2, 5, CPU, "  behavior: {scaleDown: {tolerance: 1}}\n");
        assert_eq!(found(TARGET_NEVER_REACHED, &text).unwrap().severity, Severity::Error);
        assert_eq!(found(TARGET_NEVER_REACHED, &text.replace("tolerance: 1", "tolerance: 0.5")), None);
    }

    #[test]
    fn two_counts_are_held_apart_by_rounding() {
        let finding = found(TARGET_NEVER_REACHED, &hpa(1, 2, CPU, "")).unwrap();
        assert!((finding.numbers["falls_below_percent"] - 35.0).abs() < 1e-9, "{finding:?}");
    }

    #[test]
    fn many_replicas_leave_the_need_for_one_more_within_the_tolerance() {
        let finding = found(WITHIN_TOLERANCE, &hpa(1, 12, CPU, "")).unwrap();
        assert_eq!((finding.numbers["from_replicas"], finding.numbers["max_replicas"]), (10.0, 12.0));
        assert_eq!(found(WITHIN_TOLERANCE, &hpa(1, 10, CPU, "")), None);
        assert_eq!(
            found(WITHIN_TOLERANCE, &hpa(1, 12, CPU, "  behavior: {scaleUp: {tolerance: 0.01}}\n")),
            None
        );
    }

    #[test]
    fn a_schedule_stays_one_short() {
        let keda = |desired: u32| {
            format!(
                "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: x}}\nspec:\n  scaleTargetRef: {{name: x}}\n  triggers:\n    - type: cron\n      \
                 metadata: {{timezone: UTC, start: '0 8 * * *', end: '0 9 * * *', desiredReplicas: '{desired}'}}\n"
            )
        };
        let finding = found(TARGET_NEVER_REACHED, &keda(89)).unwrap();
        assert_eq!(finding.numbers.get("stuck_from_replicas"), Some(&81.0), "{}", finding.message);
        assert_eq!(found(TARGET_NEVER_REACHED, &keda(3)), None);
    }
}
