//! Reaches a Docker engine on its socket, over HTTP or over TLS, and says in the user's words why it cannot be.

mod tls;

use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker};
use tokio::time::timeout;

use super::super::ActuatorError;
use crate::docker_host::DockerHost;
use crate::error_causes::with_causes;

/// Longest wait for one answer; stopping a container is given its grace period on top.
pub(super) const TIMEOUT_SECONDS: u64 = 30;

/// Longest wait for the first answer.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// A Docker engine.
#[derive(Clone, Debug)]
pub(crate) struct DockerEngine {
    pub(super) docker: Docker,
    host: String,
}

impl DockerEngine {
    /// Connects, and agrees with the engine on the version of its API.
    pub(crate) async fn connect(host: &DockerHost) -> Result<Self, ActuatorError> {
        let DockerHost { url: host, certificates } = host;
        let problem = |error: Error| problem_of(host, "asked for its version", &error);
        let docker = if let Some(folder) = certificates {
            tls::connect(host, folder)?
        } else if host.starts_with("unix://") {
            Docker::connect_with_unix(host, TIMEOUT_SECONDS, API_DEFAULT_VERSION).map_err(problem)?
        } else if host.starts_with("tcp://") || host.starts_with("http://") {
            Docker::connect_with_http(host, TIMEOUT_SECONDS, API_DEFAULT_VERSION).map_err(problem)?
        } else {
            let problem = ActuatorError::Setting(format!("`{host}` is no address of a Docker engine"));
            return Err(problem.with_hint(
                "give one such as unix:///var/run/docker.sock or tcp://proxy:2375 with --docker-host or DOCKER_HOST",
            ));
        };
        let docker = timeout(CONNECT_WITHIN, docker.negotiate_version())
            .await
            .unwrap_or(Err(Error::RequestTimeoutError))
            .map_err(problem)?;
        Ok(Self { docker, host: host.to_owned() })
    }

    /// The address it was reached at.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// What an engine's error means, for the sentence "the engine, when …".
    pub(super) fn problem(&self, when: &str, error: &Error) -> ActuatorError {
        problem_of(&self.host, when, error)
    }
}

/// Whether the engine says that the thing asked for is not there.
pub(super) fn is_missing(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 404, .. })
}

/// Whether the engine says that somebody else is at it, or that it is as asked already.
pub(super) fn is_conflict(error: &Error) -> bool {
    matches!(error, Error::DockerResponseServerError { status_code: 304 | 409, .. })
}

fn problem_of(host: &str, when: &str, error: &Error) -> ActuatorError {
    let unreachable = |problem: &str, hint: &str| {
        ActuatorError::Platform(format!("the Docker engine at {host} {problem}")).with_hint(hint)
    };
    let start_it = "start the engine, or give its address with --docker-host or DOCKER_HOST";
    match error {
        Error::DockerResponseServerError { status_code, message } => {
            ActuatorError::Platform(format!("the Docker engine, {when}, answered {status_code}: {message}"))
        }
        Error::SocketNotFoundError(_) => unreachable("is not there: its socket does not exist", start_it),
        Error::RequestTimeoutError => unreachable(
            &format!("did not answer in time, {when}"),
            "look whether it is overloaded: `docker ps` should answer at once",
        ),
        other => match io_error(other).map(std::io::Error::kind) {
            Some(std::io::ErrorKind::PermissionDenied) => unreachable(
                "may not be used: no permission on its socket",
                "run the scaler as a user of the group `docker`, or as user 0 in a container",
            ),
            Some(std::io::ErrorKind::ConnectionRefused | std::io::ErrorKind::NotFound) => {
                unreachable("does not answer: nobody listens there", start_it)
            }
            _ => unreachable(&format!("gave no answer, {when}: {}", with_causes(other)), start_it),
        },
    }
}

fn io_error(error: &Error) -> Option<&std::io::Error> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(inner) = cause {
        if let Some(found) = inner.downcast_ref::<std::io::Error>() {
            return Some(found);
        }
        cause = inner.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn refused(host: &str) -> String {
        DockerEngine::connect(&DockerHost::from(host)).await.unwrap_err().to_string()
    }

    #[tokio::test]
    async fn an_engine_that_cannot_be_reached_is_explained_in_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let socket = format!("unix://{}/engine.sock", folder.path().display());
        let problem = refused(&socket).await;
        assert!(
            problem.contains("its socket does not exist") && problem.contains("; hint: start"),
            "{problem}"
        );
        // A socket that nobody listens on any more.
        drop(std::os::unix::net::UnixListener::bind(folder.path().join("engine.sock")).unwrap());
        let problem = refused(&socket).await;
        assert!(problem.contains("nobody listens there"), "{problem}");
        let problem = refused("tcp://127.0.0.1:1").await;
        assert!(problem.contains("nobody listens there"), "{problem}");
        for bad in ["", "/var/run/docker.sock", "ssh://host"] {
            let error = DockerEngine::connect(&DockerHost::from(bad)).await.unwrap_err();
            assert!(error.is_setting() && error.to_string().contains("--docker-host"), "{error}");
        }
    }
}
