//! Refuses orders of a page that did not know what it was looking at when the button was pressed.
//!
//! An order that is sent to a frozen scaler waits in its socket and would be carried out when it runs again, long after
//! the person who gave it turned away. The page therefore says which status it had seen last, in the scaler's own time;
//! no two clocks are compared. Programs that do not say it are not asked.

use std::time::Duration;

use axum::extract::{FromRequestParts, Request};
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use observability::http::error::ErrorReply;

use super::ApiState;
use super::of_service::OfService;

/// `at_epoch_seconds` of the last status that the sender had seen.
const SEEN: HeaderName = HeaderName::from_static("lab-seen");

/// Besides one look, the longest time between the status that was seen and the order's arrival.
const LATE_AFTER: Duration = Duration::from_secs(5);

/// axum middleware around everything that changes something.
pub(super) async fn check(
    axum::extract::State(state): axum::extract::State<ApiState>,
    request: Request,
    next: Next,
) -> Result<Response, ErrorReply> {
    let Some(seen) = request.headers().get(SEEN) else { return Ok(next.run(request).await) };
    let seen = seen.to_str().ok().and_then(|seen| seen.parse().ok());
    let seen = seen.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()).ok_or_else(|| {
        ErrorReply::bad_request(
            "the header `lab-seen` is not a time in seconds",
            "send `at_epoch_seconds` of the last status event, or leave the header out",
        )
    })?;
    let (mut parts, body) = request.into_parts();
    let of_service = OfService::from_request_parts(&mut parts, &state).await?;
    let spacing = of_service.service.published.status.borrow().spacing_seconds;
    let limit = LATE_AFTER + Duration::try_from_secs_f64(spacing).unwrap_or_default();
    let late = state.clock.now().saturating_sub(seen);
    if late > limit {
        return Err(ErrorReply::new(
            StatusCode::CONFLICT,
            format!("the order came {} s after the status that its sender had seen", late.as_secs()),
            "look at the present state and order again",
        ));
    }
    Ok(next.run(Request::from_parts(parts, body)).await)
}
