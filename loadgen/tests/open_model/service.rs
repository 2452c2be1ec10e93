//! A service that answers each path in one way, and counts what it was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::IntoResponse;
use axum::routing::any;
use loadgen::{LevelPlan, OpenModel, Target, WeightedRequest};
use tokio::net::TcpListener;
use tokio::time::Instant;
use workload::Arrivals;

/// What the service has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) ok: AtomicU64,
    pub(crate) posted_bytes: AtomicU64,
}

/// A running service; it ends with the test's runtime.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) base_url: String,
    pub(crate) seen: Arc<Seen>,
}

/// How often, and for how long, `/freezing` does not answer.
const FREEZE_EVERY: Duration = Duration::from_secs(10);
const FREEZE_FOR: Duration = Duration::from_secs(2);

impl Service {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base_url = format!("http://{}", listener.local_addr().expect("it is bound"));
        let seen = Arc::<Seen>::default();
        let began = Instant::now();
        let routes = Router::new()
            .route("/ok", any(ok))
            .route("/slow", any(async || tokio::time::sleep(Duration::from_millis(50)).await))
            .route("/never", any(std::future::pending::<()>))
            .route("/error", any(async || StatusCode::INTERNAL_SERVER_ERROR))
            .route("/unavailable", any(async || StatusCode::SERVICE_UNAVAILABLE))
            .route("/refuse", any(async || (StatusCode::SERVICE_UNAVAILABLE, [("retry-after", "1")])))
            .route("/empty", any(async || StatusCode::NO_CONTENT))
            .route("/close", any(async || [("connection", "close")]))
            .route("/chunked", any(chunked))
            .route("/large", any(async || vec![b'x'; 300_000]))
            .route("/freezing", any(move || freezing(began)))
            .with_state(Arc::clone(&seen));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { base_url, seen }
    }

    /// Connections to this service that ask for `path`.
    pub(crate) async fn engine(&self, path: &str, connections: usize) -> OpenModel {
        OpenModel::connect(self.target(path, connections)).await.expect("the service runs")
    }

    /// What asks this service for `path`.
    pub(crate) fn target(&self, path: &str, connections: usize) -> Target {
        Target {
            base_url: self.base_url.clone(),
            requests: vec![get(path)],
            connections,
            timeout: Duration::from_secs(10),
        }
    }
}

/// A request without anything special.
pub(crate) fn get(path: &str) -> WeightedRequest {
    WeightedRequest { weight: 1, method: Method::GET, path: path.to_owned(), headers: Vec::new(), body: None }
}

/// Evenly spaced requests without a warm-up.
pub(crate) fn plan(rate_rps: f64, hold: Duration) -> LevelPlan {
    LevelPlan { rate_rps, warm_up: Duration::ZERO, hold, arrivals: Arrivals::Constant, seed: 1 }
}

async fn ok(State(seen): State<Arc<Seen>>, body: Bytes) -> &'static str {
    seen.ok.fetch_add(1, Ordering::Relaxed);
    seen.posted_bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
    "hello"
}

async fn chunked() -> impl IntoResponse {
    // A stream of unknown length goes out in chunks.
    let pieces = (0..20).map(|number| Ok::<_, std::io::Error>(vec![b'x'; number * 100 + 1]));
    Body::from_stream(futures_util::stream::iter(pieces))
}

/// Answers at once, but not in the last two of every ten seconds.
async fn freezing(began: Instant) {
    let into_period = Duration::from_secs_f64(began.elapsed().as_secs_f64() % FREEZE_EVERY.as_secs_f64());
    if into_period >= FREEZE_EVERY.saturating_sub(FREEZE_FOR) {
        tokio::time::sleep(FREEZE_EVERY.saturating_sub(into_period)).await;
    }
}
