//! Rules about documents that work against each other.

use scaler_engine::hpa::MetricTarget;

use super::{Report, Severity};
use crate::manifest::{Document, Manifest};
use crate::subject::{Subject, resource_name};

pub(super) const HPA_AND_VPA: &str = "hpa-and-vpa";
pub(super) const TWO_ON_ONE_TARGET: &str = "two-autoscalers-on-one-target";

pub(super) fn judge(manifests: &[&Manifest], report: &mut Report) {
    let mut subjects: Vec<(usize, Subject<'_>)> = Vec::new();
    for (position, manifest) in manifests.iter().enumerate() {
        let of = manifest.documents.iter().filter_map(|document| Subject::of(document, manifests));
        subjects.extend(of.map(|subject| (position, subject)));
    }
    for (index, (position, subject)) in subjects.iter().enumerate() {
        report.manifest = *position;
        for (_, other) in subjects.iter().take(index) {
            two_on_one_target(subject, other, report);
        }
        for document in manifests.iter().flat_map(|manifest| &manifest.documents) {
            if let Document::Vpa(vpa) = document
                && vpa.target.kind == subject.target.kind
                && vpa.target.name == subject.target.name
                && vpa.header.shares_namespace_with(subject.header)
            {
                with_vpa(subject, vpa, report);
            }
        }
    }
}

fn two_on_one_target(subject: &Subject<'_>, other: &Subject<'_>, report: &mut Report) {
    let same = subject.target.kind == other.target.kind && subject.target.name == other.target.name;
    if !same || !subject.header.shares_namespace_with(other.header) {
        return;
    }
    // The same document twice is one document.
    if subject.kind == other.kind && subject.header.name == other.header.name && subject.spec == other.spec {
        return;
    }
    let bounds = |subject: &Subject<'_>| (subject.spec.min_replicas, subject.spec.max_replicas);
    let ((min, max), (other_min, other_max)) = (bounds(subject), bounds(other));
    let message = format!(
        "{} ({min} to {max} replicas) scales the same {} {} as {} ({other_min} to {other_max}): each undoes what the other \
         does; put all metrics into one",
        subject.title(),
        subject.target.kind,
        subject.target.name,
        other.title(),
    );
    let numbers = [
        ("min_replicas", f64::from(min)),
        ("max_replicas", f64::from(max)),
        ("other_min_replicas", f64::from(other_min)),
        ("other_max_replicas", f64::from(other_max)),
    ];
    report.about(subject, (TWO_ON_ONE_TARGET, Severity::Error), "spec.scaleTargetRef", message, &numbers);
}

fn with_vpa(subject: &Subject<'_>, vpa: &crate::vpa::VpaDocument, report: &mut Report) {
    for metric in &subject.metrics {
        let Some((resource, _)) = metric.resource() else { continue };
        let Some(MetricTarget::Utilization { percent }) = metric.metric.target else { continue };
        if !vpa.controls(resource) {
            continue;
        }
        let name = resource_name(resource);
        let message = format!(
            "{} scales by {percent} % of the requested {name}, which VerticalPodAutoscaler {} changes: more replicas lower the \
             use, the request follows it down, and {percent} % is reached sooner the next time; take {name} out of its \
             controlledResources or scale by another metric",
            subject.title(),
            vpa.header.name
        );
        let numbers = [("target_percent", f64::from(percent))];
        report.about(subject, (HPA_AND_VPA, Severity::Error), &metric.field, message, &numbers);
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{CPU, found, hpa};
    use super::super::{LintSettings, lint};
    use super::*;

    #[test]
    fn two_autoscalers_on_one_target_are_named_across_files() {
        let second = hpa(1, 9, CPU, "").replace("metadata: {name: shop}", "metadata: {name: other}");
        let finding = found(TWO_ON_ONE_TARGET, &format!("{}---\n{second}", hpa(2, 5, CPU, ""))).unwrap();
        assert_eq!((finding.numbers["other_max_replicas"], finding.numbers["max_replicas"]), (5.0, 9.0));
        let manifests = [Manifest::read(&hpa(2, 5, CPU, "")), Manifest::read(&second)];
        let findings = lint(&[&manifests[0], &manifests[1]], &LintSettings::default());
        let found_one = findings.iter().find(|finding| finding.rule == TWO_ON_ONE_TARGET).unwrap();
        assert_eq!(found_one.manifest, 1);
        let elsewhere = second.replace("name: other", "name: other, namespace: b");
        let here =
            hpa(2, 5, CPU, "").replace("metadata: {name: shop}", "metadata: {name: shop, namespace: a}");
        assert_eq!(found(TWO_ON_ONE_TARGET, &format!("{here}---\n{elsewhere}")), None);
        assert_eq!(found(TWO_ON_ONE_TARGET, &hpa(2, 5, CPU, "")), None);
    }

    #[test]
    fn a_vertical_autoscaler_on_the_same_resource_is_named() {
        let vpa = |policy: &str| {
            format!(
                "{}---\napiVersion: autoscaling.k8s.io/v1\nkind: VerticalPodAutoscaler\nmetadata: {{name: v}}\nspec:\n  \
                 targetRef: {{apiVersion: apps/v1, kind: Deployment, name: shop}}\n{policy}",
                hpa(2, 5, CPU, "")
            )
        };
        assert_eq!(found(HPA_AND_VPA, &vpa("")).unwrap().numbers.get("target_percent"), Some(&70.0));
        assert_eq!(found(HPA_AND_VPA, &vpa("  updatePolicy: {updateMode: 'Off'}\n")), None);
        let memory =
            "  resourcePolicy: {containerPolicies: [{containerName: '*', controlledResources: [memory]}]}\n";
        assert_eq!(found(HPA_AND_VPA, &vpa(memory)), None);
    }
}
