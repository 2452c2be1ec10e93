//! Answers `GET /metrics`, with `?name[]=…` for some families only.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::metrics::{MetricsRegistry, OPENMETRICS_CONTENT_TYPE, Selection};

/// The response to a scrape; `query` is the request's query string, without the question mark.
pub fn reply(registry: &MetricsRegistry, query: Option<&str>) -> Response {
    let selection = Selection::from_query(query.unwrap_or_default());
    ([(CONTENT_TYPE, OPENMETRICS_CONTENT_TYPE)], registry.encode(&selection)).into_response()
}
