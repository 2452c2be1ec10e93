//! Converts `autoscaling/v1`, which knows CPU utilisation only.

use scaler_engine::hpa::{HpaSpec, Metric, MetricSource, MetricTarget, Resource};

use super::{HpaDocument, MetricDetails, TargetType, nothing, read_bounds, read_target, spec_of};
use crate::fields::Fields;
use crate::header::read_header;
use crate::problem::Problems;

/// Annotations in which a server hides what `autoscaling/v1` cannot say.
const HIDDEN: [&str; 2] =
    ["autoscaling.alpha.kubernetes.io/metrics", "autoscaling.alpha.kubernetes.io/behavior"];

pub(super) fn read(document: &mut Fields<'_>, problems: &mut Problems) -> HpaDocument {
    let header = read_header(document, problems);
    problems.notice("apiVersion", "autoscaling/v1 is read as autoscaling/v2 with the same meaning");
    for annotation in HIDDEN {
        if header.annotations.contains_key(annotation) {
            let field = format!("metadata.annotations[{annotation}]");
            let message = "is not read: it holds what autoscaling/v1 cannot say; print the object with \
                           `kubectl get hpa.v2.autoscaling NAME -o yaml`";
            problems.notice(&field, format!("`{field}` {message}"));
        }
    }
    let Some(mut spec) = spec_of(document, problems) else { return nothing(header, problems) };
    let target = read_target(&mut spec, problems);
    let (min_replicas, max_replicas) = read_bounds(&mut spec, problems);
    let name = "targetCPUUtilizationPercentage";
    let has_metrics = spec.take(name).is_some();
    let percent = spec.whole(name, 1..=i32::MAX, "percent of the requested CPU, 80 for example", problems);
    spec.finish(problems);
    let metric = match percent {
        Some(percent) => Metric {
            source: MetricSource::Resource(Resource::Cpu),
            target: Some(MetricTarget::Utilization { percent }),
        },
        None => Metric::DEFAULT,
    };
    let details = MetricDetails { declared: TargetType::Utilization, ..MetricDetails::default() };
    let spec = HpaSpec { min_replicas, max_replicas, behavior: None, metrics: vec![metric] };
    super::check_zero(&spec, problems);
    HpaDocument { header, target, spec, details: vec![details], has_metrics, lines: problems.lines.clone() }
}
