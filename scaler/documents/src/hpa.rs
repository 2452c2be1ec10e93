//! Reads a `HorizontalPodAutoscaler`, and refuses what Kubernetes' API server would.
//!
//! The rules are those of `pkg/apis/autoscaling/validation` (release 1.37), with the strict check of fields that
//! `kubectl` asks for.

mod behavior;
mod metrics;
mod v1;

use scaler_engine::hpa::{HpaSpec, Metric};

use crate::fields::Fields;
use crate::header::{Header, read_header};
use crate::problem::Problems;
use crate::target::{ObjectReference, read_reference};
use crate::tree::Lines;

pub(crate) use behavior::read_behavior;
pub use metrics::{MetricDetails, TargetType};

/// A `HorizontalPodAutoscaler` whose fields are checked.
#[derive(Clone, Debug, PartialEq)]
pub struct HpaDocument {
    /// Name, namespace, annotations.
    pub header: Header,
    /// `spec.scaleTargetRef`.
    pub target: ObjectReference,
    /// What decides.
    pub spec: HpaSpec,
    /// What a document says of each metric beyond the spec, in the same order.
    pub details: Vec<MetricDetails>,
    /// Whether `spec.metrics` stands in the document; the default stands in for it otherwise.
    pub has_metrics: bool,
    /// Where its fields stand.
    pub lines: Lines,
}

/// Reads a document of `autoscaling/v2`.
pub(crate) fn read(document: &mut Fields<'_>, problems: &mut Problems) -> HpaDocument {
    let header = read_header(document, problems);
    let Some(mut spec) = spec_of(document, problems) else { return nothing(header, problems) };
    let target = read_target(&mut spec, problems);
    let bounds = read_bounds(&mut spec, problems);
    let items = spec.list("metrics", problems);
    let mut metrics = Vec::new();
    let mut details = Vec::new();
    for (index, item) in items.unwrap_or_default().iter().enumerate() {
        if let Some((metric, detail)) =
            metrics::read_metric(item, &format!("spec.metrics[{index}]"), problems)
        {
            metrics.push(metric);
            details.push(detail);
        }
    }
    let has_metrics = items.is_some_and(|items| !items.is_empty());
    if !has_metrics {
        metrics.push(Metric::DEFAULT);
        details.push(MetricDetails::default());
        problems.notice(
            "spec.metrics",
            "no metrics are given, so Kubernetes' default holds: 80 % of the requested CPU",
        );
    }
    let behavior = spec.map("behavior", problems).map(|fields| read_behavior(fields, problems));
    spec.finish(problems);
    let spec = HpaSpec { min_replicas: bounds.0, max_replicas: bounds.1, behavior, metrics };
    check_zero(&spec, problems);
    HpaDocument { header, target, spec, details, has_metrics, lines: problems.lines.clone() }
}

/// Reads a document of `autoscaling/v1` and converts it.
pub(crate) fn read_v1(document: &mut Fields<'_>, problems: &mut Problems) -> HpaDocument {
    v1::read(document, problems)
}

fn spec_of<'n>(document: &mut Fields<'n>, problems: &mut Problems) -> Option<Fields<'n>> {
    if document.take("spec").is_none() {
        problems.missing(
            "spec",
            "what to scale and by what",
            "add spec: with scaleTargetRef and maxReplicas",
        );
    }
    document.map("spec", problems)
}

fn nothing(header: Header, problems: &Problems) -> HpaDocument {
    let target = ObjectReference { api_version: None, kind: String::new(), name: String::new() };
    let spec = HpaSpec { min_replicas: 1, max_replicas: 1, behavior: None, metrics: Vec::new() };
    HpaDocument {
        header,
        target,
        spec,
        details: Vec::new(),
        has_metrics: false,
        lines: problems.lines.clone(),
    }
}

fn read_target(spec: &mut Fields<'_>, problems: &mut Problems) -> ObjectReference {
    if spec.take("scaleTargetRef").is_none() {
        problems.missing(
            "spec.scaleTargetRef",
            "the object to scale",
            "add scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: …}",
        );
    }
    match spec.map("scaleTargetRef", problems) {
        Some(fields) => read_reference(fields, None, problems),
        None => ObjectReference { api_version: None, kind: String::new(), name: String::new() },
    }
}

/// The fewest and the most replicas.
fn read_bounds(spec: &mut Fields<'_>, problems: &mut Problems) -> (u32, u32) {
    let min = spec.replicas("minReplicas", 0, "0 needs an Object or External metric", problems).unwrap_or(1);
    if spec.take("maxReplicas").is_none() {
        problems.missing(
            "spec.maxReplicas",
            "the most replicas, at least 1",
            "add maxReplicas: 10, for example",
        );
        return (min, min.max(1));
    }
    match spec.replicas("maxReplicas", 1, "the autoscaler needs room for at least one replica", problems) {
        Some(max) if max < min => {
            let expected = format!("at least minReplicas, which is {min}");
            problems.wrong("spec.maxReplicas", max, expected, "raise maxReplicas or lower minReplicas");
            (min, min)
        }
        Some(max) => (min, max),
        None => (min, min.max(1)),
    }
}

fn check_zero(spec: &HpaSpec, problems: &mut Problems) {
    if spec.min_replicas == 0 && !spec.can_leave_zero() {
        problems.wrong(
            "spec.minReplicas",
            0,
            "at least 1 without an Object or External metric",
            "at zero replicas no pod reports anything: add a metric from outside the pods, or set minReplicas: 1",
        );
    }
}
