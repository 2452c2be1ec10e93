//! Takes what people ask by hand: a count, limits, a pause.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use observability::http::error::ErrorReply;
use scaler_engine::{Limits, LimitsError};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::BODY_BYTES_MAX;
use super::of_service::OfService;
use crate::driver::command::{ByHandOutcome, Command, CommandError};

type Body = Result<Bytes, BytesRejection>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DesiredReplicas {
    desired: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewLimits {
    min: u32,
    max: u32,
}

/// `PUT /api/replicas`: answers when the count was read back.
pub(super) async fn set_replicas(state: OfService, body: Body) -> Result<Json<ByHandOutcome>, ErrorReply> {
    let wanted: DesiredReplicas = read_json(body, r#"send {"desired": 3}"#)?;
    let outcome = state.ask(|answer| Command::SetReplicas { asked: wanted.desired, answer }).await?;
    outcome.map(Json).map_err(|error| {
        let (status, hint) = match &error {
            CommandError::OutOfLimits(_) => {
                (StatusCode::BAD_REQUEST, "widen them first with PUT /api/limits")
            }
            CommandError::Busy => {
                (StatusCode::CONFLICT, "ask again in a moment; GET /api/status shows `acting`")
            }
            CommandError::ObservesOnly => (StatusCode::CONFLICT, "start the scaler with an --actuator"),
            CommandError::CountUnknown => {
                (StatusCode::SERVICE_UNAVAILABLE, "`problems` in GET /api/status says why")
            }
            CommandError::Failed(_) => {
                (StatusCode::BAD_GATEWAY, "the next check tries again if it is still wanted")
            }
        };
        ErrorReply::new(status, error.to_string(), hint)
    })
}

/// `PUT /api/limits`: a count outside them is corrected at the next check.
pub(super) async fn set_limits(state: OfService, body: Body) -> Result<Json<Value>, ErrorReply> {
    let wanted: NewLimits = read_json(body, r#"send {"min": 1, "max": 6}"#)?;
    let refuse =
        |error: LimitsError| ErrorReply::bad_request(error.to_string(), r#"send {"min": 1, "max": 6}"#);
    let limits = Limits::new(wanted.min, wanted.max).map_err(refuse)?;
    let status = state.ask(|answer| Command::SetLimits { limits, answer }).await?.map_err(refuse)?;
    Ok(Json(json!({ "min": status.replicas.min, "max": status.replicas.max })))
}

/// `POST /api/pause`.
pub(super) async fn pause(state: OfService) -> Result<Json<Value>, ErrorReply> {
    set_pause(&state, true).await
}

/// `POST /api/resume`.
pub(super) async fn resume(state: OfService) -> Result<Json<Value>, ErrorReply> {
    set_pause(&state, false).await
}

async fn set_pause(state: &OfService, pause: bool) -> Result<Json<Value>, ErrorReply> {
    let status = state.ask(|answer| Command::Pause { pause, answer }).await?;
    Ok(Json(json!({ "paused": status.paused })))
}

/// The body as bytes, or 413.
pub(super) fn read_bytes(body: Body) -> Result<Bytes, ErrorReply> {
    body.map_err(|rejection| {
        let hint = format!("send at most {BODY_BYTES_MAX} bytes");
        ErrorReply::new(
            rejection.status(),
            format!("the body was not taken: {}", rejection.body_text()),
            hint,
        )
    })
}

fn read_json<T: DeserializeOwned>(body: Body, hint: &str) -> Result<T, ErrorReply> {
    let bytes = read_bytes(body)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| ErrorReply::bad_request(format!("the body is not what is expected: {error}"), hint))
}
