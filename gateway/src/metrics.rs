//! Counts what the gateway does. Every handle is resolved beforehand: a request looks nothing up.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::response::Response;
use gateway_balancer::State;
use http::{HeaderMap, StatusCode};
use observability::buckets::RESPONSE_TIME_SECONDS;
use observability::http::metrics_route;
use observability::metrics::{MetricsRegistry, OnScrape, TracedHistogram};
use observability::names;
use observability::traces::Span;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::fleet::{EndpointReport, Fleet};
use crate::throttle::Scope;
use crate::waiting_room::WaitingRoom;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ScopeLabel {
    scope: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StateLabel {
    state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabel {
    endpoint: String,
}

/// Status classes, in the order of their first digit.
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// The gateway's counters and gauges.
#[derive(Debug)]
pub(crate) struct GatewayMetrics {
    by_class: [Counter; 5],
    duration: TracedHistogram,
    throttled_service: Counter,
    throttled_client: Counter,
    pub(crate) retries: Counter,
    pub(crate) reconnects: Counter,
    pub(crate) refused: Counter,
    pub(crate) no_endpoint: Counter,
    pub(crate) discovery_errors: Counter,
    pub(crate) upstream_connections: Gauge,
}

impl GatewayMetrics {
    pub(crate) fn register(registry: &mut MetricsRegistry) -> Self {
        let requests = Family::<CodeLabel, Counter>::default();
        let throttled = Family::<ScopeLabel, Counter>::default();
        let of_scope = |scope: Scope| throttled.get_or_create_owned(&ScopeLabel { scope: scope.name() });
        let metrics = Self {
            by_class: CLASSES.map(|code| requests.get_or_create_owned(&CodeLabel { code })),
            duration: TracedHistogram::new(RESPONSE_TIME_SECONDS),
            throttled_service: of_scope(Scope::Service),
            throttled_client: of_scope(Scope::Client),
            retries: Counter::default(),
            reconnects: Counter::default(),
            refused: Counter::default(),
            no_endpoint: Counter::default(),
            discovery_errors: Counter::default(),
            upstream_connections: Gauge::default(),
        };
        registry.register(names::GATEWAY_REQUESTS_TOTAL, "Requests answered, by status class", requests);
        registry.register(
            names::GATEWAY_REQUEST_DURATION_SECONDS,
            "Time from a request's arrival to the head of its response",
            metrics.duration.clone(),
        );
        registry.register(
            names::GATEWAY_RETRIES_TOTAL,
            "Requests sent another time, to another endpoint",
            metrics.retries.clone(),
        );
        registry.register(
            names::GATEWAY_RECONNECTS_TOTAL,
            "Requests sent another time to the same endpoint, because a kept connection ended under them",
            metrics.reconnects.clone(),
        );
        registry.register(
            names::GATEWAY_REFUSED_TOTAL,
            "Answers 503 with Retry-After, passed on as the service's refusal",
            metrics.refused.clone(),
        );
        registry.register(names::GATEWAY_THROTTLED_TOTAL, "Requests answered 429, by scope", throttled);
        registry.register(
            names::GATEWAY_NO_ENDPOINT_TOTAL,
            "Requests answered 503 because no endpoint came into rotation in time, or too many waited for one",
            metrics.no_endpoint.clone(),
        );
        registry.register(
            names::GATEWAY_DISCOVERY_ERRORS_TOTAL,
            "Look-ups of the service's name that failed",
            metrics.discovery_errors.clone(),
        );
        registry.register(
            names::GATEWAY_UPSTREAM_CONNECTIONS,
            "Connections to endpoints that are open",
            metrics.upstream_connections.clone(),
        );
        metrics
    }

    pub(crate) fn observe_request(&self, status: StatusCode, duration: Duration, span: Option<&Span>) {
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES.len()) - 1;
        self.by_class[class].inc();
        self.duration.observe(duration.as_secs_f64(), span);
    }

    pub(crate) fn observe_throttled(&self, scope: Scope) {
        match scope {
            Scope::Service => self.throttled_service.inc(),
            Scope::Client => self.throttled_client.inc(),
        };
    }
}

/// The whole exposition: the counters, and what is read of the fleet at the moment of a scrape.
#[derive(Debug)]
pub(crate) struct Exposition {
    registry: MetricsRegistry,
    endpoints: Family<StateLabel, Gauge>,
    in_flight: Family<EndpointLabel, Gauge>,
    ewma_seconds: Family<EndpointLabel, Gauge<f64, AtomicU64>>,
    scraping: Mutex<()>,
}

impl Exposition {
    pub(crate) fn new(
        mut registry: MetricsRegistry,
        fleet: &Arc<Fleet>,
        waiting_room: &Arc<WaitingRoom>,
    ) -> Self {
        let endpoints = Family::default();
        let in_flight = Family::default();
        let ewma_seconds = Family::default();
        registry.register(names::GATEWAY_ENDPOINTS, "Endpoints by state", endpoints.clone());
        registry.register(
            names::GATEWAY_ENDPOINT_IN_FLIGHT,
            "Requests in flight to an endpoint",
            in_flight.clone(),
        );
        registry.register(
            names::GATEWAY_ENDPOINT_EWMA_SECONDS,
            "Peak EWMA of an endpoint's latency",
            ewma_seconds.clone(),
        );
        let counted = Arc::clone(fleet);
        registry.register(
            names::GATEWAY_EJECTIONS_TOTAL,
            "Endpoints taken out of rotation for their failures",
            OnScrape::counter(move || counted.ejections() as f64),
        );
        let room = Arc::clone(waiting_room);
        registry.register(
            names::GATEWAY_WAITING_REQUESTS,
            "Requests that wait for an endpoint to come into rotation",
            OnScrape::gauge(move || room.waiting() as f64),
        );
        Self { registry, endpoints, in_flight, ewma_seconds, scraping: Mutex::new(()) }
    }

    /// Answers a scrape.
    pub(crate) fn reply(&self, fleet: &Fleet, headers: &HeaderMap, query: Option<&str>) -> Response {
        // Two scrapes at a time would see each other's half-filled families.
        let _scraping = self.scraping.lock().unwrap_or_else(PoisonError::into_inner);
        self.refresh(&fleet.report());
        metrics_route::reply(&self.registry, headers, query)
    }

    /// Endpoints come and go, and so do their series.
    fn refresh(&self, reports: &[EndpointReport]) {
        self.in_flight.clear();
        self.ewma_seconds.clear();
        for state in State::ALL {
            let count = reports.iter().filter(|report| report.state == state).count();
            let gauge = self.endpoints.get_or_create_owned(&StateLabel { state: state.name() });
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        for report in reports {
            let label = EndpointLabel { endpoint: report.url.clone() };
            self.in_flight.get_or_create_owned(&label).set(i64::from(report.in_flight));
            self.ewma_seconds.get_or_create_owned(&label).set(report.ewma_ms / 1e3);
        }
    }
}
