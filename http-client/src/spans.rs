//! Gives a request that is sent within a traced one a span of its own.

use std::path::Path;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use observability::http::server::method_label;
use observability::traces::{self, KeyValue, Span, SpanKind, names};

use crate::error::ClientError;
use crate::reply::Reply;

/// The server that a client asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Server<'a> {
    /// The one that the request's own URL names.
    Tcp,
    /// The one that listens on this socket.
    Unix(&'a Path),
}

/// The client span of a request that is sent within a traced one; and the request says to whom it belongs, traced or
/// not.
pub(crate) fn begin_span(request: &mut Request<Full<Bytes>>, url: &str, server: Server<'_>) -> Option<Span> {
    let parent = Span::current_or_mark()?;
    let method = method_label(request.method());
    let span = parent.child_with(|| {
        let uri = request.uri();
        let (address, port) = match server {
            Server::Tcp => (uri.host().unwrap_or_default().to_owned(), Some(uri.port_u16().unwrap_or(80))),
            Server::Unix(socket) => (socket.display().to_string(), None),
        };
        let mut attributes = vec![
            KeyValue::new(names::HTTP_REQUEST_METHOD, method),
            KeyValue::new(names::URL_FULL, url.to_owned()),
            KeyValue::new(names::SERVER_ADDRESS, address),
        ];
        attributes.extend(port.map(|port| KeyValue::new(names::SERVER_PORT, i64::from(port))));
        traces::span(names::http_span_name(method, None), SpanKind::Client).with_attributes(attributes)
    });
    span.as_ref().unwrap_or(&parent).inject(request.headers_mut());
    span
}

pub(crate) fn end_span(span: &Span, result: &Result<Reply, ClientError>) {
    match result {
        Ok(reply) => span.set_status_code(reply.status, &SpanKind::Client),
        Err(error) => span.fail(error.kind()),
    }
    span.end();
}
