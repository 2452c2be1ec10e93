//! Sums up what a pod requests of a resource.

use alloc::string::String;

use crate::policy::hpa::{Container, Pod, Resource};

/// Why a pod's request is not known. It fails the whole metric.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestsError {
    /// A container that counts has no request for the resource.
    #[error("missing request for {resource:?} in container {container} of pod {pod}")]
    MissingRequest {
        /// The resource of the metric.
        resource: Resource,
        /// The container without a request.
        container: String,
        /// Its pod.
        pod: String,
    },
    /// The pod has no container with the metric's name.
    #[error("container {container} not found in pod {pod}")]
    ContainerNotFound {
        /// The container of the metric.
        container: String,
        /// The pod without it.
        pod: String,
    },
}

/// What one pod requests, in thousandths: its containers and restartable init containers together, or the named
/// one alone, or the request of the pod as a whole where there is one and `pod_level` allows it.
///
/// # Errors
/// If a container that counts has no request, or the named container does not exist.
///
/// Source: `replica_calculator.go`, `calculateRequests`.
pub fn pod_request_milli(
    pod: &Pod,
    resource: &Resource,
    container: Option<&str>,
    pod_level: bool,
) -> Result<i64, RequestsError> {
    if container.is_none()
        && pod_level
        && let Some(&request) = pod.pod_level_requests.get(resource)
    {
        return Ok(request);
    }
    let restartable = pod.init_containers.iter().filter(|init| init.restartable).map(|init| &init.container);
    let counted = pod.containers.iter().chain(restartable);
    let mut found = container.is_none();
    let mut sum = 0_i64;
    for candidate in counted.filter(|candidate| container.is_none_or(|name| name == candidate.name)) {
        found = true;
        sum = sum.saturating_add(request_of(candidate, resource, pod)?);
    }
    if found {
        Ok(sum)
    } else {
        Err(RequestsError::ContainerNotFound {
            container: container.unwrap_or_default().into(),
            pod: pod.name.clone(),
        })
    }
}

fn request_of(container: &Container, resource: &Resource, pod: &Pod) -> Result<i64, RequestsError> {
    container.requests.get(resource).copied().ok_or_else(|| RequestsError::MissingRequest {
        resource: resource.clone(),
        container: container.name.clone(),
        pod: pod.name.clone(),
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::policy::hpa::{InitContainer, Requests};

    fn container(name: &str, request: Option<i64>) -> Container {
        Container {
            name: name.into(),
            requests: request.map(|milli| (Resource::Cpu, milli)).into_iter().collect(),
        }
    }

    fn pod() -> Pod {
        Pod {
            containers: vec![container("app", Some(100))],
            init_containers: vec![
                InitContainer { container: container("sidecar", Some(20)), restartable: true },
                InitContainer { container: container("once", None), restartable: false },
            ],
            pod_level_requests: Requests::from([(Resource::Cpu, 500)]),
            ..Pod::ready("p")
        }
    }

    fn request(container: Option<&str>, pod_level: bool) -> Result<i64, RequestsError> {
        pod_request_milli(&pod(), &Resource::Cpu, container, pod_level)
    }

    #[test]
    fn restartable_init_containers_count_and_others_do_not() {
        assert_eq!(request(None, false), Ok(120));
    }

    #[test]
    fn the_request_of_the_pod_replaces_the_sum_but_not_that_of_a_named_container() {
        assert_eq!(request(None, true), Ok(500));
        assert_eq!(request(Some("app"), true), Ok(100));
        assert_eq!(request(Some("sidecar"), true), Ok(20));
    }

    #[test]
    fn an_unknown_or_silent_container_is_an_error() {
        assert!(matches!(request(Some("once"), true), Err(RequestsError::ContainerNotFound { .. })));
        let memory = pod_request_milli(&pod(), &Resource::Memory, None, true);
        assert!(matches!(memory, Err(RequestsError::MissingRequest { container, .. }) if container == "app"));
    }

    #[test]
    fn requests_beyond_the_range_saturate() {
        let pod = Pod {
            containers: vec![container("a", Some(i64::MAX)), container("b", Some(i64::MAX))],
            ..Pod::ready("p")
        };
        assert_eq!(pod_request_milli(&pod, &Resource::Cpu, None, true), Ok(i64::MAX));
    }
}
