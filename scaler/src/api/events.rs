//! Streams the state each second, and every decision, as server-sent events.

use std::convert::Infallible;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use observability::http::error::ErrorReply;
use tokio_stream::wrappers::BroadcastStream;

use super::ApiState;
use crate::driver::Event;

/// `GET /api/events`: one `status` at once and with each look, one `decision` for each.
pub(super) async fn follow(State(state): State<ApiState>) -> Result<impl IntoResponse, ErrorReply> {
    let place = state.event_readers.clone().try_acquire_owned().map_err(|_| {
        ErrorReply::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many readers follow the events",
            "close some pages, or read GET /api/status each second",
        )
    })?;
    let events = BroadcastStream::new(state.published.events.subscribe());
    let present = Event::Status(state.published.status.borrow().clone());
    let stop = state.stop.clone();
    let events = stream::once(async { present })
        // A reader that fell behind goes on with what is new.
        .chain(events.filter_map(async |event| event.ok()))
        .map(move |event| {
            let _ = &place;
            Ok(to_sse(&event))
        })
        .take_until(stop.cancelled_owned());
    Ok(Sse::new(boxed(events)).keep_alive(KeepAlive::default()))
}

fn boxed(
    events: impl Stream<Item = Result<sse::Event, Infallible>> + Send + 'static,
) -> stream::BoxStream<'static, Result<sse::Event, Infallible>> {
    events.boxed()
}

fn to_sse(event: &Event) -> sse::Event {
    let (name, data) = match event {
        Event::Status(status) => ("status", serde_json::to_string(&**status)),
        Event::Decision(decision) => ("decision", serde_json::to_string(decision)),
    };
    sse::Event::default().event(name).data(data.expect("states and decisions are plain data"))
}
