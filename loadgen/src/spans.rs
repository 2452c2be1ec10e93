//! The client span of a virtual user's request. Whether its trace is recorded is decided here, where it begins.

use goose::goose::GooseUser;
use http::{HeaderMap, Method, StatusCode};
use observability::http::server::method_label;
use observability::traces::{self, Demand, KeyValue, Span, SpanKind, names};

use crate::scenario::Action;

/// The span of a request that is about to be sent; a mark where it is not recorded, so that nobody behind records
/// it either; nothing where this process does not trace.
pub(crate) fn begin(user: &GooseUser, action: &Action) -> Option<Span> {
    let describe = || {
        let method = action.method.to_string().parse().unwrap_or(Method::GET);
        let method = method_label(&method);
        let base = &user.base_url;
        let mut attributes = vec![
            KeyValue::new(names::HTTP_REQUEST_METHOD, method),
            KeyValue::new(names::SERVER_ADDRESS, base.host_str().unwrap_or_default().to_owned()),
            KeyValue::new(names::URL_TEMPLATE, action.path.clone()),
        ];
        attributes
            .extend(base.join(&action.path).ok().map(|url| KeyValue::new(names::URL_FULL, url.to_string())));
        let port = base.port_or_known_default();
        attributes.extend(port.map(|port| KeyValue::new(names::SERVER_PORT, i64::from(port))));
        // An action's path is one of few and so serves as the template of its URL.
        traces::span(names::http_span_name(method, Some(&action.path)), SpanKind::Client)
            .with_attributes(attributes)
    };
    traces::begin(Demand::User, describe).or_else(Span::not_sampled)
}

/// What the request carries to whoever answers it.
pub(crate) fn headers(span: &Span) -> HeaderMap {
    let mut headers = HeaderMap::new();
    span.inject(&mut headers);
    headers
}

/// The answer has come to its last byte, with this status, or something else ended the exchange.
pub(crate) fn end(span: &Span, status: Option<u16>, problem: Option<&'static str>) {
    if let Some(status) = status.and_then(|status| StatusCode::from_u16(status).ok()) {
        span.set_status_code(status, &SpanKind::Client);
    }
    if let Some(problem) = problem {
        span.fail(problem);
    }
    span.end();
}
