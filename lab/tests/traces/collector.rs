//! A collector inside the test: takes OTLP over HTTP and keeps the spans; or is slow, or answers garbage.
//!
//! It runs on the threads of the test, which therefore needs more than one: waiting for a process blocks.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as SpanStatus;
use parking_lot::Mutex;
use prost::Message;
use tokio::net::TcpListener;
use tokio_util::task::AbortOnDropHandle;

/// Bound of every wait for spans: they are sent once a second.
const PATIENCE: Duration = Duration::from_secs(15);

/// How a collector treats what it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Good,
    /// Takes the connection and the request, and never answers.
    Silent,
    /// Answers at once with bytes that are no OTLP, success and failure in turn.
    Garbage,
}

/// A span as it arrived, with the resource it came from.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) resource: BTreeMap<String, String>,
    pub(crate) name: String,
    pub(crate) kind: SpanKind,
    pub(crate) trace: String,
    pub(crate) id: String,
    /// Empty for a root.
    pub(crate) parent: String,
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) failed: bool,
    pub(crate) links: usize,
    pub(crate) start_nanos: u64,
    pub(crate) end_nanos: u64,
}

impl Seen {
    pub(crate) fn service(&self) -> &str {
        self.resource.get("service.name").map_or("", String::as_str)
    }

    pub(crate) fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.get(key).map(String::as_str)
    }
}

#[derive(Debug)]
struct Shared {
    manner: Manner,
    requests: AtomicUsize,
    spans: Mutex<Vec<Seen>>,
}

/// The running collector.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) url: String,
    shared: Arc<Shared>,
    _serving: AbortOnDropHandle<()>,
}

impl Collector {
    pub(crate) async fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        Self::serve(listener, manner)
    }

    pub(crate) fn serve(listener: TcpListener, manner: Manner) -> Self {
        let url = format!("http://{}", listener.local_addr().expect("a bound socket has an address"));
        let shared = Arc::new(Shared { manner, requests: AtomicUsize::new(0), spans: Mutex::default() });
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
        Self { url, shared, _serving: AbortOnDropHandle::new(serving) }
    }

    /// Requests that arrived, whatever became of them.
    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn spans(&self) -> Vec<Seen> {
        self.shared.spans.lock().clone()
    }

    pub(crate) fn trace(&self, id: &str) -> Vec<Seen> {
        self.spans().into_iter().filter(|span| span.trace == id).collect()
    }

    /// Waits until what has arrived is enough, and returns it.
    pub(crate) async fn wait_for(&self, what: &str, is_enough: impl Fn(&[Seen]) -> bool) -> Vec<Seen> {
        let began = Instant::now();
        loop {
            let spans = self.spans();
            if is_enough(&spans) {
                return spans;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "not within {PATIENCE:?}: {what}; there are {}",
                list(&spans)
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until so many spans of one trace have arrived, and returns them.
    pub(crate) async fn wait_for_trace(&self, id: &str, count: usize) -> Vec<Seen> {
        let of_trace = |spans: &[Seen]| spans.iter().filter(|span| span.trace == id).count();
        self.wait_for(&format!("{count} spans of {id}"), |spans| of_trace(spans) >= count).await;
        self.trace(id)
    }
}

/// Spans in words, for a test that failed.
pub(crate) fn list(spans: &[Seen]) -> String {
    let lines = spans.iter().map(|span| {
        let Seen { trace, id, parent, kind, name, .. } = span;
        format!(
            "  {trace} {id} below `{parent}`: {} {kind:?} `{name}` {:?}\n",
            span.service(),
            span.attributes
        )
    });
    format!("{} spans:\n{}", spans.len(), lines.collect::<String>())
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let number = shared.requests.fetch_add(1, Ordering::SeqCst);
    match shared.manner {
        Manner::Good => {}
        Manner::Silent => std::future::pending().await,
        Manner::Garbage if number.is_multiple_of(2) => {
            return "\u{0}garbage\u{ffff}".repeat(1000).into_response();
        }
        Manner::Garbage => return (StatusCode::SERVICE_UNAVAILABLE, "<html>garbage").into_response(),
    }
    assert_eq!(headers["content-type"], "application/x-protobuf");
    let body = if headers.get("content-encoding").is_some_and(|encoding| encoding == "gzip") {
        unpacked(&body)
    } else {
        body
    };
    let request = ExportTraceServiceRequest::decode(body).expect("it is OTLP");
    let mut spans = shared.spans.lock();
    for resource_spans in request.resource_spans {
        let resource = texts(&resource_spans.resource.unwrap_or_default().attributes);
        let received = resource_spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
        spans.extend(received.map(|span| Seen {
            resource: resource.clone(),
            kind: span.kind(),
            trace: hex(&span.trace_id),
            id: hex(&span.span_id),
            parent: hex(&span.parent_span_id),
            attributes: texts(&span.attributes),
            failed: span.status.is_some_and(|status| status.code() == SpanStatus::Error),
            links: span.links.len(),
            start_nanos: span.start_time_unix_nano,
            end_nanos: span.end_time_unix_nano,
            name: span.name,
        }));
    }
    StatusCode::OK.into_response()
}

/// Rotel compresses what it passes on, whatever it is told.
fn unpacked(body: &[u8]) -> Bytes {
    let mut plain = Vec::new();
    flate2::read::GzDecoder::new(body).read_to_end(&mut plain).expect("it is gzip");
    plain.into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |text, byte| text + &format!("{byte:02x}"))
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: Option<&AnyValue>| match value.and_then(|value| value.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        other => format!("{other:?}"),
    };
    attributes.iter().map(|pair| (pair.key.clone(), text(pair.value.as_ref()))).collect()
}
