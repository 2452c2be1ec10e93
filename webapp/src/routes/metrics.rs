//! The scrape.

use axum::extract::{RawQuery, State};
use axum::response::Response;
use observability::http::metrics_route;

use crate::app::Exposed;

/// OpenMetrics, all families or those that `?name[]=` asks for.
pub(super) async fn metrics(State(exposed): State<Exposed>, RawQuery(query): RawQuery) -> Response {
    metrics_route::reply(&exposed.registry, query.as_deref())
}
