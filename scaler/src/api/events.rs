//! Streams the state each second, and every decision, as server-sent events.
//!
//! Each event is written once and its bytes are shared by all who follow. Nothing is kept for a viewer that does not
//! read: it misses events, and its page notices by the time between two of them.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, Response, StatusCode};
use futures_util::stream;
use observability::http::error::ErrorReply;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast};
use tokio_util::sync::CancellationToken;

use super::of_service::OfService;
use crate::live_event::LiveEvent;

/// Longest silence; a page that hears nothing for longer takes the stream for broken.
const SILENCE_MAX: Duration = Duration::from_secs(2);

const STILL_ALIVE: &[u8] = b"event: alive\ndata: {}\n\n";

/// Somebody who follows.
struct Viewer {
    /// What it is told at once.
    first: Option<Bytes>,
    events: broadcast::Receiver<Arc<LiveEvent>>,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
}

/// `GET /api/events`: one `status` at once and one each second, one `decision` and one `event` for each.
pub(super) async fn follow(state: OfService) -> Result<Response<Body>, ErrorReply> {
    let place = state.shared.event_readers.clone().try_acquire_owned().map_err(|_| {
        ErrorReply::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too many readers follow the events",
            "close some pages, or read GET /api/status each second",
        )
    })?;
    let has_looked = !state.service.published.history(|history| history.is_empty());
    let viewer = Viewer {
        events: state.service.published.events.subscribe(),
        // Before the first look nobody knows the counts.
        first: has_looked
            .then(|| LiveEvent::first_status(state.service.published.status.borrow().clone()).text()),
        stop: state.shared.stop.clone(),
        _place: place,
    };
    let mut response = Response::new(Body::from_stream(stream::unfold(viewer, next)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    Ok(response)
}

async fn next(mut viewer: Viewer) -> Option<(Result<Bytes, Infallible>, Viewer)> {
    let text = match viewer.first.take() {
        Some(first) => first,
        None => viewer.wait().await?,
    };
    Some((Ok(text), viewer))
}

impl Viewer {
    /// None when the scaler stops.
    async fn wait(&mut self) -> Option<Bytes> {
        loop {
            let told = tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                told = tokio::time::timeout(SILENCE_MAX, self.events.recv()) => told,
            };
            match told {
                Ok(Ok(event)) => return Some(event.text()),
                Ok(Err(RecvError::Lagged(_))) => self.events = self.events.resubscribe(),
                Ok(Err(RecvError::Closed)) => return None,
                Err(_) => return Some(Bytes::from_static(STILL_ALIVE)),
            }
        }
    }
}
