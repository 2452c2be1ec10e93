//! The trace of each request: a span of ours where this process traces, and a `traceparent` in any case.
//!
//! ## Why each request says it
//! The report names the trace of each slow request, and whoever answers uses the trace's id as the id of the request, so
//! that its log can be found even where the trace was not recorded. Whether it is recorded is decided here, where the
//! trace begins: up to [`RECORDED_PER_SECOND`] a second, as everywhere in the lab, so that a load does not drown the
//! collector.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use http::{HeaderMap, HeaderValue, StatusCode};
use observability::http::server::method_label;
use observability::traces::{self, DEFAULT_TRACES_PER_SECOND, Demand, KeyValue, Span, SpanKind, names};
use rand::RngExt;
use reqwest::Url;
use workload::{Stream, Streams};

use crate::scenario::Request;

/// How many traces a second are begun as recorded where this process does not trace itself.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small whole number")]
const RECORDED_PER_SECOND: u64 = DEFAULT_TRACES_PER_SECOND as u64;

/// The id of a trace, and whether whoever traces records it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TraceId {
    id: u128,
    pub(crate) recorded: bool,
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.id)
    }
}

/// Begins the traces of a run.
#[derive(Debug)]
pub(crate) struct Traces {
    started: Instant,
    /// The second that is counted, and how many traces were begun in it as recorded.
    second: AtomicU64,
    in_second: AtomicU64,
    /// Ids must differ from run to run, so they do not come from the run's seed.
    streams: Streams,
}

/// A trace that has begun.
#[derive(Debug)]
pub(crate) enum Trace {
    /// A span of ours, recorded or the mark that it is not.
    Span(Span),
    /// Ids alone, because this process does not trace.
    Ids { trace: TraceId, span: u64 },
}

impl Traces {
    pub(crate) fn new() -> Self {
        Self {
            started: Instant::now(),
            second: AtomicU64::new(0),
            in_second: AtomicU64::new(0),
            streams: Streams::from_seed(RandomState::new().hash_one("traces")),
        }
    }

    /// The stream from which a user takes its ids.
    pub(crate) fn stream(&self, user_number: u64) -> Stream {
        self.streams.stream(&format!("traces-{user_number}"))
    }

    /// Begins the trace of a request that is about to be sent.
    pub(crate) fn begin(&self, request: &Request, url: &Url, ids: &mut Stream) -> Trace {
        let span = traces::begin(Demand::User, || describe(request, url)).or_else(Span::not_sampled);
        match span {
            Some(span) => Trace::Span(span),
            None => Trace::Ids {
                // A trace or span of zeros would be none.
                trace: TraceId { id: ids.random::<u128>() | 1, recorded: self.may_record() },
                span: ids.random::<u64>() | 1,
            },
        }
    }

    fn may_record(&self) -> bool {
        let second = self.started.elapsed().as_secs() + 1;
        if self.second.swap(second, Ordering::Relaxed) != second {
            self.in_second.store(0, Ordering::Relaxed);
        }
        self.in_second.load(Ordering::Relaxed) < RECORDED_PER_SECOND
            && self.in_second.fetch_add(1, Ordering::Relaxed) < RECORDED_PER_SECOND
    }
}

fn describe(request: &Request, url: &Url) -> traces::SpanBuilder {
    let method = method_label(&request.method);
    let mut attributes = vec![
        KeyValue::new(names::HTTP_REQUEST_METHOD, method),
        KeyValue::new(names::SERVER_ADDRESS, url.host_str().unwrap_or_default().to_owned()),
        // As it is written in the scenario it is one of few.
        KeyValue::new(names::URL_TEMPLATE, request.path_as_written.clone()),
        KeyValue::new(names::URL_FULL, url.to_string()),
    ];
    attributes
        .extend(url.port_or_known_default().map(|port| KeyValue::new(names::SERVER_PORT, i64::from(port))));
    traces::span(names::http_span_name(method, Some(&request.path_as_written)), SpanKind::Client)
        .with_attributes(attributes)
}

impl Trace {
    /// Its id.
    pub(crate) fn id(&self) -> TraceId {
        match self {
            Self::Span(span) => {
                let ([high, low], _) = span.id_numbers();
                TraceId { id: (u128::from(high) << 64) | u128::from(low), recorded: span.is_sampled() }
            }
            Self::Ids { trace, .. } => *trace,
        }
    }

    /// The span, where it is one of ours.
    pub(crate) fn span(&self) -> Option<&Span> {
        match self {
            Self::Span(span) => Some(span),
            Self::Ids { .. } => None,
        }
    }

    /// Makes a request's headers carry it to whoever answers.
    pub(crate) fn inject(&self, headers: &mut HeaderMap) {
        match self {
            Self::Span(span) => span.inject(headers),
            Self::Ids { trace, span } => {
                let text = format!("00-{trace}-{span:016x}-{:02x}", u8::from(trace.recorded));
                let value = HeaderValue::try_from(text).expect("digits and dashes are a header value");
                headers.insert("traceparent", value);
            }
        }
    }

    /// The answer has come to its last byte, with this status, or something else ended the exchange.
    pub(crate) fn end(&self, status: Option<u16>, problem: Option<&'static str>) {
        let Self::Span(span) = self else { return };
        if let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) {
            span.set_status_code(status, &SpanKind::Client);
        }
        if let Some(problem) = problem {
            span.fail(problem);
        }
        span.end();
    }
}
