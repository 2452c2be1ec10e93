//! Measures the process and its API's routes, whatever services it watches.

use observability::http::server::{MeasuredRoutes, ServerMetrics};
use observability::metrics::MetricsRegistry;

/// The `process_*` and `http_server_*` families.
#[derive(Debug)]
pub(crate) struct ApiMetrics {
    registry: MetricsRegistry,
    server: ServerMetrics,
}

/// What is measured of the API's routes.
const MEASURED: MeasuredRoutes = MeasuredRoutes {
    routes: &[
        "/",
        "/api/status",
        "/api/history",
        "/api/events",
        "/api/policy",
        "/api/replicas",
        "/api/limits",
        "/api/pause",
        "/api/resume",
        "/api/load",
        "/api/load/{*rest}",
        "/api/services",
        "/api/services/{*rest}",
    ],
    unmeasured: &["/health", "/ready", "/metrics"],
    expected: &[("GET", "/", 200), ("GET", "/api/status", 200)],
};

impl ApiMetrics {
    pub(crate) fn new() -> Self {
        let mut registry = MetricsRegistry::with_process_metrics();
        let server = ServerMetrics::register(&mut registry, MEASURED);
        Self { registry, server }
    }

    pub(crate) fn registry(&self) -> &MetricsRegistry {
        &self.registry
    }

    pub(crate) fn server(&self) -> &ServerMetrics {
        &self.server
    }
}
