//! One connection to an endpoint, for one request after the other, driven by whoever uses it.
//!
//! It has no task of its own: sending a request and reading its answer's body are what makes it read and write. So a
//! request is proxied in one task, and no bytes wait for another task to be scheduled (decision 0018).

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response};
use prometheus_client::metrics::gauge::Gauge;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::TcpStream;

use super::inbox::{Inbox, is_malformed};
use super::outbox::{Outbox, Unsent};
use crate::request_body::RequestBody;

/// A connection to an endpoint.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    outbox: Outbox,
    inbox: Inbox,
    open: OpenConnection,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum SendError {
    /// Not a byte was taken, so the request can go elsewhere. Its body is whole.
    NotSent(io::Error),
    /// It was sent, at least in part, and the connection ended before a byte of the answer.
    Unanswered(io::Error),
    /// The answer began and broke off, or the request's body did.
    Lost(io::Error),
    /// What came is not an answer in HTTP/1.1.
    Malformed,
}

/// What is left of a connection that became another protocol's.
#[derive(Debug)]
pub(crate) struct ChangedConnection {
    pub(crate) stream: TcpStream,
    /// What came of the other protocol already.
    pub(crate) first: Bytes,
    _open: OpenConnection,
}

impl Connection {
    pub(crate) fn new(stream: TcpStream, open_connections: Gauge) -> Self {
        let open = OpenConnection::count(open_connections);
        Self { stream, outbox: Outbox::default(), inbox: Inbox::default(), open }
    }

    /// Sends a request and waits for the head of its answer. `host` is what `Host` says; the body decides on the lines
    /// that frame it. A body that is streamed is gone afterwards, unless nothing at all was sent.
    pub(crate) async fn send(
        &mut self,
        head: &Parts,
        body: &mut RequestBody,
        host: &HeaderValue,
    ) -> Result<Response<()>, SendError> {
        let Self { stream, outbox, inbox, .. } = self;
        outbox.load(head, body, host);
        inbox.expect_answer(head.method == Method::HEAD);
        // Why no more can be written. An endpoint may answer early and take no more, so its answer is read all the same.
        let mut cannot_write = None;
        poll_fn(|context| {
            if cannot_write.is_none() {
                match outbox.poll_send(stream, context) {
                    Poll::Pending | Poll::Ready(Ok(())) => {}
                    Poll::Ready(Err(Unsent::Body(problem))) => {
                        return Poll::Ready(Err(SendError::Lost(io::Error::other(problem))));
                    }
                    Poll::Ready(Err(Unsent::Endpoint(problem))) => {
                        if outbox.give_back(body) {
                            return Poll::Ready(Err(SendError::NotSent(problem)));
                        }
                        cannot_write = Some(problem);
                    }
                }
            }
            let answer = ready!(inbox.poll_head(stream, context));
            Poll::Ready(answer.map_err(|problem| {
                if is_malformed(&problem) {
                    return SendError::Malformed;
                }
                let problem = cannot_write.take().unwrap_or(problem);
                if inbox.has_begun() { SendError::Lost(problem) } else { SendError::Unanswered(problem) }
            }))
        })
        .await
    }

    /// The whole body of the answer whose head was read, where it has come already.
    pub(crate) fn take_whole_body(&mut self) -> Option<Bytes> {
        self.inbox.take_whole_body()
    }

    /// Reads on in an answer's body; the rest of its request is sent meanwhile.
    pub(crate) fn poll_body(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let Self { stream, outbox, inbox, .. } = self;
        // That it cannot be sent any more is the endpoint's choice, or the client's, and shows in the answer.
        let _sent = outbox.poll_send(stream, context);
        inbox.poll_data(stream, context)
    }

    /// Whether the answer's body has been read to its end.
    pub(crate) fn is_body_complete(&self) -> bool {
        self.inbox.is_complete()
    }

    /// Whether the request has been sent to its end.
    pub(crate) fn is_request_sent(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Whether the exchange is over and another one can follow.
    pub(crate) fn is_reusable(&self) -> bool {
        self.outbox.is_empty() && self.inbox.is_reusable()
    }

    /// Whether an idle connection is still open. While it rests nobody is woken on its behalf: that the endpoint closed
    /// it, or speaks unasked, shows only here.
    pub(crate) fn is_open(&mut self) -> bool {
        let mut byte = [0];
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(&mut self.stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte)).is_pending()
    }

    /// Gives up HTTP after an answer that changed the protocol.
    pub(crate) fn change(self) -> ChangedConnection {
        ChangedConnection { stream: self.stream, first: self.inbox.into_unread(), _open: self.open }
    }
}

/// Counts a connection for as long as it lives.
#[derive(Debug)]
struct OpenConnection(Gauge);

impl OpenConnection {
    fn count(gauge: Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.dec();
    }
}
