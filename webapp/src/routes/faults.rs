//! `/faults`: switches faults of this one replica on and off. The gateway never forwards these routes.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use observability::http::error::ErrorReply;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing::warn;

use super::input::{NoParams, Params, duration};
use crate::app::App;
use crate::exposed::Exposed;
use crate::faults::MAX_ADDED_LATENCY;

/// Longest that a fault with an end lasts.
const MAX_FAULT: Duration = Duration::from_secs(24 * 3600);

const HINT: &str = "try /faults/latency?add=200ms&for=60s, /faults/errors?share=0.1&for=60s, /faults/unready?for=30s, \
                    /faults/crash or /faults/clear; without `for` a fault stays until it is cleared";

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LatencyParams {
    add: Option<String>,
    r#for: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ErrorParams {
    share: Option<f64>,
    r#for: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct UnreadyParams {
    r#for: Option<String>,
}

/// The faults in force.
pub(super) async fn show(State(Exposed { app, .. }): State<Exposed>) -> Json<Value> {
    describe(&app)
}

/// Makes every job take longer, on its worker.
pub(super) async fn latency(
    State(Exposed { app, .. }): State<Exposed>,
    Params(params): Params<LatencyParams>,
) -> Result<Json<Value>, ErrorReply> {
    let text = params.add.ok_or_else(|| ErrorReply::bad_request("`add` is missing", HINT))?;
    let added = duration("add", &text, MAX_ADDED_LATENCY)?;
    app.faults.set_latency(added, until(&app, params.r#for.as_deref())?);
    Ok(switched(&app, "latency"))
}

/// Lets a share of the jobs fail after they were served.
pub(super) async fn errors(
    State(Exposed { app, .. }): State<Exposed>,
    Params(params): Params<ErrorParams>,
) -> Result<Json<Value>, ErrorReply> {
    let share = params.share.ok_or_else(|| ErrorReply::bad_request("`share` is missing", HINT))?;
    if !(0.0..=1.0).contains(&share) {
        let error = format!("`share` is {share}, expected a fraction from 0 to 1");
        return Err(ErrorReply::bad_request(error, "write 0.1 for 10 percent"));
    }
    app.faults.set_errors(share, until(&app, params.r#for.as_deref())?);
    Ok(switched(&app, "errors"))
}

/// Lets readiness say no while the replica goes on serving.
pub(super) async fn unready(
    State(Exposed { app, .. }): State<Exposed>,
    Params(params): Params<UnreadyParams>,
) -> Result<Json<Value>, ErrorReply> {
    app.faults.set_unready(until(&app, params.r#for.as_deref())?);
    Ok(switched(&app, "unready"))
}

/// Ends the process at once, without finishing anything.
pub(super) async fn crash(State(Exposed { app, .. }): State<Exposed>, _: Params<NoParams>) -> Response {
    warn!(replica = app.id, fault = "crash", "fault switched on");
    app.crash.notify_one();
    (StatusCode::ACCEPTED, Json(json!({"status": "crashing", "replica": app.id}))).into_response()
}

/// Switches all faults off.
pub(super) async fn clear(State(Exposed { app, .. }): State<Exposed>, _: Params<NoParams>) -> Json<Value> {
    app.faults.clear();
    describe(&app)
}

fn until(app: &App, lasts: Option<&str>) -> Result<Option<Duration>, ErrorReply> {
    lasts.map(|text| duration("for", text, MAX_FAULT).map(|lasts| app.clock.now() + lasts)).transpose()
}

fn switched(app: &App, fault: &str) -> Json<Value> {
    warn!(replica = app.id, fault, "fault switched on");
    describe(app)
}

fn describe(app: &App) -> Json<Value> {
    Json(json!({"replica": app.id, "faults": app.faults.in_force(app.clock.now())}))
}
