//! Passes `/api/load/…` on to the gateway's `/load/…`, so that the page has one origin.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{Method, Response, StatusCode, Uri};
use axum::routing::{MethodRouter, get};
use observability::http::error::ErrorReply;

use super::control::read_bytes;
use super::of_service::OfService;
use super::{ApiState, ROUTES_HINT};

/// Longest wait for the gateway; it answers sooner itself when no replica does.
const TIMEOUT: Duration = Duration::from_secs(5);

/// GET, POST and PUT, as the gateway's routes take them.
pub(super) fn methods() -> MethodRouter<ApiState> {
    get(pass_on).post(pass_on).put(pass_on)
}

async fn pass_on(
    state: OfService,
    method: Method,
    uri: Uri,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response<Body>, ErrorReply> {
    let body = read_bytes(body)?;
    // What stood before it, `/api` or `/api/services/NAME`, the router has taken off.
    let path = uri.path();
    if path.split('/').any(|part| matches!(part, "." | "..")) || path.contains('%') {
        return Err(ErrorReply::bad_request(format!("`{path}` is not a route of the load"), ROUTES_HINT));
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let url = format!("{}{path}{query}", state.service.gateway_url);
    let body = (!body.is_empty()).then_some(body);
    let reply = state.shared.client.send(method, &url, body, TIMEOUT).await.map_err(|error| {
        let hint = "see that the gateway runs: its address is the flag --gateway";
        ErrorReply::new(StatusCode::BAD_GATEWAY, format!("the gateway gave no answer: {error}"), hint)
    })?;
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    for name in [ALLOW, CONTENT_TYPE, RETRY_AFTER] {
        if let Some(value) = reply.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    Ok(response)
}
