//! Reads the documents of Kubernetes, KEDA and Knative, with the limits and the controller's settings laid over them.

use scaler_documents::{Manifest, PolicySettings, Problem, policy_of};
use scaler_engine::hpa::Resource;
use scaler_engine::{AnyPolicy, ResourceRequests};

use super::error::PolicyFileError;
use super::overrides::PolicyOverrides;

/// The name, the policy, and what each replica requests; none if the text is not for another system.
pub(super) fn read(
    origin: &str,
    text: &str,
    overrides: &PolicyOverrides,
) -> Option<Result<(String, AnyPolicy, ResourceRequests), PolicyFileError>> {
    let manifest = Manifest::read(text);
    if !manifest.is_for_other_systems {
        return None;
    }
    if let Some(setting) = overrides.beyond_limits() {
        let problem = format!(
            "overridden by a flag or an environment variable, `{setting}` is not a setting of this document, expected only \
             the limits"
        );
        let hint = "remove the flag, unset the variable, or change the document itself";
        return Some(Err(PolicyFileError::new(origin, None, problem, hint)));
    }
    let settings = PolicySettings {
        controller: overrides.controller.unwrap_or_default(),
        min_replicas: overrides.min_replicas,
        max_replicas: overrides.max_replicas,
    };
    let refuse = |problem: Problem| PolicyFileError::new(origin, problem.line, problem.message, problem.hint);
    let read = policy_of(&manifest, &settings).map_err(refuse);
    Some(read.map(|(name, policy)| (name, policy, requests_of(&manifest))))
}

/// What the object that is scaled requests for each of its pods, all containers together.
fn requests_of(manifest: &Manifest) -> ResourceRequests {
    let Some(workload) = manifest.scaled_workload() else { return ResourceRequests::default() };
    let requested = |resource| Some(workload.pod.request_milli(&resource, None)? as f64 / 1_000.0);
    ResourceRequests { cpu_cores: requested(Resource::Cpu), memory_bytes: requested(Resource::Memory) }
}
