//! Carries a response's body to the client and ends the request's stay at the endpoint with it.
//!
//! ## When does a request complete?
//!
//! For the count in flight, when the last byte of the body has been passed on, or the client went away: until then
//! the endpoint works for it. For the latency, at the head of the response: the time of a body depends on how fast
//! the client reads, and a stream of events would count as the slowest request of all.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gateway_balancer::Outcome;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep_until};

use crate::fleet::Stay;
use crate::request_body::{Stage, Upload};
use crate::upstream::Connection;

/// The body of a response on its way to a client.
#[derive(Debug)]
pub(crate) enum ResponseBody {
    /// The gateway's own words, or nothing.
    Own(Option<Bytes>),
    /// An endpoint's, whose exchange ends with it.
    Upstream(Option<Exchange>),
    /// An endpoint's that broke off. hyper is told a moment later.
    Cut(Option<io::Error>),
}

/// What is held while a response is passed on.
#[derive(Debug)]
pub(crate) struct Exchange {
    stay: Stay,
    connection: Box<Connection>,
    /// The body of the request, where the response began before its end could be sent.
    upload: Option<Box<UploadWatch>>,
}

/// Ends an exchange whose client owes the rest of its request for too long: the endpoint may wait for that before it goes
/// on with the response.
#[derive(Debug)]
struct UploadWatch {
    upload: Arc<Upload>,
    pause_max: Duration,
    timer: Pin<Box<Sleep>>,
}

impl UploadWatch {
    fn poll_stalled(&mut self, context: &mut Context<'_>) -> Poll<()> {
        while self.upload.stage() == Stage::WaitingForClient {
            let end = self.upload.last_progress() + self.pause_max;
            if self.timer.deadline().into_std() != end {
                self.timer.as_mut().reset(end.into());
            }
            ready!(self.timer.as_mut().poll(context));
            if self.upload.last_progress() + self.pause_max == end {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

impl Exchange {
    /// `upload` is the body of the request where it was passed on as it came, and `body_pause_max` the longest pause in it.
    pub(crate) fn new(
        stay: Stay,
        connection: Box<Connection>,
        upload: Option<Arc<Upload>>,
        body_pause_max: Duration,
    ) -> Self {
        let watch = |upload: Arc<Upload>| {
            let end = upload.last_progress() + body_pause_max;
            Box::new(UploadWatch {
                upload,
                pause_max: body_pause_max,
                timer: Box::pin(sleep_until(end.into())),
            })
        };
        let upload = upload.filter(|_| !connection.is_request_sent()).map(watch);
        Self { stay, connection, upload }
    }

    /// Reads on in the response. What the client does not send in time counts as the end of the exchange.
    fn poll_data(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        if let Poll::Ready(data) = self.connection.poll_body(context) {
            if let Some(Err(_)) = &data {
                self.cut_off();
            }
            return Poll::Ready(data);
        }
        let Some(upload) = &mut self.upload else { return Poll::Pending };
        ready!(upload.poll_stalled(context));
        let problem = "the rest of the request's body did not come";
        Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::TimedOut, problem))))
    }

    /// The response is complete: the connection can serve the next request.
    pub(crate) fn complete(self) {
        self.stay.upstream.check_in(self.connection);
    }

    /// Whether nothing of the response is missing.
    fn is_complete(&self) -> bool {
        self.connection.is_body_complete()
    }

    fn cut_off(&self) {
        // The head counted already; that the rest never came counts on top, and takes no time of its own.
        self.stay.record(Instant::now(), Outcome::Failed { after: Duration::ZERO });
    }
}

impl Default for ResponseBody {
    fn default() -> Self {
        Self::Own(None)
    }
}

impl ResponseBody {
    /// The body of an endpoint's response.
    pub(crate) fn upstream(mut exchange: Exchange) -> Self {
        match exchange.connection.take_whole_body() {
            Some(bytes) => {
                exchange.complete();
                Self::Own((!bytes.is_empty()).then_some(bytes))
            }
            None => Self::Upstream(Some(exchange)),
        }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = self.get_mut();
        match body {
            Self::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Upstream(slot) => {
                // Its end has been seen already.
                let Some(exchange) = slot else { return Poll::Ready(None) };
                let data = ready!(exchange.poll_data(context));
                if let Some(Err(error)) = data {
                    // An error makes hyper end the connection at once, with what it holds of the head and the body. On
                    // a pause it writes these first, so that the client sees what came, and then that it is cut.
                    context.waker().wake_by_ref();
                    *body = Self::Cut(Some(error));
                    return Poll::Pending;
                }
                if exchange.is_complete()
                    && let Some(exchange) = slot.take()
                {
                    exchange.complete();
                }
                Poll::Ready(data.map(|data| data.map(Frame::data)))
            }
            Self::Cut(error) => Poll::Ready(error.take().map(Err)),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.is_none(),
            Self::Upstream(exchange) => exchange.is_none(),
            Self::Cut(error) => error.is_none(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            // A length that the endpoint told is in the head.
            Self::Upstream(_) | Self::Cut(_) => SizeHint::default(),
        }
    }
}
