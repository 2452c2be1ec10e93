//! Rules about the fewest and the most replicas.

use super::{Report, Severity};
use crate::knative::KnativeDocument;
use crate::subject::Subject;

pub(super) const MIN_EQUALS_MAX: &str = "min-equals-max";
pub(super) const REPLICAS_IN_WORKLOAD: &str = "replicas-in-workload";

pub(super) fn judge(subject: &Subject<'_>, report: &mut Report) {
    min_equals_max(subject, report);
    replicas_in_workload(subject, report);
}

fn min_equals_max(subject: &Subject<'_>, report: &mut Report) {
    let (min, max) = (subject.spec.min_replicas, subject.spec.max_replicas);
    // KEDA still moves between zero and the minimum.
    let leaves_zero =
        subject.scaled_object.is_some_and(|object| object.object.min_replicas.unwrap_or(0) == 0);
    if min != max || leaves_zero {
        return;
    }
    let message =
        format!("the fewest and the most replicas are both {min}: nothing is ever scaled; raise the maximum");
    let numbers = [("min_replicas", f64::from(min)), ("max_replicas", f64::from(max))];
    report.about(subject, (MIN_EQUALS_MAX, Severity::Error), subject.fields.max, message, &numbers);
}

/// Each time the file is applied, the count goes back to what it says.
fn replicas_in_workload(subject: &Subject<'_>, report: &mut Report) {
    let Some(workload) = subject.workload else { return };
    let Some(replicas) = workload.replicas else { return };
    let (min, max) = (subject.spec.min_replicas, subject.spec.max_replicas);
    let message = format!(
        "`spec.replicas` is {replicas} in {} {}, which {} scales between {min} and {max}: each time the file is applied, \
         {max} replicas at a peak become {replicas}; remove the field from the {}",
        workload.kind,
        workload.header.name,
        subject.title(),
        workload.kind,
    );
    let line = workload.lines.of_field("spec.replicas");
    let numbers = [
        ("replicas", f64::from(replicas)),
        ("min_replicas", f64::from(min)),
        ("max_replicas", f64::from(max)),
    ];
    report.add(REPLICAS_IN_WORKLOAD, Severity::Warning, (line, "spec.replicas"), message, &numbers);
}

pub(super) fn knative(service: &KnativeDocument, report: &mut Report) {
    let (min, max) = (service.settings.min_scale, service.settings.max_scale);
    if min == 0 || min != max {
        return;
    }
    let field = "spec.template.metadata.annotations[autoscaling.knative.dev/max-scale]";
    let message = format!("min-scale and max-scale are both {min}: nothing is ever scaled; raise max-scale");
    let numbers = [("min_replicas", f64::from(min)), ("max_replicas", f64::from(max))];
    report.add(MIN_EQUALS_MAX, Severity::Error, (service.lines.of_field(field), field), message, &numbers);
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CPU, found, hpa, with_deployment};
    use super::*;

    #[test]
    fn equal_bounds_scale_nothing() {
        let finding = found(MIN_EQUALS_MAX, &hpa(3, 3, CPU, "")).unwrap();
        assert_eq!((finding.field.as_str(), finding.numbers["max_replicas"]), ("spec.maxReplicas", 3.0));
        assert_eq!(found(MIN_EQUALS_MAX, &hpa(2, 3, CPU, "")), None);
        let keda = |min| {
            format!(
                "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {{name: x}}\nspec:\n  scaleTargetRef: {{name: x}}\n  minReplicaCount: {min}\n  maxReplicaCount: 1\n  triggers: [{{type: kafka, metadata: {{bootstrapServers: k, consumerGroup: g}}}}]\n"
            )
        };
        assert!(found(MIN_EQUALS_MAX, &keda(1)).is_some());
        assert_eq!(found(MIN_EQUALS_MAX, &keda(0)), None, "it still moves between zero and one");
    }

    #[test]
    fn a_count_in_the_deployment_is_set_again_with_each_apply() {
        let finding =
            found(REPLICAS_IN_WORKLOAD, &with_deployment("  replicas: 2\n", "", &hpa(2, 6, CPU, "")))
                .unwrap();
        assert_eq!((finding.line, finding.numbers["replicas"]), (5, 2.0));
        assert_eq!(found(REPLICAS_IN_WORKLOAD, &with_deployment("", "", &hpa(2, 6, CPU, ""))), None);
    }
}
