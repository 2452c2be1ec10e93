//! Asks the supervisor, over the Unix socket in the run's own folder, to start and stop replicas as processes.
//!
//! The supervisor owns the processes, so they outlive the scaler. Replicas are removed newest first: an old one is
//! warm, and its place in the gateway's rotation is settled.

use std::path::PathBuf;
use std::time::Duration;

use http::Method;
use http_client::{ClientError, Reply, UnixHttpClient};
use serde::Deserialize;

use super::platform::{Journal, Platform};
use super::{ActuatorError, Listing, ReplicaEntry};
use crate::service_event::News;

/// Longest wait for one answer of the supervisor.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The platform of the actuator `processes`.
#[derive(Clone, Debug)]
pub(super) struct Processes {
    supervisor: UnixHttpClient,
}

/// A replica in the supervisor's own words.
#[derive(Debug, Deserialize)]
struct SupervisorEntry {
    id: String,
    url: Option<String>,
    pid: Option<u32>,
    state: SupervisorState,
    started_at_epoch_seconds: Option<f64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SupervisorState {
    Starting,
    Running,
    Stopping,
}

impl From<SupervisorEntry> for ReplicaEntry {
    fn from(entry: SupervisorEntry) -> Self {
        Self {
            id: entry.id,
            url: entry.url,
            pid: entry.pid,
            is_stopping: entry.state == SupervisorState::Stopping,
            started_at: entry
                .started_at_epoch_seconds
                .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            ..Self::default()
        }
    }
}

impl Processes {
    /// Whoever listens at this socket is the supervisor.
    pub(super) fn new(socket: impl Into<PathBuf>) -> Self {
        Self { supervisor: UnixHttpClient::new(socket) }
    }

    async fn start_one(&self) -> Result<String, ActuatorError> {
        let reply = self.supervisor.send(Method::POST, "/replicas", None, TIMEOUT).await;
        let entry: SupervisorEntry =
            reply.and_then(Reply::ok).and_then(|reply| reply.json()).map_err(refused)?;
        Ok(entry.id)
    }

    async fn stop_one(&self, id: &str) -> Result<(), ActuatorError> {
        let path = format!("/replicas/{id}");
        let reply = self.supervisor.send(Method::DELETE, &path, None, TIMEOUT).await.map_err(refused)?;
        // One that is gone already is what was wanted.
        if reply.status == http::StatusCode::NOT_FOUND {
            Ok(())
        } else {
            reply.ok().map(drop).map_err(refused)
        }
    }
}

impl Platform for Processes {
    /// One answer for each replica; a hundred of them would be a lot for one machine.
    const CHANGE_WITHIN: Duration = Duration::from_mins(1);

    const REACHED_WITHIN: Duration = Duration::from_secs(10);

    async fn list(&self) -> Result<Listing, ActuatorError> {
        let reply = self.supervisor.send(Method::GET, "/replicas", None, TIMEOUT).await;
        let entries: Vec<SupervisorEntry> =
            reply.and_then(Reply::ok).and_then(|reply| reply.json()).map_err(refused)?;
        Ok(Listing::of_each(entries.into_iter().map(ReplicaEntry::from).collect()))
    }

    async fn news(&self) -> Vec<News> {
        let reply = self.supervisor.send(Method::GET, "/events", None, TIMEOUT).await;
        // A supervisor that does not answer is told of with its list; what it has to tell is still there later.
        reply.and_then(Reply::ok).and_then(|reply| reply.json()).unwrap_or_default()
    }

    async fn change(&self, seen: &Listing, asked: u32, journal: &Journal) -> Result<(), ActuatorError> {
        let before = seen.count().unwrap_or(0);
        for _ in before..asked {
            let id = self.start_one().await?;
            journal.add(format!("started {id}"));
        }
        let mut newest_first: Vec<&ReplicaEntry> =
            seen.entries().iter().filter(|entry| !entry.is_stopping).collect();
        newest_first.sort_by(|one, other| (other.started_at, &other.id).cmp(&(one.started_at, &one.id)));
        for entry in newest_first.into_iter().take(before.saturating_sub(asked) as usize) {
            self.stop_one(&entry.id).await?;
            journal.add(format!("stopped {}", entry.id));
        }
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn refused(error: ClientError) -> ActuatorError {
    ActuatorError::Platform(format!("the supervisor did not do it: {error}"))
}

#[cfg(test)]
pub(super) mod pretence;

#[cfg(test)]
mod tests {
    use super::super::Actuator;
    use super::super::platform::OnPlatform;
    use super::pretence::{Supervisor, start};
    use super::*;
    use serde_json::json;

    #[tokio::test]
    async fn counts_are_reached_and_read_back_newest_removed_first() {
        let supervisor = Supervisor::default();
        let (_folder, actuator) = start(&supervisor);
        let mut before = 0;
        for asked in [1, 3, 2, 5, 1] {
            let report = actuator.scale_to(asked).await;
            assert!(report.succeeded(), "{report:?}");
            assert_eq!((report.before, report.after), (Some(before), Some(asked)));
            before = asked;
        }
        assert_eq!(
            supervisor.orders(),
            [
                "start webapp-1",
                "start webapp-2",
                "start webapp-3",
                "stop webapp-3",
                "start webapp-4",
                "start webapp-5",
                "start webapp-6",
                "stop webapp-6",
                "stop webapp-5",
                "stop webapp-4",
                "stop webapp-2",
            ]
        );
        let listed = actuator.observe().await.unwrap();
        let listed = listed.entries();
        assert_eq!((listed[0].id.as_str(), listed[0].pid), ("webapp-1", Some(101)));
        assert_eq!(listed[0].started_at, Some(Duration::from_millis(1_001_500)));
    }

    #[tokio::test]
    async fn asking_for_what_is_gives_no_order() {
        let supervisor = Supervisor::default();
        let (_folder, actuator) = start(&supervisor);
        actuator.scale_to(2).await;
        supervisor.orders();
        let report = actuator.scale_to(2).await;
        assert!(report.succeeded());
        assert_eq!(supervisor.orders(), [""; 0]);
    }

    #[tokio::test]
    async fn a_start_that_fails_is_reported_with_what_was_reached() {
        let supervisor = Supervisor::default();
        let (_folder, actuator) = start(&supervisor);
        supervisor.pretend(|replicas| replicas.starts_left = Some(2));
        let report = actuator.scale_to(4).await;
        assert!(!report.succeeded());
        assert_eq!((report.before, report.after), (Some(0), Some(2)));
        let problem = report.problem.unwrap().to_string();
        assert!(problem.contains("no port is free"), "the supervisor's own words are passed on: {problem}");
    }

    #[tokio::test]
    async fn a_replica_removed_behind_its_back_is_seen() {
        let supervisor = Supervisor::default();
        let (_folder, actuator) = start(&supervisor);
        actuator.scale_to(3).await;
        supervisor.pretend(|replicas| replicas.list.remove(0));
        let listed = actuator.observe().await.unwrap();
        assert_eq!(listed.count(), Some(2));
        let report = actuator.scale_to(3).await;
        assert!(report.succeeded() && report.before == Some(2), "{report:?}");
    }

    #[tokio::test]
    async fn one_that_is_stopping_is_neither_counted_nor_stopped_again() {
        let supervisor = Supervisor::default();
        let (_folder, actuator) = start(&supervisor);
        actuator.scale_to(3).await;
        supervisor.orders();
        supervisor.pretend(|replicas| replicas.list[2]["state"] = json!("stopping"));
        let report = actuator.scale_to(1).await;
        assert!(report.succeeded() && report.before == Some(2), "{report:?}");
        assert_eq!(supervisor.orders(), ["stop webapp-2"]);
    }

    #[tokio::test]
    async fn a_supervisor_that_is_not_there_is_named() {
        let actuator = OnPlatform::new(Processes::new("/nowhere/supervisor.sock"));
        let report = actuator.scale_to(2).await;
        assert_eq!((report.before, report.after), (None, None));
        assert!(report.problem.unwrap().to_string().contains("/nowhere/supervisor.sock"));
        assert!(actuator.observe().await.is_err());
    }
}
