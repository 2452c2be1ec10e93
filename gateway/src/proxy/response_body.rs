//! Carries a response's body to the client and ends the request's stay at the endpoint with it.
//!
//! ## When does a request complete?
//!
//! For the count in flight, when the last byte of the body has been passed on, or the client went away: until then
//! the endpoint works for it. For the latency, at the head of the response: the time of a body depends on how fast
//! the client reads, and a stream of events would count as the slowest request of all.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gateway_balancer::Outcome;
use hyper::body::{Body, Frame, Incoming, SizeHint};

use crate::fleet::Lease;
use crate::upstream::Connection;

/// The body of a response on its way to a client.
#[derive(Debug)]
pub(crate) enum ResponseBody {
    /// The gateway's own words, or nothing.
    Own(Option<Bytes>),
    /// An endpoint's.
    Upstream { incoming: Incoming, exchange: Option<Exchange> },
}

/// What is held while a response is passed on.
#[derive(Debug)]
pub(crate) struct Exchange {
    lease: Lease,
    connection: Connection,
}

impl Exchange {
    pub(crate) fn new(lease: Lease, connection: Connection) -> Self {
        Self { lease, connection }
    }

    /// The response is complete: the connection can serve the next request.
    pub(crate) fn complete(self) {
        self.lease.upstream.check_in(self.connection);
    }

    fn cut_off(&self) {
        // The head counted already; that the rest never came counts on top, and takes no time of its own.
        self.lease.record(Instant::now(), Outcome::Failed { after: Duration::ZERO });
    }
}

impl Default for ResponseBody {
    fn default() -> Self {
        Self::Own(None)
    }
}

impl ResponseBody {
    /// The body of an endpoint's response.
    pub(crate) fn upstream(incoming: Incoming, exchange: Exchange) -> Self {
        if incoming.is_end_stream() {
            exchange.complete();
            return Self::Own(None);
        }
        Self::Upstream { incoming, exchange: Some(exchange) }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Own(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Upstream { incoming, exchange } => {
                let polled = match exchange {
                    Some(exchange) => exchange.connection.poll_body(incoming, context),
                    // Its end has been seen already.
                    None => Poll::Ready(None),
                };
                match &polled {
                    Poll::Pending => {}
                    Poll::Ready(Some(Err(_))) => {
                        if let Some(exchange) = exchange.take() {
                            exchange.cut_off();
                        }
                    }
                    Poll::Ready(Some(Ok(_))) if !incoming.is_end_stream() => {}
                    Poll::Ready(_) => {
                        if let Some(exchange) = exchange.take() {
                            exchange.complete();
                        }
                    }
                }
                polled
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(bytes) => bytes.is_none(),
            Self::Upstream { incoming, .. } => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Upstream { incoming, .. } => incoming.size_hint(),
        }
    }
}
