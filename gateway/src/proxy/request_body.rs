//! Carries a request's body to an endpoint: bounded, counted, and whole again where it may have to be sent twice.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming};

/// Why a body ended early. The connection to the endpoint is given up then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the request's body is larger than allowed")]
    TooLarge,
    #[error("the client broke off the request's body")]
    BrokenOff,
}

/// The body of a request on its way to an endpoint.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// Known as a whole, possibly empty; can be sent again.
    Whole(Option<Bytes>),
    /// Passed on as it comes; nothing once that has begun.
    Streamed(Option<StreamedBody>),
}

impl RequestBody {
    pub(crate) fn empty() -> Self {
        Self::Whole(None)
    }

    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }

    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Whole(_))
    }
}

/// A body that is passed on as it comes from the client.
#[derive(Debug)]
pub(crate) struct StreamedBody {
    incoming: Incoming,
    left_bytes: u64,
    upload: Arc<Upload>,
}

impl StreamedBody {
    pub(crate) fn new(incoming: Incoming, bytes_max: u64, upload: Arc<Upload>) -> Self {
        Self { incoming, left_bytes: bytes_max, upload }
    }

    /// The next part of it; nothing at its end. Trailers are not passed on.
    pub(crate) fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, BodyError>>> {
        loop {
            let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(context) else {
                self.upload.set(Stage::WaitingForClient);
                return Poll::Pending;
            };
            let Ok(frame) = frame.transpose() else {
                self.upload.set(Stage::BrokenOff);
                return Poll::Ready(Some(Err(BodyError::BrokenOff)));
            };
            let data = frame.map(Frame::into_data);
            let size = data.as_ref().and_then(|data| data.as_ref().ok()).map_or(0, |data| data.len() as u64);
            let Some(left_bytes) = self.left_bytes.checked_sub(size) else {
                self.upload.set(Stage::TooLarge);
                return Poll::Ready(Some(Err(BodyError::TooLarge)));
            };
            self.left_bytes = left_bytes;
            self.upload.set(Stage::Sending);
            match data {
                Some(Ok(data)) => return Poll::Ready(Some(Ok(data))),
                Some(Err(_trailers)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

/// How far the upload of a streaming body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The endpoint has what the client sent, or is taking it.
    Sending,
    /// The client owes more.
    WaitingForClient,
    TooLarge,
    BrokenOff,
}

/// Lets whoever waits for the answer tell a slow client from a slow endpoint.
#[derive(Debug)]
pub(crate) struct Upload {
    origin: Instant,
    stage: AtomicU8,
    last_progress_micros: AtomicU64,
}

impl Upload {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            origin: Instant::now(),
            stage: AtomicU8::new(Stage::Sending as u8),
            last_progress_micros: AtomicU64::new(0),
        })
    }

    pub(crate) fn stage(&self) -> Stage {
        let stages = [Stage::Sending, Stage::WaitingForClient, Stage::TooLarge, Stage::BrokenOff];
        stages[usize::from(self.stage.load(Ordering::Acquire))]
    }

    /// When the last part of the body was handed on; the upload's beginning before any was.
    pub(crate) fn last_progress(&self) -> Instant {
        self.origin + Duration::from_micros(self.last_progress_micros.load(Ordering::Acquire))
    }

    fn set(&self, stage: Stage) {
        if stage == Stage::Sending {
            let micros = u64::try_from(self.origin.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.last_progress_micros.store(micros, Ordering::Release);
        }
        self.stage.store(stage as u8, Ordering::Release);
    }
}
