//! Answers `GET /metrics`, with `?name[]=…` for some families only.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::metrics::{MetricsRegistry, OPENMETRICS_CONTENT_TYPE, Selection, encode_joined};

/// The response to a scrape; `query` is the request's query string, without the question mark.
pub fn reply(registry: &MetricsRegistry, query: Option<&str>) -> Response {
    reply_joined(&[registry], query)
}

/// As [`reply`], with the families of several registries.
pub fn reply_joined(registries: &[&MetricsRegistry], query: Option<&str>) -> Response {
    let selection = Selection::from_query(query.unwrap_or_default());
    ([(CONTENT_TYPE, OPENMETRICS_CONTENT_TYPE)], encode_joined(registries, &selection)).into_response()
}
