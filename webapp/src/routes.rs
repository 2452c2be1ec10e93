//! The HTTP routes of a replica, one file each.

mod events;
mod faults;
mod health;
mod input;
mod load;
mod metrics;
mod order;
mod peers;
mod root;

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use http::{Method, Uri, header};
use observability::http::error::ErrorReply;
use observability::http::guard::{self, AllowedHosts};
use observability::http::server::MeasuredRoutes;

use crate::exposed::Exposed;
use crate::replica::JobError;

/// What is measured of the routes below.
pub(crate) const MEASURED: MeasuredRoutes = MeasuredRoutes {
    routes: &[
        "/",
        "/api/dashboard",
        "/api/events",
        "/order",
        "/buy",
        "/load",
        "/load/increase",
        "/load/decrease",
        "/load/reset",
        "/load/spike",
        "/faults",
        "/faults/latency",
        "/faults/errors",
        "/faults/unready",
        "/faults/crash",
        "/faults/clear",
    ],
    unmeasured: &["/health", "/health/live", "/health/ready", "/ready", "/metrics", "/peers", "/peers/load"],
    expected: &[
        ("GET", "/", 200),
        ("GET", "/", 503),
        ("GET", "/api/dashboard", 200),
        ("GET", "/api/dashboard", 503),
        ("POST", "/api/events", 201),
        ("POST", "/api/events", 503),
        ("POST", "/order", 201),
        ("POST", "/order", 503),
        ("POST", "/buy", 201),
        ("POST", "/buy", 503),
    ],
};

const ROUTES_HINT: &str = "try /, /health, /ready, /metrics, /load, /load/spike, /api/dashboard, POST /api/events, \
                           POST /order, POST /buy or /faults";

/// The whole application.
///
/// Reading, and being a user of the service, is free. What changes the replica itself passes the guard first: a browser
/// lets any page send requests to a loopback address.
pub(crate) fn router(exposed: Exposed, allowed_hosts: AllowedHosts) -> Router {
    Router::new()
        .route("/", get(root::root))
        .route("/health", get(health::live))
        .route("/health/live", get(health::live))
        .route("/ready", get(health::ready))
        .route("/health/ready", get(health::ready))
        .route("/metrics", get(metrics::metrics))
        .route("/load", get(load::show))
        .route("/api/dashboard", get(root::dashboard))
        .route("/api/events", post(events::create))
        .route("/order", post(order::order))
        .route("/buy", post(order::buy))
        .route("/faults", get(faults::show))
        .route("/peers", get(peers::show))
        .merge(changing(allowed_hosts))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .with_state(exposed)
}

/// The routes that change the load, the faults or the peers.
fn changing(allowed_hosts: AllowedHosts) -> Router<Exposed> {
    Router::new()
        .route("/load", put(load::set))
        .route("/load/increase", command(load::increase))
        .route("/load/decrease", command(load::decrease))
        .route("/load/reset", command(load::reset))
        .route("/load/spike", command(load::spike))
        .route("/faults", delete(faults::clear))
        .route("/faults/latency", command(faults::latency))
        .route("/faults/errors", command(faults::errors))
        .route("/faults/unready", command(faults::unready))
        .route("/faults/crash", command(faults::crash))
        .route("/faults/clear", command(faults::clear))
        .route("/peers", post(peers::greet).delete(peers::leave))
        .route("/peers/load", put(peers::load))
        .layer(from_fn_with_state(Arc::new(allowed_hosts), guard::check))
}

/// What changes something takes GET and POST: people type curl, scripts send POST. HEAD, which asks what a GET would
/// answer, must not change anything, and there is no such answer without the change.
fn command<H, T>(handler: H) -> MethodRouter<Exposed>
where
    H: Handler<T, Exposed>,
    T: 'static,
{
    get(handler.clone()).post(handler).head(no_head)
}

async fn no_head(uri: Uri) -> Response {
    let error = ErrorReply::wrong_method(&Method::HEAD, uri.path(), "a GET or POST here changes something");
    ([(header::ALLOW, "GET, POST")], error).into_response()
}

async fn unknown_route(uri: Uri) -> ErrorReply {
    ErrorReply::unknown_route(uri.path(), ROUTES_HINT)
}

async fn wrong_method(method: Method, uri: Uri) -> ErrorReply {
    ErrorReply::wrong_method(
        &method,
        uri.path(),
        "GET /load shows the load; orders, purchases and events are POST",
    )
}

/// How the end of a job without result looks to its client.
impl IntoResponse for JobError {
    fn into_response(self) -> Response {
        let hint = match &self {
            Self::Refused { .. } => {
                "the replica is saturated; try again, add replicas, or lower the load with /load/decrease"
            }
            Self::Fault => "switch the fault off at the replica: /faults/clear",
            Self::Dependency(_) => "look at the dependency: its queue may be full, or it may be gone",
        };
        let retry_after = matches!(self, Self::Refused { .. }).then_some([(header::RETRY_AFTER, "1")]);
        (retry_after, ErrorReply::new(self.status(), self.to_string(), hint)).into_response()
    }
}
