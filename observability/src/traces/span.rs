//! A span that is being recorded, or the mark of a request that is not; what the lab's processes do with either.

use std::time::SystemTime;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use opentelemetry::context::{FutureExt, WithContext};
use opentelemetry::trace::{
    SpanBuilder, SpanContext, SpanKind, Status, TraceContextExt, TraceFlags, TraceState, Tracer,
};
use opentelemetry::{Context, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator};

use super::propagation::TRACEPARENT;
use super::{TRACING, names};

/// One span of a trace; clones are handles to the same one. It ends when told to, at the latest with its last handle.
#[derive(Clone, Debug)]
pub struct Span(Context);

impl Span {
    /// The span, if it is recorded.
    pub(super) fn recording(
        span: impl opentelemetry::trace::Span + Send + Sync + 'static,
        parent: &Context,
    ) -> Option<Self> {
        span.span_context().is_sampled().then(|| Self(parent.with_span(span)))
    }

    /// The mark of a request that is not traced, so that nobody behind begins a trace for it; none if this process
    /// does not trace, and so has not decided anything.
    pub fn not_sampled() -> Option<Self> {
        TRACING.get()?;
        let ids = RandomIdGenerator::default();
        let (trace, span) = (ids.new_trace_id(), ids.new_span_id());
        let context = SpanContext::new(trace, span, TraceFlags::default(), false, TraceState::default());
        Some(Self(Context::new().with_remote_span_context(context)))
    }

    /// The recorded span in whose [`scope`](Self::scope) the caller is.
    pub fn current() -> Option<Self> {
        Self::current_of(SpanContext::is_sampled)
    }

    /// The span or mark in whose [`scope`](Self::scope) the caller is.
    pub fn current_or_mark() -> Option<Self> {
        Self::current_of(SpanContext::is_valid)
    }

    fn current_of(wanted: impl Fn(&SpanContext) -> bool) -> Option<Self> {
        TRACING.get()?;
        Context::map_current(|context| {
            (context.has_active_span() && wanted(context.span().span_context()))
                .then(|| Self(context.clone()))
        })
    }

    /// Whether it is recorded.
    pub fn is_sampled(&self) -> bool {
        self.0.span().span_context().is_sampled()
    }

    /// A span below this one; none where this one is not recorded.
    pub fn child(&self, span: SpanBuilder) -> Option<Self> {
        self.child_with(|| span)
    }

    /// A span below this one, described only where this one is recorded.
    pub fn child_with(&self, describe: impl FnOnce() -> SpanBuilder) -> Option<Self> {
        if !self.is_sampled() {
            return None;
        }
        Self::recording(TRACING.get()?.tracer.build_with_context(describe(), &self.0), &self.0)
    }

    /// Notes an attribute; see [`names`] for the keys.
    pub fn set(&self, key: &'static str, value: impl Into<Value>) {
        self.0.span().set_attribute(KeyValue::new(key, value));
    }

    /// Notes that what the span tells of failed; `kind` is one word of few, or a status code.
    pub fn fail(&self, kind: impl Into<StringValue>) {
        self.set(names::ERROR_TYPE, kind.into());
        self.0.span().set_status(Status::error(""));
    }

    /// Notes a response's status; from 500 it counts as failed, and from 400 for the one who asked.
    pub fn set_status_code(&self, status: StatusCode, kind: &SpanKind) {
        self.set(names::HTTP_RESPONSE_STATUS_CODE, i64::from(status.as_u16()));
        let failed_from = if matches!(kind, SpanKind::Client) { 400 } else { 500 };
        if status.as_u16() >= failed_from {
            self.fail(status.as_str().to_owned());
        }
    }

    /// Ends it now.
    pub fn end(&self) {
        self.0.span().end();
    }

    /// Ends it at a time that has been.
    pub fn end_at(&self, time: SystemTime) {
        self.0.span().end_with_timestamp(time);
    }

    /// The trace's id, as 32 hexadecimal digits.
    pub fn trace_id(&self) -> String {
        self.0.span().span_context().trace_id().to_string()
    }

    /// The span's own id, as 16 hexadecimal digits.
    pub fn span_id(&self) -> String {
        self.0.span().span_context().span_id().to_string()
    }

    /// The ids as numbers: the trace's in two halves, and the span's.
    pub fn id_numbers(&self) -> ([u64; 2], u64) {
        let span = self.0.span();
        let context = span.span_context();
        let trace = u128::from_be_bytes(context.trace_id().to_bytes());
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of a number")]
        let halves = [(trace >> 64) as u64, trace as u64];
        (halves, u64::from_be_bytes(context.span_id().to_bytes()))
    }

    /// Makes a request's headers say that it was sent within this span.
    pub fn inject(&self, headers: &mut HeaderMap) {
        let span = self.0.span();
        let context = span.span_context();
        headers.insert(HeaderName::from_static(TRACEPARENT), traceparent(context));
        let state = context.trace_state().header();
        if !state.is_empty()
            && let Ok(state) = HeaderValue::from_maybe_shared(bytes::Bytes::from(state))
        {
            headers.insert(HeaderName::from_static("tracestate"), state);
        }
    }

    /// Runs a future inside this span: what it sends carries the trace on, and what it logs carries its id.
    pub fn scope<F: Future>(&self, future: F) -> WithContext<F> {
        future.with_context(self.0.clone())
    }

    /// Enters the span until the guard is dropped; for code that does not wait.
    pub fn enter(&self) -> Entered {
        Entered { _guard: self.0.clone().attach() }
    }
}

/// Keeps a span entered.
#[derive(Debug)]
#[must_use = "the span is left when this is dropped"]
pub struct Entered {
    _guard: opentelemetry::ContextGuard,
}

/// The value of the header `traceparent`.
fn traceparent(context: &SpanContext) -> HeaderValue {
    let flags = context.trace_flags() & TraceFlags::SAMPLED;
    let text = format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id());
    HeaderValue::from_maybe_shared(bytes::Bytes::from(text)).expect("digits and dashes are a header value")
}

/// The id of the trace in whose span the caller is, for a line of the log.
pub(crate) fn current_trace_id() -> Option<String> {
    TRACING.get()?;
    Context::map_current(|context| {
        let span = context.span();
        span.span_context().is_sampled().then(|| span.span_context().trace_id().to_string())
    })
}
