//! Takes from a `VerticalPodAutoscaler` which resources of which object it changes.

use scaler_engine::hpa::Resource;

use crate::fields::Fields;
use crate::header::{Header, read_header};
use crate::problem::Problems;
use crate::target::{ObjectReference, read_reference};

/// A `VerticalPodAutoscaler`, as far as it concerns an autoscaler of replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VpaDocument {
    /// Name and namespace.
    pub header: Header,
    /// `spec.targetRef`.
    pub target: ObjectReference,
    /// Whether it changes pods, and does not only recommend.
    pub acts: bool,
    /// The resources it controls; empty is CPU and memory.
    pub resources: Vec<Resource>,
}

impl VpaDocument {
    /// Whether it changes the requests of a resource.
    pub fn controls(&self, resource: &Resource) -> bool {
        self.acts && (self.resources.is_empty() || self.resources.contains(resource))
    }
}

/// Reads a document of `autoscaling.k8s.io`; none without a target.
pub(crate) fn read(document: &mut Fields<'_>, problems: &mut Problems) -> Option<VpaDocument> {
    let header = read_header(document, problems);
    let mut spec = document.map("spec", problems)?;
    let target = read_reference(spec.map("targetRef", problems)?, None, problems);
    let mode = spec
        .map("updatePolicy", problems)
        .and_then(|mut policy| policy.text("updateMode", problems).map(str::to_owned));
    let mut resources = Vec::new();
    if let Some(mut policy) = spec.map("resourcePolicy", problems) {
        for item in policy.list("containerPolicies", problems).unwrap_or_default() {
            let named = item.get("controlledResources").map(crate::tree::Node::items).unwrap_or_default();
            resources.extend(named.iter().filter_map(crate::tree::Node::text).map(Resource::named));
        }
    }
    Some(VpaDocument { header, target, acts: mode.as_deref() != Some("Off"), resources })
}
