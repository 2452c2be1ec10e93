//! One kept connection: sends a request, takes the answer to its last byte, and throws it away.
//!
//! hyper's connection is driven by whoever waits for its answer, not by a task of its own: one wake-up an exchange
//! instead of three.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::exchange::Outcome;
use crate::failure_kind::FailureKind;

/// A connection that takes one request after the other.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    driver: Driver,
}

/// hyper's side of a connection, which must not be asked again once it is over.
#[derive(Debug)]
struct Driver {
    connection: http1::Connection<TokioIo<TcpStream>, Full<Bytes>>,
    over: bool,
}

impl Connection {
    /// Connects to the first address that takes it.
    pub(crate) async fn open(addresses: &[SocketAddr]) -> Result<Self, (FailureKind, String)> {
        let stream =
            TcpStream::connect(addresses).await.map_err(|error| (kind_of(&error), error.to_string()))?;
        stream.set_nodelay(true).map_err(|error| (FailureKind::NoConnection, error.to_string()))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| (FailureKind::NoConnection, error.to_string()))?;
        Ok(Self { sender, driver: Driver { connection, over: false } })
    }

    /// Sends a request and takes the answer to its last byte.
    pub(crate) async fn exchange(&mut self, request: &Request<Bytes>) -> Outcome {
        let answered = std::pin::pin!(self.sender.send_request(request.clone().map(Full::new)));
        let Ok(answer) = self.driver.drive(answered).await else {
            return Outcome::Failed(FailureKind::BrokeOff);
        };
        let (head, mut body) = answer.into_parts();
        while let Some(frame) = self.driver.drive(NextFrame(&mut body)).await {
            if frame.is_err() {
                return Outcome::Failed(FailureKind::BrokeOff);
            }
        }
        judge(&Response::from_parts(head, ()))
    }

    /// Whether another request can be sent over it; waits for what is left of the last exchange.
    pub(crate) async fn is_reusable(&mut self) -> bool {
        let Self { sender, driver } = self;
        poll_fn(|context| match driver.poll(context) {
            Poll::Ready(()) => Poll::Ready(false),
            Poll::Pending => sender.poll_ready(context).map(|ready| ready.is_ok()),
        })
        .await
    }

    /// Ready when the other side has closed it.
    pub(crate) fn poll_closed(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.driver.poll(context)
    }
}

impl Driver {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.over = self.over || Pin::new(&mut self.connection).poll(context).is_ready();
        if self.over { Poll::Ready(()) } else { Poll::Pending }
    }

    /// Waits for `wanted` and lets the connection work meanwhile.
    async fn drive<F: Future + Unpin>(&mut self, mut wanted: F) -> F::Output {
        poll_fn(|context| {
            let _over = self.poll(context);
            Pin::new(&mut wanted).poll(context)
        })
        .await
    }
}

struct NextFrame<'a>(&'a mut Incoming);

impl Future for NextFrame<'_> {
    type Output = Option<hyper::Result<hyper::body::Frame<Bytes>>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut *self.0).poll_frame(context)
    }
}

fn judge(answer: &Response<()>) -> Outcome {
    let status = answer.status();
    if status.is_success() {
        Outcome::Succeeded
    } else if status == StatusCode::SERVICE_UNAVAILABLE && answer.headers().contains_key(RETRY_AFTER) {
        Outcome::Refused
    } else {
        Outcome::Failed(FailureKind::Status(status.as_u16()))
    }
}

fn kind_of(error: &io::Error) -> FailureKind {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => FailureKind::ConnectionRefused,
        io::ErrorKind::TimedOut => FailureKind::TimedOut,
        _ => FailureKind::NoConnection,
    }
}
