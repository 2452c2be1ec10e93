//! Passes on a request's identity, or gives it one: `X-Request-Id` and W3C `traceparent`.

use std::ops::Range;

use bytes::Bytes;
use http::header::{Entry, HeaderMap, HeaderName, HeaderValue};
use observability::traces::Span;
use rand::Rng;

use crate::headers::X_REQUEST_ID;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");

const TRACEPARENT_LENGTH: usize = 55;

/// Where the id of the trace stands in a `traceparent`.
const TRACE_ID: Range<usize> = 3..35;

/// Longest request id that is passed on.
const REQUEST_ID_LENGTH_MAX: usize = 128;

/// Random numbers for one request, drawn whether they are needed or not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Identity {
    trace: [u64; 2],
    span: u64,
}

impl Identity {
    pub(crate) fn draw(rng: &mut impl Rng) -> Self {
        // The last bit set keeps both ids from being all zeros, which W3C forbids.
        Self { trace: [rng.next_u64(), rng.next_u64() | 1], span: rng.next_u64() | 1 }
    }

    /// The identity of a request that is traced.
    fn of(span: &Span) -> Self {
        let (trace, span) = span.id_numbers();
        Self { trace, span }
    }

    /// Completes the headers of a request and returns its id. An id that is created has the 32 digits of the trace, so
    /// one leads to the other.
    ///
    /// A created trace is marked as not sampled: nobody records its beginning, and whether a trace is recorded is
    /// decided where it begins. The `traceparent` of a request with a span is written with each try.
    pub(crate) fn apply(&self, headers: &mut HeaderMap, span: Option<&Span>) -> HeaderValue {
        let created = Created::new(&span.map_or(*self, Self::of));
        let mut traces = headers.get_all(&TRACEPARENT).iter();
        let trace_is_valid =
            traces.next().is_some_and(|value| valid_traceparent(value.as_bytes())) && traces.next().is_none();
        if span.is_none() && !trace_is_valid {
            // The state belongs to the trace it came with.
            headers.remove(&TRACESTATE);
            headers.insert(&TRACEPARENT, created.traceparent);
        }
        match headers.entry(&X_REQUEST_ID) {
            Entry::Occupied(mut known) if known.iter().count() != 1 || !valid_request_id(known.get()) => {
                known.insert(created.request_id.clone());
                created.request_id
            }
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(vacant) => vacant.insert(created.request_id).clone(),
        }
    }
}

/// Both texts, in one allocation: the id is a part of the trace.
struct Created {
    traceparent: HeaderValue,
    request_id: HeaderValue,
}

impl Created {
    fn new(identity: &Identity) -> Self {
        let mut text = Vec::with_capacity(TRACEPARENT_LENGTH);
        text.extend_from_slice(b"00-");
        put_hex(&mut text, identity.trace[0]);
        put_hex(&mut text, identity.trace[1]);
        text.push(b'-');
        put_hex(&mut text, identity.span);
        text.extend_from_slice(b"-00");
        let traceparent = Bytes::from(text);
        let value =
            |bytes| HeaderValue::from_maybe_shared(bytes).expect("digits and dashes are a header value");
        Self { request_id: value(traceparent.slice(TRACE_ID)), traceparent: value(traceparent) }
    }
}

fn put_hex(text: &mut Vec<u8>, number: u64) {
    for byte in number.to_be_bytes() {
        text.push(b"0123456789abcdef"[usize::from(byte >> 4)]);
        text.push(b"0123456789abcdef"[usize::from(byte & 15)]);
    }
}

fn valid_request_id(id: &HeaderValue) -> bool {
    let id = id.as_bytes();
    (1..=REQUEST_ID_LENGTH_MAX).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

/// W3C Trace Context, section 3.2: version, trace id, parent id, flags; later versions may go on after a dash.
fn valid_traceparent(value: &[u8]) -> bool {
    let hex = |part: &[u8]| part.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let not_zero = |part: &[u8]| part.iter().any(|&digit| digit != b'0');
    if value.len() < TRACEPARENT_LENGTH || value[2] != b'-' || value[35] != b'-' || value[52] != b'-' {
        return false;
    }
    let (version, trace, parent, flags) = (&value[..2], &value[TRACE_ID], &value[36..52], &value[53..55]);
    let end_fits = if version == b"00" {
        value.len() == TRACEPARENT_LENGTH
    } else {
        value.len() == TRACEPARENT_LENGTH || value[55] == b'-'
    };
    end_fits
        && version != b"ff"
        && [version, trace, parent, flags].into_iter().all(hex)
        && not_zero(trace)
        && not_zero(parent)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::Xoshiro256PlusPlus;

    use super::*;

    const VALID: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    fn identity(seed: u64) -> Identity {
        Identity::draw(&mut Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    #[test]
    fn what_is_missing_is_created_and_valid() {
        let mut headers = HeaderMap::new();
        let id = identity(1).apply(&mut headers, None);
        assert_eq!(headers[&X_REQUEST_ID], id);
        assert!(valid_request_id(&id) && id.len() == 32);
        let trace = headers[&TRACEPARENT].to_str().unwrap();
        assert!(valid_traceparent(trace.as_bytes()), "{trace}");
        assert!(trace.contains(id.to_str().unwrap()), "{trace} has the digits of {id:?}");
        let mut others = HeaderMap::new();
        assert_ne!(identity(2).apply(&mut others, None), id);
    }

    #[test]
    fn what_is_valid_is_passed_on() {
        let mut headers = HeaderMap::new();
        headers.insert(&X_REQUEST_ID, HeaderValue::from_static("order-7:retry.1"));
        headers.insert(&TRACEPARENT, HeaderValue::from_static(VALID));
        headers.insert(&TRACESTATE, HeaderValue::from_static("vendor=1"));
        let before = headers.clone();
        assert_eq!(identity(1).apply(&mut headers, None), "order-7:retry.1");
        assert_eq!(headers, before);
    }

    #[test]
    fn what_is_not_valid_is_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(&X_REQUEST_ID, HeaderValue::from_static("two words"));
        headers.insert(&TRACEPARENT, HeaderValue::from_static("00-0"));
        headers.insert(&TRACESTATE, HeaderValue::from_static("vendor=1"));
        let id = identity(1).apply(&mut headers, None);
        assert_ne!(id, "two words");
        assert_eq!(headers[&X_REQUEST_ID], id);
        assert!(valid_traceparent(headers[&TRACEPARENT].as_bytes()));
        assert!(!headers.contains_key(&TRACESTATE));
    }

    #[test]
    fn a_traceparent_is_checked_as_the_standard_says() {
        assert!(valid_traceparent(VALID.as_bytes()));
        assert!(valid_traceparent(VALID.replacen("00-", "01-", 1).as_bytes()));
        assert!(valid_traceparent(format!("{}-more", VALID.replacen("00-", "cc-", 1)).as_bytes()));
        for wrong in [
            VALID.replacen("00-", "ff-", 1),
            format!("{VALID}-more"),
            VALID.to_uppercase(),
            VALID.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            VALID.replace("00f067aa0ba902b7", &"0".repeat(16)),
            VALID.replace('-', "_"),
            String::new(),
        ] {
            assert!(!valid_traceparent(wrong.as_bytes()), "{wrong}");
        }
    }
}
