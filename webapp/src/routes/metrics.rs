//! The scrape.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use observability::http::metrics_route;

use crate::exposed::Exposed;

/// All families or those that `?name[]=` asks for, in the format that `Accept` asks for.
pub(super) async fn metrics(
    State(exposed): State<Exposed>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    metrics_route::reply(&exposed.registry, &headers, query.as_deref())
}
