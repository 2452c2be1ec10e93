//! Serves the metrics of a command that is no server itself, for as long as it runs.

use std::net::SocketAddr;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use http::{HeaderMap, Method, Uri};
use loadgen::LoadMetrics;
use observability::http::error::ErrorReply;
use observability::http::metrics_route;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

use crate::failure::Failure;

/// Answers `/metrics` and `/health` until it is dropped.
#[derive(Debug)]
pub(crate) struct MetricsServer {
    address: SocketAddr,
    _serving: AbortOnDropHandle<()>,
}

impl MetricsServer {
    /// Takes the port and serves.
    pub(crate) async fn start(address: SocketAddr, metrics: LoadMetrics) -> Result<Self, Failure> {
        let refuse = |error| {
            Failure::could_not_run(format!(
                "cannot listen on {address}: {error}; \
                 hint: another process may have it, choose one with --metrics-port (0: any)"
            ))
        };
        let listener = TcpListener::bind(address).await.map_err(refuse)?;
        let address = listener.local_addr().map_err(refuse)?;
        let router = Router::new()
            .route("/metrics", get(scrape))
            .route("/health", get(async || Json(serde_json::json!({ "status": "ok" }))))
            .fallback(unknown_route)
            .method_not_allowed_fallback(wrong_method)
            .with_state(metrics);
        let serving = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the metrics are not served any more");
            }
        });
        Ok(Self { address, _serving: AbortOnDropHandle::new(serving) })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn scrape(
    State(metrics): State<LoadMetrics>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    metrics_route::reply(metrics.registry(), &headers, query.as_deref())
}

const HINT: &str = "try GET /metrics or GET /health";

async fn unknown_route(uri: Uri) -> ErrorReply {
    ErrorReply::unknown_route(uri.path(), HINT)
}

async fn wrong_method(method: Method, uri: Uri) -> ErrorReply {
    ErrorReply::wrong_method(&method, uri.path(), HINT)
}
