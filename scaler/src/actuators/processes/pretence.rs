//! A supervisor that only pretends: its replicas are entries of a list.

use std::sync::{Arc, Mutex};

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Processes;
use crate::actuators::platform::OnPlatform;

/// A supervisor in the test's own process.
#[derive(Clone, Default)]
pub(in crate::actuators) struct Supervisor(Arc<Mutex<Replicas>>);

#[derive(Default)]
pub(in crate::actuators) struct Replicas {
    pub(in crate::actuators) list: Vec<Value>,
    born: u32,
    /// Starts that still succeed; none for any number.
    pub(in crate::actuators) starts_left: Option<u32>,
    /// Whether it answers nobody.
    pub(in crate::actuators) is_dead: bool,
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

    async fn may_be_dead(State(supervisor): State<Self>, request: Request, next: Next) -> Response {
        if supervisor.0.lock().unwrap().is_dead {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
        next.run(request).await
    }

    /// Changes what is pretended.
    pub(in crate::actuators) fn pretend<T>(&self, change: impl FnOnce(&mut Replicas) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    /// The orders since the last call.
    pub(in crate::actuators) fn orders(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap().orders)
    }
}

/// Lets it answer on a socket, and an actuator ask there.
pub(in crate::actuators) fn start(supervisor: &Supervisor) -> (tempfile::TempDir, OnPlatform<Processes>) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("supervisor.sock");
    let listener = tokio::net::UnixListener::bind(&socket).unwrap();
    let app = Router::new()
        .route("/replicas", get(Supervisor::list).post(Supervisor::start))
        .route("/replicas/{id}", delete(Supervisor::stop))
        .layer(from_fn_with_state(supervisor.clone(), Supervisor::may_be_dead))
        .with_state(supervisor.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (folder, OnPlatform::new(Processes::new(socket)))
}
