//! Asks the supervisor, over the Unix socket in the run's own folder, to start and stop replicas as processes.
//!
//! The supervisor owns the processes, so they outlive the scaler. Replicas are removed newest first: an old one is
//! warm, and its place in the gateway's rotation is settled. No count is believed that was not read back.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Method;
use observability::http::client::{ClientError, Reply, UnixHttpClient};
use serde::Deserialize;
use tokio::time::Instant;

use super::{Actuator, ActuatorError, ReplicaEntry, ScaleReport, count};

/// Longest wait for one answer of the supervisor.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Longest wait for the list to show the count that was asked for.
const REACHED_WITHIN: Duration = Duration::from_secs(10);

/// Time between two looks at the list.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The actuator `processes`.
#[derive(Clone, Debug)]
pub(crate) struct Processes {
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
        }
    }
}

impl Processes {
    /// An actuator that asks the supervisor at this socket.
    pub(crate) fn new(socket: impl Into<PathBuf>) -> Self {
        Self { supervisor: UnixHttpClient::new(socket) }
    }

    async fn list(&self) -> Result<Vec<ReplicaEntry>, ActuatorError> {
        let reply = self.supervisor.send(Method::GET, "/replicas", None, TIMEOUT).await;
        let entries: Vec<SupervisorEntry> =
            reply.and_then(Reply::ok).and_then(|reply| reply.json()).map_err(refused)?;
        Ok(entries.into_iter().map(ReplicaEntry::from).collect())
    }

    async fn start_one(&self) -> Result<(), ActuatorError> {
        let reply = self.supervisor.send(Method::POST, "/replicas", None, TIMEOUT).await;
        reply.and_then(Reply::ok).map(drop).map_err(refused)
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

    /// Gives the orders; stops at the first that is refused.
    async fn order(&self, entries: &[ReplicaEntry], asked: u32) -> Result<(), ActuatorError> {
        let before = count(entries);
        for _ in before..asked {
            self.start_one().await?;
        }
        let mut newest_first: Vec<&ReplicaEntry> =
            entries.iter().filter(|entry| !entry.is_stopping).collect();
        newest_first.sort_by(|one, other| (other.started_at, &other.id).cmp(&(one.started_at, &one.id)));
        for entry in newest_first.into_iter().take(before.saturating_sub(asked) as usize) {
            self.stop_one(&entry.id).await?;
        }
        Ok(())
    }

    /// Reads the list until it shows `asked`, or time is up.
    async fn read_back(&self, asked: u32) -> (Option<u32>, Option<ActuatorError>) {
        let started = Instant::now();
        loop {
            let seen = self.list().await.map(|entries| count(&entries));
            if seen == Ok(asked) {
                return (Some(asked), None);
            }
            let waited = started.elapsed();
            if waited >= REACHED_WITHIN {
                return match seen {
                    Ok(found) => (Some(found), Some(ActuatorError::NotReached { asked, found, waited })),
                    Err(error) => (None, Some(error)),
                };
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    async fn scale(&self, asked: u32) -> ScaleReport {
        let started = Instant::now();
        let mut report =
            ScaleReport { before: None, asked, after: None, took: Duration::ZERO, problem: None };
        match self.list().await {
            Err(error) => report.problem = Some(error),
            Ok(entries) => {
                report.before = Some(count(&entries));
                match self.order(&entries, asked).await {
                    Ok(()) => (report.after, report.problem) = self.read_back(asked).await,
                    Err(error) => {
                        // What was refused will not come by waiting, but what was granted before counts.
                        report.after = self.list().await.ok().map(|entries| count(&entries));
                        report.problem = Some(error);
                    }
                }
            }
        }
        report.took = started.elapsed();
        report
    }
}

impl Actuator for Processes {
    fn observe(&self) -> BoxFuture<'_, Result<Option<Vec<ReplicaEntry>>, ActuatorError>> {
        self.list().map(|listed| listed.map(Some)).boxed()
    }

    fn scale_to(&self, asked: u32) -> BoxFuture<'_, ScaleReport> {
        self.scale(asked).boxed()
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to map_err")]
fn refused(error: ClientError) -> ActuatorError {
    ActuatorError::Platform(format!("the supervisor did not do it: {error}"))
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use axum::extract::{Path, State};
    use axum::http::StatusCode;
    use axum::routing::{delete, get};
    use axum::{Json, Router};
    use serde_json::{Value, json};

    use super::*;

    /// A supervisor in the test's own process.
    #[derive(Clone, Default)]
    struct Supervisor(Arc<Mutex<Replicas>>);

    #[derive(Default)]
    struct Replicas {
        list: Vec<Value>,
        born: u32,
        starts_left: Option<u32>,
        orders: Vec<String>,
    }

    impl Supervisor {
        #[expect(clippy::unused_async, reason = "a handler is async")]
        async fn list(State(supervisor): State<Self>) -> Json<Vec<Value>> {
            let mut replicas = supervisor.0.lock().unwrap();
            let shown = replicas.list.clone();
            // What is stopping is gone at the next look; what is starting runs.
            replicas.list.retain(|entry| entry["state"] != "stopping");
            replicas.list.iter_mut().for_each(|entry| entry["state"] = json!("running"));
            Json(shown)
        }

        #[expect(clippy::unused_async, reason = "a handler is async")]
        async fn start(State(supervisor): State<Self>) -> (StatusCode, Json<Value>) {
            let mut replicas = supervisor.0.lock().unwrap();
            match &mut replicas.starts_left {
                Some(0) => {
                    let body = json!({"error": "no port is free", "hint": "wait"});
                    return (StatusCode::SERVICE_UNAVAILABLE, Json(body));
                }
                Some(left) => *left -= 1,
                None => {}
            }
            replicas.born += 1;
            let id = format!("webapp-{}", replicas.born);
            replicas.orders.push(format!("start {id}"));
            let entry = json!({"id": id, "pid": 100 + replicas.born, "state": "starting",
                               "started_at_epoch_seconds": 1000.5 + f64::from(replicas.born)});
            replicas.list.push(entry.clone());
            (StatusCode::CREATED, Json(entry))
        }

        #[expect(clippy::unused_async, reason = "a handler is async")]
        async fn stop(State(supervisor): State<Self>, Path(id): Path<String>) -> StatusCode {
            let mut replicas = supervisor.0.lock().unwrap();
            replicas.orders.push(format!("stop {id}"));
            match replicas.list.iter_mut().find(|entry| entry["id"] == id.as_str()) {
                Some(entry) => {
                    entry["state"] = json!("stopping");
                    StatusCode::ACCEPTED
                }
                None => StatusCode::NOT_FOUND,
            }
        }

        fn orders(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap().orders)
        }
    }

    fn start(supervisor: &Supervisor) -> (tempfile::TempDir, Processes) {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("supervisor.sock");
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        let app = Router::new()
            .route("/replicas", get(Supervisor::list).post(Supervisor::start))
            .route("/replicas/{id}", delete(Supervisor::stop))
            .with_state(supervisor.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (folder, Processes::new(socket))
    }

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
        let listed = actuator.observe().await.unwrap().unwrap();
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
        supervisor.0.lock().unwrap().starts_left = Some(2);
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
        supervisor.0.lock().unwrap().list.remove(0);
        let listed = actuator.observe().await.unwrap().unwrap();
        assert_eq!(count(&listed), 2);
        let report = actuator.scale_to(3).await;
        assert!(report.succeeded() && report.before == Some(2), "{report:?}");
    }

    #[tokio::test]
    async fn one_that_is_stopping_is_neither_counted_nor_stopped_again() {
        let supervisor = Supervisor::default();
        let (_folder, actuator) = start(&supervisor);
        actuator.scale_to(3).await;
        supervisor.orders();
        supervisor.0.lock().unwrap().list[2]["state"] = json!("stopping");
        let report = actuator.scale_to(1).await;
        assert!(report.succeeded() && report.before == Some(2), "{report:?}");
        assert_eq!(supervisor.orders(), ["stop webapp-2"]);
    }

    #[tokio::test]
    async fn a_supervisor_that_is_not_there_is_named() {
        let actuator = Processes::new("/nowhere/supervisor.sock");
        let report = actuator.scale_to(2).await;
        assert_eq!((report.before, report.after), (None, None));
        assert!(report.problem.unwrap().to_string().contains("/nowhere/supervisor.sock"));
        assert!(actuator.observe().await.is_err());
    }
}
