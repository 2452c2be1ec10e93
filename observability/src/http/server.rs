//! Measures each real HTTP request by method, route and status code; probes and `/metrics` are left out.
//!
//! The route is the pattern that matched, never the raw path: a client that asks for random paths must not be
//! able to create a time series for each.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::histogram::Histogram;

use crate::buckets::HTTP_DURATION_SECONDS;
use crate::metrics::MetricsRegistry;
use crate::names;

/// Routes that are probed and scraped, and what replicas say to each other: nobody's requests.
const UNMEASURED_ROUTES: [&str; 7] =
    ["/health", "/health/live", "/health/ready", "/ready", "/metrics", "/peers", "/peers/load"];

/// The route label of a request that no route matched.
const UNMATCHED_ROUTE: &str = "unmatched";

/// Labels of OpenTelemetry's `http.server.request.duration`, in Prometheus' form.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
#[expect(clippy::struct_field_names, reason = "the label names are OpenTelemetry's")]
struct RequestLabels {
    http_request_method: &'static str,
    http_route: Arc<str>,
    http_response_status_code: u16,
}

#[derive(Clone, Debug)]
struct NewHistogram;

impl MetricConstructor<Histogram> for NewHistogram {
    fn new_metric(&self) -> Histogram {
        Histogram::new(HTTP_DURATION_SECONDS)
    }
}

/// The family [`names::HTTP_SERVER_REQUEST_DURATION_SECONDS`]; hand it to [`measure`] as state.
#[derive(Clone, Debug)]
pub struct ServerMetrics {
    durations: Family<RequestLabels, Histogram, NewHistogram>,
}

impl ServerMetrics {
    /// Registers the family, with a series for each of `expected`: method, route pattern and status code. A
    /// series that appears only with its first request would hide that first request from every rate.
    pub fn register(registry: &mut MetricsRegistry, expected: &[(&'static str, &str, u16)]) -> Self {
        let durations = Family::new_with_constructor(NewHistogram);
        for (method, route, status) in expected {
            drop(durations.get_or_create_owned(&RequestLabels {
                http_request_method: method,
                http_route: Arc::from(*route),
                http_response_status_code: *status,
            }));
        }
        registry.register(
            names::HTTP_SERVER_REQUEST_DURATION_SECONDS,
            "Duration of HTTP requests by method, route and status code",
            durations.clone(),
        );
        Self { durations }
    }

    fn observe(&self, method: &'static str, route: Arc<str>, status: u16, started: Instant) {
        let labels = RequestLabels {
            http_request_method: method,
            http_route: route,
            http_response_status_code: status,
        };
        self.durations.get_or_create_owned(&labels).observe(started.elapsed().as_secs_f64());
    }
}

/// axum middleware (for `axum::middleware::from_fn_with_state`) that observes one request.
pub async fn measure(State(metrics): State<ServerMetrics>, request: Request, next: Next) -> Response {
    let route: Arc<str> = match request.extensions().get::<MatchedPath>() {
        Some(path) if UNMEASURED_ROUTES.contains(&path.as_str()) => return next.run(request).await,
        Some(path) => Arc::from(path.as_str()),
        None => Arc::from(UNMATCHED_ROUTE),
    };
    let method = method_label(request.method());
    let started = Instant::now();
    let response = next.run(request).await;
    metrics.observe(method, route, response.status().as_u16(), started);
    response
}

/// OpenTelemetry's known methods; anything else is `_OTHER`, so that the label stays bounded.
pub fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PATCH" => "PATCH",
        "CONNECT" => "CONNECT",
        "TRACE" => "TRACE",
        _ => "_OTHER",
    }
}
