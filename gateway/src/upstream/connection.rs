//! One connection to an endpoint, driven by whoever uses it.
//!
//! It has no task of its own: sending a request and reading its answer's body are what makes it read and write. So a
//! request is proxied in one task, and no bytes wait for another task to be scheduled (decision 0003).

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use prometheus_client::metrics::gauge::Gauge;
use tokio::net::TcpStream;
use tokio::task::coop::unconstrained;

use crate::proxy::request_body::RequestBody;

/// Reads and writes the connection's bytes.
type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A connection to an endpoint, for one request after the other.
pub(crate) struct Connection {
    sender: SendRequest<RequestBody>,
    /// Nothing once the connection has ended, or has become that of another protocol.
    driver: Option<Driver>,
    _open: OpenConnection,
}

impl Connection {
    pub(crate) async fn new(stream: TcpStream, open_connections: Gauge) -> io::Result<Self> {
        let (sender, connection) =
            http1::Builder::new().handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
        let driver: Driver = Box::pin(connection.with_upgrades());
        Ok(Self { sender, driver: Some(driver), _open: OpenConnection::count(open_connections) })
    }

    /// Sends a request and waits for the head of its answer. A request that was not sent at all comes back.
    pub(crate) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, TrySendError<Request<RequestBody>>> {
        let Self { sender, driver, .. } = self;
        // Without a budget, because only the driver below brings the answer: there is nothing to yield for.
        let mut answer = pin!(unconstrained(sender.try_send_request(request)));
        poll_fn(|context| {
            drive(driver, context);
            answer.as_mut().poll(&mut nobody())
        })
        .await
    }

    /// Reads on in an answer's body.
    pub(crate) fn poll_body(
        &mut self,
        incoming: &mut Incoming,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let polled = Pin::new(&mut *incoming).poll_frame(&mut nobody());
        if polled.is_ready() {
            return polled;
        }
        drive(&mut self.driver, context);
        Pin::new(incoming).poll_frame(&mut nobody())
    }

    /// Lets the connection come to rest after an exchange, and returns whether it can serve another one.
    ///
    /// While it rests nobody is woken on its behalf: that the endpoint closed it shows when it is used or looked at.
    pub(crate) fn rest(&mut self) -> bool {
        drive(&mut self.driver, &mut nobody());
        self.driver.is_some() && self.sender.is_ready()
    }

    /// Drives the connection to its end, or until it has become that of another protocol.
    pub(crate) async fn finish(&mut self) {
        poll_fn(|context| {
            drive(&mut self.driver, context);
            if self.driver.is_none() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// Reads and writes what can be read and written. Errors reach whoever waits for an answer.
fn drive(driver: &mut Option<Driver>, context: &mut Context<'_>) {
    if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(context).is_ready()) {
        *driver = None;
    }
}

/// A context for what can only become ready while it is driven: waking the task that drives it would be one turn of
/// the scheduler for nothing.
fn nobody() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl fmt::Debug for Connection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Connection").field("ended", &self.driver.is_none()).finish_non_exhaustive()
    }
}

/// Counts a connection for as long as it lives.
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
