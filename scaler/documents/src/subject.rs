//! One autoscaler of replicas, whichever document it comes from: what rules and explanations look at.

use scaler_engine::hpa::{HpaSpec, Metric, MetricSource, Resource};
use scaler_engine::keda::generate_hpa;

use crate::header::Header;
use crate::hpa::HpaDocument;
use crate::keda::{ScaledObjectDocument, TriggerDocument, TriggerKind};
use crate::manifest::{Document, Manifest};
use crate::target::ObjectReference;
use crate::tree::Lines;
use crate::workload::Workload;

/// A `HorizontalPodAutoscaler`, or the one that KEDA generates from a `ScaledObject`.
#[derive(Clone, Debug)]
pub(crate) struct Subject<'a> {
    /// The kind of its document.
    pub(crate) kind: &'static str,
    pub(crate) header: &'a Header,
    pub(crate) target: &'a ObjectReference,
    pub(crate) spec: HpaSpec,
    pub(crate) lines: &'a Lines,
    pub(crate) fields: Fields,
    /// The metrics of the spec, in its order.
    pub(crate) metrics: Vec<SubjectMetric<'a>>,
    /// The object that it scales, where it is known.
    pub(crate) workload: Option<&'a Workload>,
    /// The document, if it is KEDA's.
    pub(crate) scaled_object: Option<&'a ScaledObjectDocument>,
}

/// Where the document has what an autoscaler is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields {
    pub(crate) max: &'static str,
    pub(crate) behavior: &'static str,
}

/// A metric with its place.
#[derive(Clone, Debug)]
pub(crate) struct SubjectMetric<'a> {
    /// Where its target stands.
    pub(crate) field: String,
    pub(crate) metric: Metric,
    /// The trigger it comes from; none for the metric of a formula.
    pub(crate) trigger: Option<&'a TriggerDocument>,
}

impl SubjectMetric<'_> {
    /// Its name, for people.
    pub(crate) fn name(&self) -> &str {
        match &self.metric.source {
            MetricSource::Resource(resource) | MetricSource::ContainerResource { resource, .. } => {
                resource_name(resource)
            }
            MetricSource::Pods(metric) | MetricSource::Object(metric) | MetricSource::External(metric) => {
                &metric.name
            }
            _ => "unknown",
        }
    }

    /// Resource and container, if it is a resource.
    pub(crate) fn resource(&self) -> Option<(&Resource, Option<&str>)> {
        match &self.metric.source {
            MetricSource::Resource(resource) => Some((resource, None)),
            MetricSource::ContainerResource { resource, container } => Some((resource, Some(container))),
            _ => None,
        }
    }
}

/// A resource's name in documents.
pub(crate) fn resource_name(resource: &Resource) -> &str {
    match resource {
        Resource::Cpu => "cpu",
        Resource::Memory => "memory",
        Resource::Other(name) => name,
    }
}

impl<'a> Subject<'a> {
    /// The subject of a document; none for other kinds. `manifests` is where its workload is looked for.
    pub(crate) fn of(document: &'a Document, manifests: &[&'a Manifest]) -> Option<Self> {
        match document {
            Document::Hpa(hpa) => Some(Self::of_hpa(hpa, manifests)),
            Document::ScaledObject(object) => Self::of_scaled_object(object, manifests),
            _ => None,
        }
    }

    fn of_hpa(hpa: &'a HpaDocument, manifests: &[&'a Manifest]) -> Self {
        let metrics = hpa.spec.metrics.iter().enumerate().map(|(index, metric)| {
            let source = match &metric.source {
                MetricSource::Resource(_) => "resource",
                MetricSource::ContainerResource { .. } => "containerResource",
                MetricSource::Pods(_) => "pods",
                MetricSource::Object(_) => "object",
                _ => "external",
            };
            let field = format!("spec.metrics[{index}].{source}.target");
            SubjectMetric { field, metric: metric.clone(), trigger: None }
        });
        Self {
            kind: "HorizontalPodAutoscaler",
            header: &hpa.header,
            target: &hpa.target,
            spec: hpa.spec.clone(),
            lines: &hpa.lines,
            fields: Fields { max: "spec.maxReplicas", behavior: "spec.behavior" },
            metrics: metrics.collect(),
            workload: workload(&hpa.target, &hpa.header, manifests),
            scaled_object: None,
        }
    }

    fn of_scaled_object(object: &'a ScaledObjectDocument, manifests: &[&'a Manifest]) -> Option<Self> {
        let spec = generate_hpa(&object.object).ok()?;
        let supported = |trigger: &&TriggerDocument| !matches!(trigger.kind, TriggerKind::Unsupported(_));
        let is_resource = |trigger: &&TriggerDocument| matches!(trigger.kind, TriggerKind::Resource(_));
        let triggers: Vec<Option<&TriggerDocument>> = match &object.modifiers {
            Some(_) => {
                std::iter::once(None).chain(object.triggers.iter().filter(is_resource).map(Some)).collect()
            }
            None => object.triggers.iter().filter(supported).map(Some).collect(),
        };
        let metrics = spec.metrics.iter().zip(triggers).map(|(metric, trigger)| {
            let field = match trigger {
                Some(trigger) => format!("spec.triggers[{}].metadata", trigger.position),
                None => "spec.advanced.scalingModifiers".to_owned(),
            };
            SubjectMetric { field, metric: metric.clone(), trigger }
        });
        Some(Self {
            kind: "ScaledObject",
            header: &object.header,
            target: &object.target,
            metrics: metrics.collect(),
            spec,
            lines: &object.lines,
            fields: Fields {
                max: "spec.maxReplicaCount",
                behavior: "spec.advanced.horizontalPodAutoscalerConfig.behavior",
            },
            workload: workload(&object.target, &object.header, manifests),
            scaled_object: Some(object),
        })
    }

    /// Kind and name, for people.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.kind, self.header.name)
    }
}

fn workload<'a>(
    target: &ObjectReference,
    header: &Header,
    manifests: &[&'a Manifest],
) -> Option<&'a Workload> {
    manifests
        .iter()
        .filter_map(|manifest| manifest.workload_of(&target.kind, &target.name))
        .find(|workload| workload.header.shares_namespace_with(header))
}
