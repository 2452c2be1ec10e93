//! Serves page, API, events, probes and metrics.
//!
//! Reading is free. Whatever changes something passes [`guard::check`] first, because a browser lets any page
//! send requests to a loopback address.

mod control;
mod events;
mod late;
mod load;
mod metrics;
mod of_service;
mod page;
mod read;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, OriginalUri, Request};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use http_client::HttpClient;
use observability::http::error::ErrorReply;
use observability::http::guard::{self, AllowedHosts};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use metrics::ApiMetrics;

use crate::clock::Clock;
use crate::driver::command::Command;
use crate::published::Published;

/// The largest request body that is read; the largest sensible one is a replayed load shape.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Readers of events at the same time; a page has one.
const EVENT_READERS_MAX: usize = 64;

/// Where to read on, for whoever asked for something that is not there.
const ROUTES_HINT: &str = "GET / lists the routes";

/// What the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct ApiState {
    /// The first is meant where none is named.
    services: Arc<[ServiceApi]>,
    metrics: Arc<ApiMetrics>,
    client: HttpClient,
    allowed_hosts: Arc<AllowedHosts>,
    clock: Clock,
    event_readers: Arc<Semaphore>,
    stop: CancellationToken,
}

/// What the handlers know of one service.
#[derive(Clone, Debug)]
pub(crate) struct ServiceApi {
    name: String,
    published: Arc<Published>,
    commands: mpsc::Sender<Command>,
    /// The gateway's own address, without a slash at its end.
    gateway_url: String,
}

impl ServiceApi {
    pub(crate) fn new(
        name: String,
        published: Arc<Published>,
        commands: mpsc::Sender<Command>,
        gateway_url: &str,
    ) -> Self {
        Self { name, published, commands, gateway_url: gateway_url.trim_end_matches('/').to_owned() }
    }
}

impl ApiState {
    /// `services` has at least one.
    pub(crate) fn new(
        services: Vec<ServiceApi>,
        allowed_hosts: AllowedHosts,
        clock: Clock,
        stop: CancellationToken,
    ) -> Self {
        Self {
            services: services.into(),
            metrics: Arc::new(ApiMetrics::new()),
            client: HttpClient::new(),
            allowed_hosts: Arc::new(allowed_hosts),
            clock,
            event_readers: Arc::new(Semaphore::new(EVENT_READERS_MAX)),
            stop,
        }
    }
}

/// All routes.
pub(crate) fn router(state: ApiState) -> Router {
    let of_service = of_service(&state);
    Router::new()
        .route("/", get(page::index))
        .route("/page/{file}", get(page::file))
        .nest("/api", of_service.clone())
        .nest("/api/services/{service}", of_service)
        .route("/api/services", get(read::services))
        .route("/health", get(async || Json(serde_json::json!({"status": "ok"}))))
        .route("/ready", get(read::ready))
        .route("/metrics", get(read::metrics))
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_route)
        .layer(state.metrics.server().clone())
        .layer(from_fn(set_headers))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(state)
}

/// The routes that each service has.
fn of_service(state: &ApiState) -> Router<ApiState> {
    let changing = Router::new()
        .route("/replicas", put(control::set_replicas))
        .route("/limits", put(control::set_limits))
        .route("/pause", post(control::pause))
        .route("/resume", post(control::resume))
        .route("/load", load::methods())
        .route("/load/{*rest}", load::methods())
        .layer(from_fn_with_state(state.clone(), late::check))
        .layer(from_fn_with_state(state.allowed_hosts.clone(), guard::check));
    Router::new()
        .route("/status", get(read::status))
        .route("/history", get(read::history))
        .route("/policy", get(read::policy))
        .route("/events", get(events::follow))
        .merge(changing)
}

async fn unknown_route(OriginalUri(uri): OriginalUri) -> ErrorReply {
    ErrorReply::unknown_route(uri.path(), ROUTES_HINT)
}

async fn wrong_method(method: Method, OriginalUri(uri): OriginalUri) -> ErrorReply {
    ErrorReply::wrong_method(&method, uri.path(), ROUTES_HINT)
}

/// What does not say otherwise is true for a second at most, and nothing is what it does not say it is.
async fn set_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// The driver has ended, which it only does when the process ends.
fn stopping() -> ErrorReply {
    ErrorReply::new(StatusCode::SERVICE_UNAVAILABLE, "the scaler is stopping", "ask again after its restart")
}

#[cfg(test)]
mod tests;
