//! Answers on the admin port: who is there, who comes, who leaves, and the metrics.
//!
//! Reading is free. What changes something passes [`guard::check`] first, because a browser lets any page send requests
//! to a loopback address.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, RawQuery, Request, State};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{self, get};
use axum::{Json, Router};
use http::{HeaderMap, StatusCode};
use observability::http::error::ErrorReply;
use observability::http::guard::{self, AllowedHosts};
use observability::http::replica_id::{ID_EXPECTED, is_id};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::fleet::{Drained, EndpointReport, Fleet, PutOrder, PutOutcome};
use crate::metrics::Exposition;
use crate::target::EndpointUrl;
use crate::waiting_room::WaitingRoom;

const ROUTES_HINT: &str =
    "the admin port has GET, PUT and DELETE /endpoints, and GET /waiting, /sd, /metrics and /health";
const PUT_HINT: &str =
    r#"send {"url": "http://127.0.0.1:8081"}; "pid", "owner" and "replica" may say whose it is"#;
const DELETE_HINT: &str = "ask for DELETE /endpoints?url=http://127.0.0.1:8081&wait=30s";

/// How long a drain waits unless told otherwise.
const DRAIN_WAIT: Duration = Duration::from_secs(30);

/// Longest wait that can be asked for.
const DRAIN_WAIT_MAX: Duration = Duration::from_hours(1);

/// What the admin port answers from.
#[derive(Debug, Clone)]
pub(crate) struct Admin {
    pub(crate) fleet: Arc<Fleet>,
    pub(crate) waiting_room: Arc<WaitingRoom>,
    pub(crate) exposition: Arc<Exposition>,
}

/// The routes of the admin port.
pub(crate) fn router(admin: Admin, allowed_hosts: AllowedHosts) -> Router {
    let guarded = from_fn_with_state(Arc::new(allowed_hosts), guard::check);
    Router::new()
        .route("/endpoints", routing::put(put).delete(delete).layer(guarded).get(list))
        .route("/waiting", get(waiting))
        .route("/sd", get(service_discovery))
        .route("/metrics", get(metrics))
        .route("/health", get(health))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(admin)
}

async fn list(State(admin): State<Admin>) -> Json<Vec<EndpointReport>> {
    Json(admin.fleet.report())
}

/// What `GET /waiting` says: requests that found no endpoint in rotation. They are in flight to none, so they count beside
/// the `in_flight` of `GET /endpoints`.
#[derive(Debug, Serialize)]
struct WaitingReport {
    waiting_requests: usize,
    /// How many may wait.
    max: usize,
}

async fn waiting(State(admin): State<Admin>) -> Json<WaitingReport> {
    let room = &admin.waiting_room;
    Json(WaitingReport { waiting_requests: room.waiting(), max: room.places_max() })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PutEndpoint {
    url: String,
    pid: Option<u32>,
    /// Says in `GET /endpoints` whose it is, so that an owner who was away finds its own again.
    owner: Option<String>,
    /// The id that the server at the address gives itself in `/ready`; no other server gets a request there.
    replica: Option<String>,
    /// For an owner that repairs the list: leaves alone what somebody drained meanwhile.
    #[serde(default)]
    unless_drained: bool,
}

async fn put(State(admin): State<Admin>, body: Bytes) -> Result<Response, ErrorReply> {
    let put: PutEndpoint = serde_json::from_slice(&body).map_err(|error| {
        ErrorReply::bad_request(format!("the body is not an endpoint: {error}"), PUT_HINT)
    })?;
    let url = parse_url(&put.url, PUT_HINT)?;
    let PutEndpoint { pid, owner, replica, unless_drained, .. } = put;
    if let Some(bad) = replica.as_deref().filter(|replica| !is_id(replica)) {
        let error = format!("`replica` is `{}`, expected {ID_EXPECTED}", shortened(bad));
        return Err(ErrorReply::bad_request(error, PUT_HINT));
    }
    let outcome = admin.fleet.put(&url, PutOrder { pid, owner, replica, unless_drained });
    let (added, drained) = (outcome == PutOutcome::Added, outcome == PutOutcome::Drained);
    let status = if added { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(json!({ "url": url.as_str(), "added": added, "drained": drained }))).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeleteEndpoint {
    url: String,
    wait: Option<String>,
    /// Only if this replica is the one announced there: an order that comes late must not hit another one's address.
    replica: Option<String>,
}

async fn delete(
    State(admin): State<Admin>,
    query: Result<Query<DeleteEndpoint>, QueryRejection>,
) -> Result<Response, ErrorReply> {
    let Query(delete) =
        query.map_err(|rejection| ErrorReply::bad_request(rejection.body_text(), DELETE_HINT))?;
    let url = parse_url(&delete.url, DELETE_HINT)?;
    let wait = match &delete.wait {
        None => DRAIN_WAIT,
        Some(text) => {
            humantime::parse_duration(text).ok().filter(|wait| *wait <= DRAIN_WAIT_MAX).ok_or_else(|| {
                let error = format!("`wait` is `{text}`, expected a time of at most 1h such as `30s`");
                ErrorReply::bad_request(error, DELETE_HINT)
            })?
        }
    };
    match admin.fleet.drain(&url, delete.replica.as_deref(), wait).await {
        None => Err(ErrorReply::new(
            StatusCode::NOT_FOUND,
            match &delete.replica {
                Some(replica) => {
                    format!("there is no endpoint `{url}` of the replica `{}`", shortened(replica))
                }
                None => format!("there is no endpoint `{url}`"),
            },
            "GET /endpoints lists those that are there",
        )),
        Some(Drained::PutAgain) => Err(ErrorReply::new(
            StatusCode::CONFLICT,
            format!("`{url}` was put again while it drained, and stays"),
            "ask for DELETE again if it should leave after all",
        )),
        Some(Drained::Forgotten { in_flight }) => {
            Ok(Json(json!({ "url": url.as_str(), "in_flight": in_flight })).into_response())
        }
    }
}

/// A value as it stands in a message: its beginning, with control characters escaped.
fn shortened(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

fn parse_url(text: &str, hint: &str) -> Result<EndpointUrl, ErrorReply> {
    text.parse().map_err(|error: crate::target::TargetError| ErrorReply::bad_request(error.to_string(), hint))
}

/// One group in the format of Prometheus' `http_sd`.
#[derive(Debug, Serialize)]
struct TargetGroup {
    targets: [String; 1],
    labels: TargetLabels,
}

/// Labels that begin with `__meta_` are there for relabelling and end with it: as a plain label the state would
/// begin a new series with each change.
#[derive(Debug, Serialize)]
struct TargetLabels {
    #[serde(rename = "__meta_autoscale_lab_state")]
    state: gateway_balancer::State,
}

async fn service_discovery(State(admin): State<Admin>) -> Json<Vec<TargetGroup>> {
    let group = |report: EndpointReport| TargetGroup {
        targets: [report.url.trim_start_matches("http://").to_owned()],
        labels: TargetLabels { state: report.state },
    };
    Json(admin.fleet.report().into_iter().map(group).collect())
}

async fn metrics(State(admin): State<Admin>, headers: HeaderMap, RawQuery(query): RawQuery) -> Response {
    admin.exposition.reply(&admin.fleet, &headers, query.as_deref())
}

async fn health(State(admin): State<Admin>) -> Json<serde_json::Value> {
    Json(json!({ "status": "ok", "ready_endpoints": admin.fleet.ready_count() }))
}

async fn unknown_route(request: Request) -> ErrorReply {
    ErrorReply::unknown_route(request.uri().path(), ROUTES_HINT)
}

async fn wrong_method(request: Request) -> ErrorReply {
    ErrorReply::wrong_method(request.method(), request.uri().path(), ROUTES_HINT)
}
