//! Liveness and readiness.
//!
//! Readiness names the replica, so that a gateway finds out when the address has become another server's. An unready
//! answer has no `Retry-After`: with it, the gateway would take it for honest refusal under load.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use observability::http::replica_id::X_REPLICA_ID;
use serde_json::json;

use crate::exposed::Exposed;

/// 200 for as long as the process answers.
pub(super) async fn live(State(Exposed { app, .. }): State<Exposed>) -> Response {
    Json(json!({"status": "ok", "replica": app.id, "role": app.role.name()})).into_response()
}

/// 200 while requests are welcome, else 503; the header `x-replica-id` says whose answer it is.
pub(super) async fn ready(State(Exposed { app, .. }): State<Exposed>) -> Response {
    let (status, word) =
        if app.is_ready() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "unready") };
    let name = [(X_REPLICA_ID, app.id.clone())];
    (status, name, Json(json!({"status": word, "replica": app.id, "role": app.role.name()}))).into_response()
}
