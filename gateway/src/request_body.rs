//! Carries a request's body to an endpoint: bounded, counted, and whole again where it may have to be sent twice.

use std::io;
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
    #[error("the request's body is not in the chunks that it announces")]
    Malformed,
}

impl BodyError {
    /// What an error of the client's side means.
    pub(crate) fn of(error: &hyper::Error) -> Self {
        let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
        match source.map(io::Error::kind) {
            Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => Self::Malformed,
            _ => Self::BrokenOff,
        }
    }
}

/// How the body of a request is announced to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Not at all: there is none.
    None,
    /// By its length in bytes.
    Length(u64),
    /// As chunks, whose last one marks its end.
    Chunked,
    /// Not at all: the connection is to become a WebSocket.
    WebSocket,
}

/// The body of a request on its way to an endpoint.
#[derive(Debug)]
pub(crate) enum RequestBody {
    /// None, and no length was said either.
    None,
    /// Known as a whole, possibly empty; can be sent again.
    Whole(Bytes),
    /// Passed on as it comes, with its length where the client said one; nothing once that has begun.
    Streamed { body: Option<StreamedBody>, length: Option<u64> },
    /// None: behind the answer another protocol begins.
    WebSocket,
}

impl RequestBody {
    pub(crate) fn empty() -> Self {
        Self::None
    }

    pub(crate) fn framing(&self) -> Framing {
        match self {
            Self::None => Framing::None,
            Self::Whole(bytes) => Framing::Length(bytes.len() as u64),
            Self::Streamed { length: Some(length), .. } => Framing::Length(*length),
            Self::Streamed { length: None, .. } => Framing::Chunked,
            Self::WebSocket => Framing::WebSocket,
        }
    }

    /// Whether it can be sent again.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::None | Self::Whole(_))
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
    /// `bytes_max` is the length that was said, or the limit where none was.
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
            let frame = match frame.transpose() {
                Ok(frame) => frame,
                Err(error) => {
                    let error = BodyError::of(&error);
                    self.upload.set(Stage::Ended(error));
                    return Poll::Ready(Some(Err(error)));
                }
            };
            let data = frame.map(Frame::into_data);
            let size = data.as_ref().and_then(|data| data.as_ref().ok()).map_or(0, |data| data.len() as u64);
            let Some(left_bytes) = self.left_bytes.checked_sub(size) else {
                self.upload.set(Stage::Ended(BodyError::TooLarge));
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
    /// Nothing more comes.
    Ended(BodyError),
}

impl Stage {
    const ALL: [Self; 5] = [
        Self::Sending,
        Self::WaitingForClient,
        Self::Ended(BodyError::TooLarge),
        Self::Ended(BodyError::BrokenOff),
        Self::Ended(BodyError::Malformed),
    ];

    /// The position in [`Self::ALL`].
    const fn code(self) -> u8 {
        match self {
            Self::Sending => 0,
            Self::WaitingForClient => 1,
            Self::Ended(BodyError::TooLarge) => 2,
            Self::Ended(BodyError::BrokenOff) => 3,
            Self::Ended(BodyError::Malformed) => 4,
        }
    }
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
            stage: AtomicU8::new(Stage::Sending.code()),
            last_progress_micros: AtomicU64::new(0),
        })
    }

    pub(crate) fn stage(&self) -> Stage {
        Stage::ALL[usize::from(self.stage.load(Ordering::Acquire))]
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
        self.stage.store(stage.code(), Ordering::Release);
    }
}
