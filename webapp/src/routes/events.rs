//! `POST /api/events`: takes any JSON object, counts it, and forgets it.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::input::Body;
use crate::exposed::Exposed;

/// One unit of work.
pub(super) async fn create(
    State(Exposed { app, .. }): State<Exposed>,
    Body(event): Body<Map<String, Value>>,
) -> Response {
    if let Err(error) = app.replica.serve().await {
        return error.into_response();
    }
    let number = app.events.fetch_add(1, Ordering::Relaxed) + 1;
    let reply =
        json!({"event_id": format!("{}-{number}", app.id), "fields": event.len(), "status": "accepted"});
    (StatusCode::CREATED, Json(reply)).into_response()
}
