//! Reads the documents of Kubernetes, KEDA and Knative, with the limits and the controller's settings laid over them.

use scaler_documents::{Manifest, PolicySettings, policy_of};
use scaler_engine::AnyPolicy;

use super::error::PolicyFileError;
use super::overrides::PolicyOverrides;

/// The name and the policy; none if the text is not for another system.
pub(super) fn read(
    origin: &str,
    text: &str,
    overrides: &PolicyOverrides,
) -> Option<Result<(String, AnyPolicy), PolicyFileError>> {
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
    Some(
        policy_of(&manifest, &settings)
            .map_err(|problem| PolicyFileError::new(origin, problem.line, problem.message, problem.hint)),
    )
}
