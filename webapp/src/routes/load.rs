//! `/load`: shows and changes the load factor of the whole service, from any one replica.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use observability::http::error::ErrorReply;
use serde::Deserialize;
use serde_json::{Value, json};
use workload::{Replay, Shape, ShapeDefinition};

use super::input::{Body, MAX_BODY_BYTES, NoParams, Params, duration};
use crate::app::App;
use crate::exposed::Exposed;
use crate::load::{FactorOutOfRange, SPIKE_FACTOR, SPIKE_HOLD, SPIKE_RAMP};

/// Longest hold or ramp of a spike.
const MAX_SPIKE_PHASE: Duration = Duration::from_secs(24 * 3600);

/// Longest schedule, as JSON: with what travels beside it, it has to fit into a request to a peer.
const MAX_SCHEDULE_BYTES: usize = MAX_BODY_BYTES - 64 * 1024;

/// `?factor=8&hold=60s&ramp=10s`, each optional.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct SpikeParams {
    factor: Option<f64>,
    hold: Option<String>,
    ramp: Option<String>,
}

/// A lasting factor; a spike, when hold or ramp is given; a shape whose levels are factors; or a recorded
/// trace, whose requests per second become factors of the base rate.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct LoadBody {
    factor: Option<f64>,
    hold: Option<String>,
    ramp: Option<String>,
    shape: Option<Shape>,
    replay_csv: Option<String>,
}

const BODY_HINT: &str = "send {\"factor\": 3}, {\"factor\": 8, \"hold\": \"60s\", \"ramp\": \"10s\"}, \
                         {\"shape\": {\"kind\": \"sine\", \"mean\": 3, \"amplitude\": 2, \"period_seconds\": 120}} \
                         or {\"replay_csv\": \"time,requests\\n0,40\\n60,200\"}";

/// `GET /load`.
pub(super) async fn show(State(Exposed { app, .. }): State<Exposed>) -> Json<Value> {
    Json(describe(&app))
}

/// `PUT /load`.
pub(super) async fn set(
    State(Exposed { app, .. }): State<Exposed>,
    Body(body): Body<LoadBody>,
) -> Result<Json<Value>, ErrorReply> {
    let now = app.clock.now();
    match body {
        LoadBody { factor: Some(factor), hold: None, ramp: None, shape: None, replay_csv: None } => {
            app.load.set_factor(factor)?;
        }
        LoadBody { factor, hold, ramp, shape: None, replay_csv: None }
            if hold.is_some() || ramp.is_some() =>
        {
            start_spike(&app, &SpikeParams { factor, hold, ramp })?;
        }
        LoadBody { factor: None, hold: None, ramp: None, shape: Some(shape), replay_csv: None } => {
            app.load.follow(now, fits_a_message(shape)?)?;
        }
        LoadBody { factor: None, hold: None, ramp: None, shape: None, replay_csv: Some(csv) } => {
            app.load.follow(now, fits_a_message(replay(&csv, app.base_rps)?)?)?;
        }
        _ => return Err(ErrorReply::bad_request("the body names no change, or several at once", BODY_HINT)),
    }
    Ok(changed(&app))
}

/// One more than the factor in force.
pub(super) async fn increase(State(Exposed { app, .. }): State<Exposed>, _: Params<NoParams>) -> Json<Value> {
    app.load.add(app.clock.now(), 1.0);
    changed(&app)
}

/// One less than the factor in force, but not below 0.
pub(super) async fn decrease(State(Exposed { app, .. }): State<Exposed>, _: Params<NoParams>) -> Json<Value> {
    app.load.add(app.clock.now(), -1.0);
    changed(&app)
}

/// Back to 1.
pub(super) async fn reset(
    State(Exposed { app, .. }): State<Exposed>,
    _: Params<NoParams>,
) -> Result<Json<Value>, ErrorReply> {
    app.load.set_factor(1.0)?;
    Ok(changed(&app))
}

/// To 5 for 120 s, then linearly back over 30 s, unless the query says otherwise.
pub(super) async fn spike(
    State(Exposed { app, .. }): State<Exposed>,
    Params(params): Params<SpikeParams>,
) -> Result<Json<Value>, ErrorReply> {
    start_spike(&app, &params)?;
    Ok(changed(&app))
}

fn start_spike(app: &App, params: &SpikeParams) -> Result<(), ErrorReply> {
    let phase = |field, text: &Option<String>, default| {
        text.as_ref().map_or(Ok(default), |text| duration(field, text, MAX_SPIKE_PHASE))
    };
    let hold = phase("hold", &params.hold, SPIKE_HOLD)?;
    let ramp = phase("ramp", &params.ramp, SPIKE_RAMP)?;
    app.load.spike(app.clock.now(), params.factor.unwrap_or(SPIKE_FACTOR), hold, ramp)?;
    Ok(())
}

/// Takes only a schedule that can be passed on: one that stayed with this replica would set it apart for good.
fn fits_a_message(shape: Shape) -> Result<Shape, ErrorReply> {
    let bytes = serde_json::to_vec(&shape).map_or(usize::MAX, |json| json.len());
    if bytes <= MAX_SCHEDULE_BYTES {
        return Ok(shape);
    }
    Err(ErrorReply::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        format!("the schedule takes {bytes} bytes as JSON, expected at most {MAX_SCHEDULE_BYTES}"),
        "let each point stand for a longer time, such as a minute: the other replicas get the schedule too",
    ))
}

/// A recorded trace as factors.
fn replay(csv: &str, base_rps: f64) -> Result<Shape, ErrorReply> {
    let refuse =
        |error: String| ErrorReply::bad_request(format!("`replay_csv` is no trace: {error}"), BODY_HINT);
    let rates = workload::replay::shape_from_csv(csv).map_err(|error| refuse(error.to_string()))?;
    let ShapeDefinition::Replay(Replay { mut points, end_seconds }) = rates.definition().clone() else {
        unreachable!("a trace becomes a replay");
    };
    if base_rps <= 0.0 {
        return Err(refuse("the base rate of this service is 0, so no factor makes a rate".to_owned()));
    }
    for point in &mut points {
        point.level /= base_rps;
    }
    Shape::try_from(Replay { points, end_seconds }).map_err(|error| refuse(error.to_string()))
}

fn changed(app: &App) -> Json<Value> {
    app.peers.push(&app.load.message(app.clock.now()));
    let description = describe(app);
    tracing::info!(factor = %description["factor"], version = %description["version"]["counter"], "load changed");
    Json(description)
}

fn describe(app: &App) -> Value {
    let message = app.load.message(app.clock.now());
    let schedule = message.schedule.as_ref().map(|schedule| {
        let elapsed = schedule.elapsed();
        let remaining = schedule.shape.ends_after().map(|end| end.saturating_sub(elapsed).as_secs_f64());
        // A recorded trace may have a million points; whoever sent it knows them.
        let shape = match schedule.shape.definition() {
            ShapeDefinition::Replay(replay) => json!({"kind": "replay", "points": replay.points.len()}),
            _ => json!(schedule.shape),
        };
        json!({"shape": shape, "elapsed_seconds": elapsed.as_secs_f64(), "remaining_seconds": remaining})
    });
    json!({
        "factor": app.load.factor_at(app.clock.now()),
        "lasting_factor": message.factor,
        "schedule": schedule,
        "base_rps": app.base_rps,
        "demand_rps": app.demand_rps(),
        "share_rps": app.synthetic_share_rps(),
        "ready_replicas": app.ready_replicas(),
        "replica": app.id,
        "version": message.version,
    })
}

impl From<FactorOutOfRange> for ErrorReply {
    fn from(error: FactorOutOfRange) -> Self {
        Self::bad_request(error.to_string(), "1 is the service at rest, 5 is a spike")
    }
}
