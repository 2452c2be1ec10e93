//! Serves page, API, events, probes and metrics.
//!
//! Reading is free. Whatever changes something passes the guard of [`guard`] first, because a browser lets any page
//! send requests to a loopback address.

mod control;
mod events;
mod guard;
mod load;
mod page;
mod read;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use observability::http::client::HttpClient;
use observability::http::error::ErrorReply;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;

pub(crate) use guard::AllowedHosts;

use crate::driver::Published;
use crate::driver::command::Command;

/// The largest request body that is read; the largest sensible one is a replayed load shape.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Readers of events at the same time; a page has one.
const EVENT_READERS_MAX: usize = 64;

/// Where to read on, for whoever asked for something that is not there.
const ROUTES_HINT: &str = "GET / lists the routes";

/// What the handlers share.
#[derive(Clone, Debug)]
pub(crate) struct ApiState {
    published: Arc<Published>,
    commands: mpsc::Sender<Command>,
    client: HttpClient,
    gateway_url: Arc<str>,
    allowed_hosts: Arc<AllowedHosts>,
    event_readers: Arc<Semaphore>,
    stop: CancellationToken,
}

impl ApiState {
    pub(crate) fn new(
        published: Arc<Published>,
        commands: mpsc::Sender<Command>,
        gateway_url: &str,
        allowed_hosts: AllowedHosts,
        stop: CancellationToken,
    ) -> Self {
        Self {
            published,
            commands,
            client: HttpClient::new(),
            gateway_url: Arc::from(gateway_url.trim_end_matches('/')),
            allowed_hosts: Arc::new(allowed_hosts),
            event_readers: Arc::new(Semaphore::new(EVENT_READERS_MAX)),
            stop,
        }
    }
}

/// All routes.
pub(crate) fn router(state: ApiState) -> Router {
    let changing = Router::new()
        .route("/api/replicas", put(control::set_replicas))
        .route("/api/limits", put(control::set_limits))
        .route("/api/pause", post(control::pause))
        .route("/api/resume", post(control::resume))
        .route("/api/load", load::methods())
        .route("/api/load/{*rest}", load::methods())
        .layer(from_fn_with_state(state.allowed_hosts.clone(), guard::check));
    Router::new()
        .route("/", get(page::index))
        .route("/page/{file}", get(page::file))
        .route("/api/status", get(read::status))
        .route("/api/history", get(read::history))
        .route("/api/policy", get(read::policy))
        .route("/api/events", get(events::follow))
        .route("/health", get(async || Json(serde_json::json!({"status": "ok"}))))
        .route("/ready", get(read::ready))
        .route("/metrics", get(read::metrics))
        .merge(changing)
        .method_not_allowed_fallback(wrong_method)
        .fallback(unknown_route)
        .layer(state.published.metrics.server().clone())
        .layer(from_fn(set_headers))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(state)
}

async fn unknown_route(uri: Uri) -> ErrorReply {
    ErrorReply::unknown_route(uri.path(), ROUTES_HINT)
}

async fn wrong_method(method: Method, uri: Uri) -> ErrorReply {
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

impl ApiState {
    /// Sends a command to the driver and waits for its answer.
    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T, ErrorReply> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(command(answer)).await.map_err(|_| stopping())?;
        answered.await.map_err(|_| stopping())
    }
}

#[cfg(test)]
mod tests;
