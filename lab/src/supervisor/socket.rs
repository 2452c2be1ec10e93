//! The supervisor's socket: HTTP over a Unix socket, for the scaler's actuator and for the curious.
//!
//! `curl --unix-socket …/supervisor.sock http://lab/replicas` lists the replicas, `POST` starts one,
//! `DELETE /replicas/{id}` stops one. `GET /events` tells what happened to processes lately.

use std::path::Path as FilePath;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use axum::{Json, Router};
use http::{Method, StatusCode, Uri};
use observability::http::error::ErrorReply;
use tokio::net::UnixListener;
use tokio::task::JoinHandle;

use super::journal::Journal;
use super::replica_set::{ReplicaError, ReplicaSet};
use crate::failure::Failure;

/// Serves the socket until the task is aborted.
pub(super) fn serve(
    path: &FilePath,
    replicas: ReplicaSet,
    journal: Journal,
) -> Result<JoinHandle<()>, Failure> {
    let listener = UnixListener::bind(path).map_err(|error| {
        Failure::could_not_run(format!(
            "cannot listen on {}: {error}; hint: set TMPDIR to a folder with a short path",
            path.display()
        ))
    })?;
    let router = Router::new()
        .route("/replicas", get(list).post(start))
        .route("/replicas/{id}", delete(stop))
        .route("/events", get(async move || Json(journal.news())))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(replicas);
    Ok(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%error, "the supervisor's socket broke");
        }
    }))
}

async fn list(State(replicas): State<ReplicaSet>) -> Response {
    Json(replicas.list()).into_response()
}

async fn start(State(replicas): State<ReplicaSet>) -> Result<Response, ReplicaError> {
    Ok((StatusCode::CREATED, Json(replicas.start_one()?)).into_response())
}

async fn stop(State(replicas): State<ReplicaSet>, Path(id): Path<String>) -> Result<Response, ReplicaError> {
    Ok((StatusCode::ACCEPTED, Json(replicas.stop_one(&id)?)).into_response())
}

const HINT: &str = "try GET /replicas, POST /replicas, DELETE /replicas/{id} or GET /events";

async fn unknown_route(uri: Uri) -> ErrorReply {
    ErrorReply::unknown_route(uri.path(), HINT)
}

async fn wrong_method(method: Method, uri: Uri) -> ErrorReply {
    ErrorReply::wrong_method(&method, uri.path(), HINT)
}

impl IntoResponse for ReplicaError {
    fn into_response(self) -> Response {
        let (status, hint) = match &self {
            Self::TooMany => (StatusCode::CONFLICT, "set a lower maximum in the policy"),
            Self::Closed => (StatusCode::SERVICE_UNAVAILABLE, "start the lab again"),
            Self::Unknown { .. } => (StatusCode::NOT_FOUND, "GET /replicas lists them"),
            Self::Spawn(_) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "look at the limits on processes and memory")
            }
        };
        ErrorReply::new(status, self.to_string(), hint).into_response()
    }
}
