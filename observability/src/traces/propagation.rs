//! Reads the W3C trace context of a request, as cheaply as its decision allows.

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::propagation::TraceContextPropagator;

/// The header that carries the ids and the decision.
pub(super) const TRACEPARENT: &str = "traceparent";

const LENGTH: usize = 55;

/// What the sender of a request says about its trace.
#[derive(Debug)]
pub(super) enum Parent {
    /// Nothing, or nothing that can be read: the trace begins here.
    Absent,
    /// The request belongs to a trace that is not recorded.
    NotSampled,
    /// The request belongs to this trace.
    Present(Context),
}

impl Parent {
    /// Reads it as W3C says.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        // Two of them contradict each other.
        if headers.get_all(TRACEPARENT).iter().count() != 1 {
            return Self::Absent;
        }
        let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers));
        if context.span().span_context().is_valid() { Self::Present(context) } else { Self::Absent }
    }
}

/// Reads it for somebody who follows its decision: what is not sampled is not read any further.
pub(super) fn glance(headers: &HeaderMap) -> Parent {
    let Some(value) = headers.get(TRACEPARENT).map(http::HeaderValue::as_bytes) else {
        return Parent::Absent;
    };
    let is_plain = value.len() == LENGTH && value.starts_with(b"00-") && value[LENGTH - 3] == b'-';
    if is_plain && is_even_digit(value[LENGTH - 1]) {
        return Parent::NotSampled;
    }
    match Parent::of(headers) {
        Parent::Present(context) if !context.span().span_context().is_sampled() => Parent::NotSampled,
        parent => parent,
    }
}

/// The decision is the last bit of the last digit.
const fn is_even_digit(digit: u8) -> bool {
    matches!(digit, b'0' | b'2' | b'4' | b'6' | b'8' | b'a' | b'c' | b'e')
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue};
    use opentelemetry::trace::TraceContextExt;

    use super::{Parent, TRACEPARENT, glance};

    const SAMPLED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn headers(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_sampled_parent_is_taken_with_its_ids() {
        // The second flag says that the trace's id is random; later versions may have more parts.
        for value in [
            SAMPLED,
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        ] {
            let Parent::Present(context) = glance(&headers(&[value])) else {
                panic!("{value} was not taken");
            };
            let span = context.span().span_context().clone();
            assert_eq!(span.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
            assert_eq!(span.span_id().to_string(), "00f067aa0ba902b7");
            assert!(span.is_remote() && span.is_sampled());
        }
    }

    #[test]
    fn a_parent_that_is_not_sampled_is_followed_too() {
        for value in [
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more",
        ] {
            assert!(matches!(glance(&headers(&[value])), Parent::NotSampled), "{value}");
        }
    }

    #[test]
    fn what_cannot_be_read_begins_a_trace() {
        for value in ["", "nonsense", "00-0-0-01", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]
        {
            assert!(matches!(glance(&headers(&[value])), Parent::Absent), "{value}");
        }
        assert!(matches!(glance(&headers(&[])), Parent::Absent));
        assert!(matches!(glance(&headers(&[SAMPLED, SAMPLED])), Parent::Absent), "two contradict each other");
    }
}
