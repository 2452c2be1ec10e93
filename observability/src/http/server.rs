//! Measures each real HTTP request by method, route and status code, and traces it if it is sampled; probes and
//! `/metrics` are left out.
//!
//! The route is the pattern that matched, never the raw path: a client that asks for random paths must not be
//! able to create a time series for each.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use http::StatusCode;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use tower::{Layer, Service};

use super::request_counts::RequestCounts;
use crate::buckets::HTTP_DURATION_SECONDS;
use crate::metrics::{MetricsRegistry, TracedHistogram};
use crate::names;
use crate::traces::{self, KeyValue, Span, SpanKind, names as span_names};

/// The route label of a request that no route matched.
const UNMATCHED_ROUTE: &str = "unmatched";

/// Labels of OpenTelemetry's `http.server.request.duration`, in Prometheus' form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
#[expect(clippy::struct_field_names, reason = "the label names are OpenTelemetry's")]
struct RequestLabels {
    http_request_method: &'static str,
    http_route: &'static str,
    http_response_status_code: u16,
}

#[derive(Clone, Debug)]
struct NewHistogram;

impl MetricConstructor<TracedHistogram> for NewHistogram {
    fn new_metric(&self) -> TracedHistogram {
        TracedHistogram::new(HTTP_DURATION_SECONDS)
    }
}

/// What a process measures of its HTTP requests.
#[derive(Clone, Copy, Debug)]
pub struct MeasuredRoutes {
    /// Route patterns, as the router has them; one may end in `/{*rest}`. All other paths share one label.
    pub routes: &'static [&'static str],
    /// Paths that are probed, scraped or spoken to by other processes: nobody's requests.
    pub unmeasured: &'static [&'static str],
    /// Method, route and status code of the usual requests. Their series exist from the start: one that appeared
    /// only with its first request would hide that request from every rate.
    pub expected: &'static [(&'static str, &'static str, u16)],
}

/// The family [`names::HTTP_SERVER_REQUEST_DURATION_SECONDS`] of one process.
#[derive(Clone, Debug)]
pub struct ServerMetrics {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    measured: MeasuredRoutes,
    durations: Family<RequestLabels, TracedHistogram, NewHistogram>,
    counts: Option<CountedAs>,
    /// The usual series, found without a lock.
    expected: Vec<Series>,
}

/// The family that measured requests are counted in, and the origin under which they are.
#[derive(Debug)]
struct CountedAs {
    counts: RequestCounts,
    origin: &'static str,
}

/// What is kept of the requests with these labels.
#[derive(Debug)]
struct Series {
    labels: RequestLabels,
    durations: TracedHistogram,
    count: Option<Counter>,
}

impl Series {
    fn observe(&self, seconds: f64, span: Option<&Span>) {
        self.durations.observe(seconds, span);
        if let Some(count) = &self.count {
            count.inc();
        }
    }
}

impl ServerMetrics {
    /// Registers the family with the series of the usual requests.
    pub fn register(registry: &mut MetricsRegistry, measured: MeasuredRoutes) -> Self {
        Self::new(registry, measured, None)
    }

    /// As [`register`](Self::register), and counts each measured request among `counts` as one of this `origin`.
    pub fn register_counting(
        registry: &mut MetricsRegistry,
        measured: MeasuredRoutes,
        counts: RequestCounts,
        origin: &'static str,
    ) -> Self {
        Self::new(registry, measured, Some(CountedAs { counts, origin }))
    }

    fn new(registry: &mut MetricsRegistry, measured: MeasuredRoutes, counts: Option<CountedAs>) -> Self {
        let mut shared = Shared {
            measured,
            durations: Family::new_with_constructor(NewHistogram),
            counts,
            expected: Vec::new(),
        };
        shared.expected = measured
            .expected
            .iter()
            .map(|(method, route, status)| {
                shared.series(RequestLabels {
                    http_request_method: method,
                    http_route: route,
                    http_response_status_code: *status,
                })
            })
            .collect();
        registry.register(
            names::HTTP_SERVER_REQUEST_DURATION_SECONDS,
            "Duration of HTTP requests by method, route and status code",
            shared.durations.clone(),
        );
        Self { shared: Arc::new(shared) }
    }

    /// The pattern that a path matches; `None` for a path that is not measured.
    fn route_of(&self, path: &str) -> Option<&'static str> {
        let MeasuredRoutes { routes, unmeasured, .. } = self.shared.measured;
        if unmeasured.contains(&path) {
            return None;
        }
        let matching = |route: &&&'static str| match route.strip_suffix("{*rest}") {
            Some(prefix) => path.len() > prefix.len() && path.starts_with(prefix),
            None => path == **route,
        };
        Some(routes.iter().find(matching).copied().unwrap_or(UNMATCHED_ROUTE))
    }

    fn observe(&self, labels: RequestLabels, started: Instant, span: Option<&Span>) {
        let seconds = started.elapsed().as_secs_f64();
        match self.shared.expected.iter().find(|expected| expected.labels == labels) {
            Some(expected) => expected.observe(seconds, span),
            None => self.shared.series(labels).observe(seconds, span),
        }
    }
}

impl Shared {
    /// The series of these labels, which exist from now on.
    fn series(&self, labels: RequestLabels) -> Series {
        let count = self.counts.as_ref().map(|CountedAs { counts, origin }| {
            counts.of(labels.http_request_method, labels.http_response_status_code, origin)
        });
        Series { labels, durations: self.durations.get_or_create_owned(&labels), count }
    }
}

/// Measures and traces what it is put around. Around a whole router, rather than as a layer of its routes, it costs no box for
/// each request.
impl<S> Layer<S> for ServerMetrics {
    type Service = Measured<S>;

    fn layer(&self, application: S) -> Measured<S> {
        Measured { application, metrics: self.clone() }
    }
}

/// An application whose requests are measured and traced.
#[derive(Clone, Debug)]
pub struct Measured<S> {
    application: S,
    metrics: ServerMetrics,
}

impl<S> Service<Request> for Measured<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = MeasuredFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.application.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let begun = self.metrics.route_of(request.uri().path()).map(|route| {
            let (method, started) = (method_label(request.method()), Instant::now());
            let span = begin_span(&request, method, route);
            Begun { metrics: self.metrics.clone(), method, route, started, span }
        });
        let entered = begun.as_ref().and_then(Begun::enter);
        let response = self.application.call(request);
        drop(entered);
        MeasuredFuture { response, begun }
    }
}

/// A measured request that has begun.
#[derive(Debug)]
struct Begun {
    metrics: ServerMetrics,
    method: &'static str,
    route: &'static str,
    started: Instant,
    /// There where the request is sampled.
    span: Option<Span>,
}

impl Begun {
    /// What happens until the guard is dropped belongs to the request's trace.
    fn enter(&self) -> Option<traces::Entered> {
        self.span.as_ref().map(Span::enter)
    }

    fn end(self, status: StatusCode) {
        let Self { metrics, method, route, started, span } = self;
        if let Some(span) = &span {
            span.set_status_code(status, &SpanKind::Server);
            span.end();
        }
        let labels = RequestLabels {
            http_request_method: method,
            http_route: route,
            http_response_status_code: status.as_u16(),
        };
        metrics.observe(labels, started, span.as_ref());
    }
}

pin_project_lite::pin_project! {
    /// The response of [`Measured`].
    #[derive(Debug)]
    pub struct MeasuredFuture<F> {
        #[pin]
        response: F,
        begun: Option<Begun>,
    }
}

impl<F, E> Future for MeasuredFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let entered = this.begun.as_ref().and_then(Begun::enter);
        let result = ready!(this.response.poll(context));
        drop(entered);
        if let (Some(begun), Ok(response)) = (this.begun.take(), &result) {
            begun.end(response.status());
        }
        Poll::Ready(result)
    }
}

/// The server span of a request, if it is sampled.
fn begin_span(request: &Request, method: &'static str, route: &'static str) -> Option<Span> {
    traces::begin_received(request.headers(), || {
        let known_route = (route != UNMATCHED_ROUTE).then_some(route);
        let mut attributes = server_attributes(method, request.uri());
        attributes.extend(known_route.map(|route| KeyValue::new(span_names::HTTP_ROUTE, route)));
        traces::span(span_names::http_span_name(method, known_route), SpanKind::Server)
            .with_attributes(attributes)
    })
}

/// What OpenTelemetry wants to know of a request that a server received.
pub fn server_attributes(method: &'static str, uri: &http::Uri) -> Vec<KeyValue> {
    let mut attributes = vec![
        KeyValue::new(span_names::HTTP_REQUEST_METHOD, method),
        KeyValue::new(span_names::URL_SCHEME, "http"),
        KeyValue::new(span_names::URL_PATH, uri.path().to_owned()),
    ];
    attributes.extend(uri.query().map(|query| KeyValue::new(span_names::URL_QUERY, query.to_owned())));
    attributes
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
