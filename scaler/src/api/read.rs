//! Answers what people and programs want to know: state, past, policy, probes and metrics.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use observability::http::error::ErrorReply;
use observability::http::metrics_route;
use serde_json::{Value, json};

use super::of_service::OfService;
use super::{ApiState, ServiceApi};
use crate::service_event::EventText;
use crate::status::{PolicyStatus, Status};

/// `GET /api/status`.
pub(super) async fn status(state: OfService) -> Json<Status> {
    let status = state.service.published.status.borrow().clone();
    Json(Arc::unwrap_or_clone(status))
}

/// `GET /api/history?since=…`: points after that moment, oldest first, and the last decisions, newest first.
/// Events are those after that moment, oldest first. With `form=columns`, a list for each value, and the decisions
/// after that moment, both oldest first.
pub(super) async fn history(state: OfService, RawQuery(query): RawQuery) -> Result<Response, ErrorReply> {
    let value = |name: &str| {
        let pairs = query.as_deref().unwrap_or_default().split('&');
        pairs.filter_map(|pair| pair.split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let since = value("since").map(read_time).transpose()?;
    match value("form") {
        None | Some("points") => {
            let (points, decisions, events) = state.service.published.history(|history| {
                (history.points_since(since), history.decisions(), history.events_since(since))
            });
            let events: Vec<EventText> = events.into_iter().map(EventText::from).collect();
            Ok(Json(json!({ "points": points, "decisions": decisions, "events": events })).into_response())
        }
        Some("columns") => {
            let columns = state.service.published.history(|history| history.columns_since(since));
            Ok(Json(columns).into_response())
        }
        Some(other) => Err(ErrorReply::bad_request(
            format!("`form` is `{other}`, expected `points` or `columns`"),
            "leave it out for points",
        )),
    }
}

/// `GET /api/policy`.
pub(super) async fn policy(state: OfService) -> Json<PolicyStatus> {
    Json(state.service.published.status.borrow().policy.clone())
}

/// `GET /api/services`: every service with its counts; the first is the one that `/api/…` means.
pub(super) async fn services(State(state): State<ApiState>) -> Json<Value> {
    let tell = |service: &ServiceApi| {
        let status = service.published.status.borrow();
        json!({
            "name": service.name,
            "path": format!("/api/services/{}", service.name),
            "replicas": status.replicas,
            "policy": status.policy.name,
            "problems": status.problems.len(),
        })
    };
    Json(state.services.iter().map(tell).collect())
}

/// `GET /ready`: once a replica of each service was scraped, or a service that may have none was seen without any.
pub(super) async fn ready(State(state): State<ApiState>) -> Result<Json<Value>, ErrorReply> {
    let has_scraped = |service: &ServiceApi| service.published.has_scraped.load(Ordering::Relaxed);
    match state.services.iter().find(|service| !has_scraped(service)) {
        None => Ok(Json(json!({ "status": "ready" }))),
        Some(unseen) => Err(ErrorReply::new(
            StatusCode::SERVICE_UNAVAILABLE,
            format!("no replica of {} was scraped yet", unseen.name),
            "`problems` in GET /api/status says what is missing",
        )),
    }
}

/// `GET /metrics`.
pub(super) async fn metrics(
    State(state): State<ApiState>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let of_services = state.services.iter().map(|service| service.published.metrics.registry());
    let registries: Vec<_> = std::iter::once(state.metrics.registry()).chain(of_services).collect();
    metrics_route::reply_joined(&registries, &headers, query.as_deref())
}

/// A moment as seconds since the Unix epoch or as RFC 3339.
fn read_time(text: &str) -> Result<Duration, ErrorReply> {
    let text = text.replace("%3A", ":").replace("%3a", ":");
    let from_number = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let from_date = || humantime::parse_rfc3339(&text).ok()?.duration_since(UNIX_EPOCH).ok();
    from_number.or_else(from_date).ok_or_else(|| {
        ErrorReply::bad_request(
            format!("`since` is `{text}`, expected seconds since the Unix epoch or an RFC 3339 time in UTC"),
            "take `at_epoch_seconds` or `at` of the last point you have",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_moment_are_read() {
        assert_eq!(read_time("16.5").unwrap(), Duration::from_millis(16_500));
        assert_eq!(read_time("1970-01-01T00:00:16.500Z").unwrap(), Duration::from_millis(16_500));
        assert_eq!(read_time("1970-01-01T00%3A01%3A00Z").unwrap(), Duration::from_mins(1));
        for text in ["", "yesterday", "-1", "NaN", "1e99"] {
            assert!(read_time(text).is_err(), "{text}");
        }
    }
}
