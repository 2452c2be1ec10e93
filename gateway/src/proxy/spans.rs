//! The spans of one sampled request: the gateway's own, and one below it for each try.

use std::net::IpAddr;

use http::{Request, StatusCode};
use observability::http::server::{method_label, server_attributes};
use observability::traces::{self, KeyValue, Span, SpanKind, names};

use super::attempt::Answered;
use super::failure::Failure;
use super::outgoing::Outgoing;
use crate::fleet::Stay;

/// The span of a request that has just arrived, if it is sampled. The gateway knows no routes, so the method alone is
/// its name.
pub(crate) fn begin_request<B>(request: &Request<B>, client: IpAddr) -> Option<Span> {
    traces::begin_received(request.headers(), || {
        let method = method_label(request.method());
        let mut attributes = server_attributes(method, request.uri());
        attributes.push(KeyValue::new(names::CLIENT_ADDRESS, client.to_string()));
        traces::span(names::http_span_name(method, None), SpanKind::Server).with_attributes(attributes)
    })
}

/// The request's answer is known.
pub(crate) fn end_request(span: &Span, status: StatusCode) {
    span.set_status_code(status, &SpanKind::Server);
    span.end();
}

/// The span of one try, after so many others; the request that is about to be sent carries it on.
pub(super) fn begin_try(
    request_span: &Span,
    outgoing: &mut Outgoing,
    stay: &Stay,
    tries_before: usize,
) -> Option<Span> {
    let head = &mut outgoing.head;
    let span = request_span.child_with(|| {
        let url = &stay.upstream.url;
        let (host, port) = url.host_and_port();
        let method = method_label(&head.method);
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut attributes = vec![
            KeyValue::new(names::HTTP_REQUEST_METHOD, method),
            KeyValue::new(names::SERVER_ADDRESS, host.to_owned()),
            KeyValue::new(names::SERVER_PORT, i64::from(port)),
            KeyValue::new(names::URL_FULL, format!("{url}{path}")),
        ];
        if let Some(count) = i64::try_from(tries_before).ok().filter(|&count| count > 0) {
            attributes.push(KeyValue::new(names::HTTP_REQUEST_RESEND_COUNT, count));
        }
        traces::span(names::http_span_name(method, None), SpanKind::Client).with_attributes(attributes)
    })?;
    span.inject(&mut head.headers);
    Some(span)
}

/// What came of the try is known.
pub(super) fn end_try(span: &Span, result: &Result<Answered, Failure>) {
    match result {
        Ok(answered) => span.set_status_code(answered.response.status(), &SpanKind::Client),
        Err(failure) => span.fail(failure.kind()),
    }
    span.end();
}
