//! Takes from a Deployment and its like what scaling depends on: replicas, requests, limits, probes.
//!
//! Everything else of such a document is passed over; Kubernetes itself checks it.

use std::time::Duration;

use scaler_engine::hpa::{Container, InitContainer, Pod, Requests, Resource};

use crate::fields::Fields;
use crate::header::{Header, read_header};
use crate::problem::Problems;
use crate::tree::{Lines, Node};

/// The kinds whose pods' template is read, and the versions they have.
pub(crate) const KINDS: [(&str, &str); 4] = [
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("apps/v1", "ReplicaSet"),
    ("argoproj.io/v1alpha1", "Rollout"),
];

/// An object that runs pods.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Name, namespace, labels.
    pub header: Header,
    /// `kind`.
    pub kind: String,
    /// `spec.replicas`; none where it is left out.
    pub replicas: Option<u32>,
    /// The pods' template.
    pub pod: PodFacts,
    /// Where its fields stand.
    pub lines: Lines,
}

/// What a template says of its pods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodFacts {
    /// The containers, and the init containers that keep running beside them.
    pub containers: Vec<ContainerFacts>,
    /// Requests for the pod as a whole.
    pub pod_level_requests: Requests,
}

/// A container of a template.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerFacts {
    /// Its name.
    pub name: String,
    /// Whether it is an init container that keeps running.
    pub is_sidecar: bool,
    /// What it requests, in thousandths; a limit without a request requests as much.
    pub requests: Requests,
    /// What it may use at most, in thousandths.
    pub limits: Requests,
    /// `readinessProbe`.
    pub readiness: Option<Probe>,
    /// Whether it has a `startupProbe`.
    pub has_startup_probe: bool,
}

/// When a probe looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// `initialDelaySeconds`. Default: 0.
    pub initial_delay: Duration,
    /// `periodSeconds`. Default: 10 s.
    pub period: Duration,
}

impl PodFacts {
    /// What one pod requests of a resource: all containers together, or the named one; none if one of those that
    /// count requests none.
    pub fn request_milli(&self, resource: &Resource, container: Option<&str>) -> Option<i64> {
        scaler_engine::hpa::pod_request_milli(&self.as_pod("pod"), resource, container, true).ok()
    }

    /// What one pod may use of a resource at most; none if one of the containers that count has no limit.
    pub fn limit_milli(&self, resource: &Resource, container: Option<&str>) -> Option<i64> {
        let counted = self.containers.iter().filter(|each| container.is_none_or(|name| name == each.name));
        let limits: Vec<i64> =
            counted.map(|each| each.limits.get(resource).copied()).collect::<Option<_>>()?;
        (!limits.is_empty()).then(|| limits.iter().fold(0, |sum: i64, limit| sum.saturating_add(*limit)))
    }

    /// The containers that request nothing of a resource.
    pub fn without_request(&self, resource: &Resource, container: Option<&str>) -> Vec<&str> {
        let counted = self.containers.iter().filter(|each| container.is_none_or(|name| name == each.name));
        counted.filter(|each| !each.requests.contains_key(resource)).map(|each| each.name.as_str()).collect()
    }

    /// A pod of this template that has been ready for long.
    pub fn as_pod(&self, name: &str) -> Pod {
        let container =
            |facts: &ContainerFacts| Container { name: facts.name.clone(), requests: facts.requests.clone() };
        let (sidecars, containers): (Vec<_>, Vec<_>) =
            self.containers.iter().partition(|each| each.is_sidecar);
        Pod {
            containers: containers.into_iter().map(container).collect(),
            init_containers: sidecars
                .into_iter()
                .map(|each| InitContainer { container: container(each), restartable: true })
                .collect(),
            pod_level_requests: self.pod_level_requests.clone(),
            ..Pod::ready(name)
        }
    }
}

/// Reads such a document.
pub(crate) fn read(document: &mut Fields<'_>, kind: &str, problems: &mut Problems) -> Workload {
    let header = read_header(document, problems);
    let mut workload = Workload {
        header,
        kind: kind.to_owned(),
        replicas: None,
        pod: PodFacts::default(),
        lines: problems.lines.clone(),
    };
    let Some(mut spec) = document.map("spec", problems) else { return workload };
    workload.replicas = spec.replicas("replicas", 0, "a whole number", problems);
    if let Some(mut template) = spec.map("template", problems)
        && let Some(mut pod) = template.map("spec", problems)
    {
        workload.pod = read_pod_spec(&mut pod, problems);
    }
    workload
}

/// Reads `spec` of a pods' template; fields that say nothing about scaling are passed over.
pub(crate) fn read_pod_spec(spec: &mut Fields<'_>, problems: &mut Problems) -> PodFacts {
    let mut facts = PodFacts::default();
    for (name, is_init) in [("containers", false), ("initContainers", true)] {
        let path = spec.at(name);
        for (index, item) in spec.list(name, problems).unwrap_or_default().iter().enumerate() {
            let read = read_container(item, &format!("{path}[{index}]"), is_init, problems);
            facts.containers.extend(read);
        }
    }
    if let Some(mut resources) = spec.map("resources", problems) {
        facts.pod_level_requests = amounts(&mut resources, "requests", problems);
    }
    facts
}

/// A container; none for an init container that ends before the others begin.
fn read_container(node: &Node, path: &str, is_init: bool, problems: &mut Problems) -> Option<ContainerFacts> {
    let mut fields = Fields::of(node, path, problems)?;
    if is_init && fields.text("restartPolicy", problems) != Some("Always") {
        return None;
    }
    let mut facts = ContainerFacts {
        name: fields.text("name", problems).unwrap_or_default().to_owned(),
        is_sidecar: is_init,
        has_startup_probe: fields.take("startupProbe").is_some(),
        ..ContainerFacts::default()
    };
    if let Some(mut resources) = fields.map("resources", problems) {
        facts.limits = amounts(&mut resources, "limits", problems);
        facts.requests = amounts(&mut resources, "requests", problems);
        for (resource, limit) in &facts.limits {
            facts.requests.entry(resource.clone()).or_insert(*limit);
        }
    }
    if let Some(mut probe) = fields.map("readinessProbe", problems) {
        let mut seconds = |name, least| {
            probe
                .whole(name, least..=i32::MAX, "a whole number of seconds", problems)
                .map(|seconds| Duration::from_secs(seconds.unsigned_abs().into()))
        };
        facts.readiness = Some(Probe {
            initial_delay: seconds("initialDelaySeconds", 0).unwrap_or_default(),
            period: seconds("periodSeconds", 1).unwrap_or(Duration::from_secs(10)),
        });
    }
    Some(facts)
}

/// Amounts per resource, in thousandths.
fn amounts(fields: &mut Fields<'_>, name: &'static str, problems: &mut Problems) -> Requests {
    let Some(node) = fields.take(name) else { return Requests::new() };
    let path = fields.at(name);
    let mut amounts = Requests::new();
    for entry in node.entries() {
        let field = crate::tree::child(&path, &entry.key);
        if let Some(milli) = crate::fields::quantity_of(&entry.node, &field, problems) {
            amounts.insert(Resource::named(&entry.key), milli);
        }
    }
    amounts
}
