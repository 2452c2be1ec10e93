//! Carries a request's body to an endpoint: bounded, counted, and whole again where it may have to be sent twice.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};

/// Why a body ended early. It reaches hyper, which closes the connection to the endpoint.
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
    /// Passed on as it comes.
    Streaming { incoming: Incoming, left_bytes: u64, upload: Arc<Upload> },
}

impl RequestBody {
    pub(crate) fn empty() -> Self {
        Self::Whole(None)
    }

    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self::Whole((!bytes.is_empty()).then_some(bytes))
    }

    pub(crate) fn streaming(incoming: Incoming, bytes_max: u64, upload: Arc<Upload>) -> Self {
        Self::Streaming { incoming, left_bytes: bytes_max, upload }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Streaming { incoming, left_bytes, upload } => {
                match Pin::new(incoming).poll_frame(context) {
                    Poll::Pending => {
                        upload.set(Stage::WaitingForClient);
                        Poll::Pending
                    }
                    Poll::Ready(Some(Ok(frame))) => {
                        let size = frame.data_ref().map_or(0, |data| data.len() as u64);
                        if size > *left_bytes {
                            upload.set(Stage::TooLarge);
                            return Poll::Ready(Some(Err(BodyError::TooLarge)));
                        }
                        *left_bytes -= size;
                        upload.set(Stage::Sending);
                        Poll::Ready(Some(Ok(frame)))
                    }
                    Poll::Ready(Some(Err(_))) => {
                        upload.set(Stage::BrokenOff);
                        Poll::Ready(Some(Err(BodyError::BrokenOff)))
                    }
                    Poll::Ready(None) => {
                        upload.set(Stage::Sending);
                        Poll::Ready(None)
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(bytes) => bytes.is_none(),
            Self::Streaming { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Streaming { incoming, .. } => incoming.size_hint(),
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
