//! Answers `GET /metrics` in the format that `Accept` asks for, with `?name[]=…` for some families only.

use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, VARY};

use crate::metrics::{MetricsRegistry, Selection, TextFormat, encode_joined};

/// The response to a scrape with these headers; `query` is the request's query string, without the question mark.
pub fn reply(registry: &MetricsRegistry, headers: &HeaderMap, query: Option<&str>) -> Response {
    reply_joined(&[registry], headers, query)
}

/// As [`reply`], with the families of several registries.
pub fn reply_joined(registries: &[&MetricsRegistry], headers: &HeaderMap, query: Option<&str>) -> Response {
    let selection = Selection::from_query(query.unwrap_or_default());
    let format = TextFormat::negotiate(headers);
    let described = [(CONTENT_TYPE, format.content_type()), (VARY, ACCEPT.as_str())];
    (described, encode_joined(registries, &selection, format)).into_response()
}
