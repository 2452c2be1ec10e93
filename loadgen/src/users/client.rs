//! The HTTP client that all users share: connections that are kept, and what is said of a request without an answer.
//!
//! Each user has a connection of its own only while it needs one: 10,000 users with a pool each would take minutes to
//! build. What belongs to a user, its cookies, is kept with the user.
//!
//! ## A connection that the service had closed
//! A service may close an idle connection in the very moment in which a request is sent over it. RFC 9112, section 9.3.1,
//! lets a client send such a request again where its method is idempotent; browsers and Go's client do. So here: once, on
//! a new connection, where a connection that had served a request before ended before the first byte of the answer. Any
//! other request may have been acted upon and is not sent twice; it has its own [`FailureKind`].

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HOST};
use http::{HeaderMap, Method, Response, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use loadgen_baseline::FailureKind;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::service_url::ServiceUrl;
use crate::stream::{Dialer, NoConnection, Stream};

/// A connection that was idle for longer is not used again; services close theirs by then.
const LONGEST_IDLE: Duration = Duration::from_secs(90);

/// How long a connection that was handed back may take until it takes the next request, which is a matter of the
/// runtime alone.
const READY_WITHIN: Duration = Duration::from_millis(20);

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NoAnswer {
    pub(crate) kind: FailureKind,
    /// Whether this process had no descriptor or port left: the generator's limit, not the service's.
    pub(crate) exhausted: bool,
    /// What the system said, or what else explains it.
    pub(crate) reason: Option<Arc<str>>,
}

/// A request as it goes over a connection.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<Bytes>,
}

/// An answer whose head has come, and the connection over which the rest comes.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) response: Response<Incoming>,
    pub(crate) connection: Connection,
    /// Whether the request was sent a second time, because a reused connection was closed.
    pub(crate) repeated: bool,
}

/// A connection that takes one request after the other.
#[derive(Debug)]
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    /// Bytes that came over it.
    received: Arc<AtomicU64>,
    is_reused: bool,
    idle_since: Instant,
}

/// Sends to one service over kept connections.
#[derive(Debug)]
pub(crate) struct Client {
    dialer: Dialer,
    /// Those without a request, the one that was used last at the end.
    idle: Mutex<Vec<Connection>>,
}

impl NoAnswer {
    pub(crate) fn new(kind: FailureKind) -> Self {
        Self { kind, exhausted: false, reason: None }
    }
}

impl From<NoConnection> for NoAnswer {
    fn from(failure: NoConnection) -> Self {
        Self { kind: failure.kind, exhausted: failure.exhausted, reason: Some(failure.reason.into()) }
    }
}

impl Client {
    /// A client for this service; nothing is connected yet.
    pub(crate) fn new(service: &ServiceUrl) -> Result<Self, NoConnection> {
        Ok(Self { dialer: Dialer::new(service)?, idle: Mutex::default() })
    }

    /// Sends a request and waits for the head of the answer.
    pub(crate) async fn send(&self, message: &Message) -> Result<Answered, NoAnswer> {
        while let Some(connection) = self.take_idle().await {
            match connection.send(message).await {
                Ok((response, connection)) => return Ok(Answered { response, connection, repeated: false }),
                // Nothing of it was sent, so nothing is repeated.
                Err(Unanswered::NotBegun) => {}
                Err(Unanswered::BeforeFirstByte) if message.method.is_idempotent() => {
                    let (response, connection) = self.send_over_new_connection(message).await?;
                    return Ok(Answered { response, connection, repeated: true });
                }
                Err(Unanswered::BeforeFirstByte) => {
                    return Err(NoAnswer::new(FailureKind::ReusedConnectionClosed));
                }
                Err(Unanswered::Failed(kind)) => return Err(NoAnswer::new(kind)),
            }
        }
        let (response, connection) = self.send_over_new_connection(message).await?;
        Ok(Answered { response, connection, repeated: false })
    }

    /// Takes back a connection whose answer has come to its last byte.
    pub(crate) fn give_back(&self, connection: Connection) {
        let connection = Connection { is_reused: true, idle_since: Instant::now(), ..connection };
        self.idle.lock().push(connection);
    }

    async fn send_over_new_connection(
        &self,
        message: &Message,
    ) -> Result<(Response<Incoming>, Connection), NoAnswer> {
        self.connect().await?.send(message).await.map_err(|unanswered| {
            NoAnswer::new(match unanswered {
                Unanswered::Failed(kind) => kind,
                Unanswered::NotBegun | Unanswered::BeforeFirstByte => FailureKind::BrokeOff,
            })
        })
    }

    async fn connect(&self) -> Result<Connection, NoAnswer> {
        // Names are looked up for each connection: over a long run a service may move.
        let addresses = self.dialer.lookup().await?;
        let stream = self.dialer.connect(&addresses).await?;
        let received = Arc::<AtomicU64>::default();
        let counted = Counted { stream, received: Arc::clone(&received) };
        let (sender, driver) =
            handshake(TokioIo::new(counted)).await.map_err(|_| NoAnswer::new(FailureKind::BrokeOff))?;
        tokio::spawn(async move {
            // What ended it is told to the request that it concerned.
            let _ended = driver.await;
        });
        Ok(Connection { sender, received, is_reused: false, idle_since: Instant::now() })
    }

    /// An idle connection that is open as far as is known.
    async fn take_idle(&self) -> Option<Connection> {
        loop {
            let mut connection = self.idle.lock().pop()?;
            if connection.sender.is_closed() || connection.idle_since.elapsed() > LONGEST_IDLE {
                continue;
            }
            if let Ok(Ok(())) = tokio::time::timeout(READY_WITHIN, connection.sender.ready()).await {
                return Some(connection);
            }
        }
    }
}

/// Why a connection brought no head of an answer.
enum Unanswered {
    /// It was closed before anything was sent.
    NotBegun,
    /// It was reused, and ended before the first byte of the answer.
    BeforeFirstByte,
    Failed(FailureKind),
}

impl Connection {
    async fn send(mut self, message: &Message) -> Result<(Response<Incoming>, Self), Unanswered> {
        let received_before = self.received.load(Ordering::Relaxed);
        match self.sender.try_send_request(message.to_request()).await {
            Ok(response) => Ok((response, self)),
            Err(error) if error.message().is_some() => Err(Unanswered::NotBegun),
            Err(error) if error.error().is_parse() => Err(Unanswered::Failed(FailureKind::NotHttp)),
            Err(_) if self.is_reused && self.received.load(Ordering::Relaxed) == received_before => {
                Err(Unanswered::BeforeFirstByte)
            }
            Err(_) => Err(Unanswered::Failed(FailureKind::BrokeOff)),
        }
    }
}

impl Message {
    fn to_request(&self) -> http::Request<Full<Bytes>> {
        let mut request = http::Request::new(Full::new(self.body.clone().unwrap_or_default()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.clone();
        *request.headers_mut() = self.headers.clone();
        // A method that is expected to bring a body says so where there is none (RFC 9110, section 8.6).
        if self.body.is_none() && matches!(self.method, Method::POST | Method::PUT | Method::PATCH) {
            request.headers_mut().insert(CONTENT_LENGTH, 0.into());
        }
        debug_assert!(self.headers.contains_key(HOST), "a request in HTTP/1.1 names its host");
        request
    }
}

/// A stream that counts what it receives.
struct Counted {
    stream: Stream,
    received: Arc<AtomicU64>,
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        let received = buffer.filled().len().saturating_sub(before);
        self.received.fetch_add(received as u64, Ordering::Relaxed);
        read
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
