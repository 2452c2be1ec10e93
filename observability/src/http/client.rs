//! Asks another process over HTTP, on TCP or on a Unix socket, within a time and a size that the caller sets.
//!
//! Plain HTTP/1.1 only: the lab's processes talk to each other on one machine or inside one private network. Inside a
//! sampled span a request gets a client span of its own and carries the trace on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::ErrorBody;
use super::server::method_label;
use crate::metrics::ACCEPT_OPENMETRICS;
use crate::traces::{self, KeyValue, Span, SpanKind, names};

/// The largest answer that is read, unless the caller sets another bound.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// Why a request brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not one that can be asked.
    #[error(
        "`{url}` is not an address that can be asked: {problem}, expected something like http://127.0.0.1:8000"
    )]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody answered.
    #[error("{method} {url} failed: {problem}")]
    Failed {
        /// The request's method.
        method: Method,
        /// Whom it was sent to.
        url: String,
        /// What went wrong, with its causes.
        problem: String,
    },
    /// No answer came in time.
    #[error("{method} {url} brought no answer within {after:?}")]
    TimedOut {
        /// The request's method.
        method: Method,
        /// Whom it was sent to.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The answer is larger than the bound.
    #[error("{method} {url} answered with more than {limit_bytes} bytes")]
    TooLarge {
        /// The request's method.
        method: Method,
        /// Whom it was sent to.
        url: String,
        /// The bound.
        limit_bytes: usize,
    },
    /// The answer's status is not a success, and [`Reply::ok`] wanted one.
    #[error("{method} {url} answered {status}: {message}")]
    Refused {
        /// The request's method.
        method: Method,
        /// Whom it was sent to.
        url: String,
        /// The answer's status.
        status: StatusCode,
        /// What the answer says is wrong.
        message: String,
    },
    /// The answer is not the JSON that was expected.
    #[error("{method} {url} answered with unexpected JSON: {problem}")]
    BadJson {
        /// The request's method.
        method: Method,
        /// Whom it was sent to.
        url: String,
        /// What does not fit.
        problem: String,
    },
}

impl ClientError {
    /// The error as one word, for spans.
    const fn kind(&self) -> &'static str {
        match self {
            Self::BadUrl { .. } => "bad_url",
            Self::Failed { .. } => "connection",
            Self::TimedOut { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Refused { .. } => "refused",
            Self::BadJson { .. } => "bad_json",
        }
    }
}

/// A complete answer.
#[derive(Clone, Debug)]
pub struct Reply {
    method: Method,
    url: String,
    /// Its status.
    pub status: StatusCode,
    /// Its header.
    pub headers: http::HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Reply {
    /// Takes only a success.
    ///
    /// # Errors
    /// [`ClientError::Refused`] for any other status, with the answer's own words.
    pub fn ok(self) -> Result<Self, ClientError> {
        if self.status.is_success() {
            return Ok(self);
        }
        let message = match serde_json::from_slice::<ErrorBody>(&self.body) {
            Ok(body) => format!("{} ({})", body.error, body.hint),
            Err(_) => String::from_utf8_lossy(&self.body).chars().take(200).collect(),
        };
        Err(ClientError::Refused { method: self.method, url: self.url, status: self.status, message })
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`ClientError::BadJson`] when it is not the JSON that `T` needs.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, ClientError> {
        serde_json::from_slice(&self.body).map_err(|error| ClientError::BadJson {
            method: self.method.clone(),
            url: self.url.clone(),
            problem: error.to_string(),
        })
    }
}

/// A client with a pool of connections; clones share it.
#[derive(Clone, Debug)]
pub struct HttpClient {
    tcp: Client<HttpConnector, Full<Bytes>>,
    max_body_bytes: usize,
}

impl Default for HttpClient {
    fn default() -> Self {
        Self::new()
    }
}

impl HttpClient {
    /// A client that keeps at most four idle connections to each address, for 30 s.
    pub fn new() -> Self {
        Self::with_idle_connections(4)
    }

    /// A client that keeps up to `max_idle` idle connections to each address, for 30 s.
    pub fn with_idle_connections(max_idle: usize) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let tcp = Client::builder(TokioExecutor::new())
            .pool_max_idle_per_host(max_idle)
            .pool_idle_timeout(Duration::from_secs(30))
            .pool_timer(hyper_util::rt::TokioTimer::new())
            .build(connector);
        Self { tcp, max_body_bytes: MAX_BODY_BYTES }
    }

    /// The same client with another bound on the size of an answer.
    #[must_use]
    pub fn with_max_body_bytes(mut self, max_body_bytes: usize) -> Self {
        self.max_body_bytes = max_body_bytes;
        self
    }

    /// `GET url`.
    ///
    /// # Errors
    /// [`ClientError`] when no complete answer came in time; any status is an answer.
    pub async fn get(&self, url: &str, timeout: Duration) -> Result<Reply, ClientError> {
        self.send(Method::GET, url, None, timeout).await
    }

    /// `method url` with a JSON body.
    ///
    /// # Errors
    /// As [`HttpClient::get`].
    pub async fn send_json(
        &self,
        method: Method,
        url: &str,
        body: &impl Serialize,
        timeout: Duration,
    ) -> Result<Reply, ClientError> {
        self.send(method, url, Some(to_json(body)), timeout).await
    }

    /// `method url`, with a JSON body where one is given.
    ///
    /// # Errors
    /// As [`HttpClient::get`].
    pub async fn send(
        &self,
        method: Method,
        url: &str,
        json_body: Option<Bytes>,
        timeout: Duration,
    ) -> Result<Reply, ClientError> {
        let request = build_request(&method, parse_url(url)?, None, json_body, url)?;
        self.carry(request, url, timeout).await
    }

    /// `GET url`, asking for metrics in a format that says where it ends.
    ///
    /// # Errors
    /// As [`HttpClient::get`].
    pub async fn scrape(&self, url: &str, timeout: Duration) -> Result<Reply, ClientError> {
        let mut request = build_request(&Method::GET, parse_url(url)?, None, None, url)?;
        request.headers_mut().insert(header::ACCEPT, ACCEPT_OPENMETRICS);
        self.carry(request, url, timeout).await
    }

    async fn carry(
        &self,
        mut request: Request<Full<Bytes>>,
        url: &str,
        timeout: Duration,
    ) -> Result<Reply, ClientError> {
        let method = request.method().clone();
        let span = begin_span(&mut request, url, Server::Tcp);
        let exchange = async {
            let response = self.tcp.request(request).await.map_err(|error| failed(&method, url, &error))?;
            read_reply(&method, url, response, self.max_body_bytes).await
        };
        let result = within(timeout, &method, url, exchange).await;
        if let Some(span) = span {
            end_span(&span, &result);
        }
        result
    }
}

/// A client of one Unix socket. Each request has a connection of its own: such calls are rare.
#[derive(Clone, Debug)]
pub struct UnixHttpClient {
    socket: PathBuf,
}

impl UnixHttpClient {
    /// A client of the socket at this path, which need not exist yet.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self { socket: socket.into() }
    }

    /// The socket's path.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// `method path`, with a JSON body where one is given.
    ///
    /// # Errors
    /// [`ClientError`] when no complete answer came in time; any status is an answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        json_body: Option<Bytes>,
        timeout: Duration,
    ) -> Result<Reply, ClientError> {
        let url = format!("unix:{}:{path}", self.socket.display());
        let uri = path.parse::<Uri>().map_err(|error| bad_url(&url, &error))?;
        let mut request = build_request(&method, uri, Some("localhost"), json_body, &url)?;
        let span = begin_span(&mut request, &url, Server::Unix(&self.socket));
        let exchange = async {
            let stream = tokio::net::UnixStream::connect(&self.socket)
                .await
                .map_err(|error| failed(&method, &url, &error))?;
            let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
                .await
                .map_err(|error| failed(&method, &url, &error))?;
            // Ends by itself when `sender` is dropped at the end of this exchange.
            let connection = tokio::spawn(connection);
            let response =
                sender.send_request(request).await.map_err(|error| failed(&method, &url, &error))?;
            let reply = read_reply(&method, &url, response, MAX_BODY_BYTES).await;
            connection.abort();
            reply
        };
        let result = within(timeout, &method, &url, exchange).await;
        if let Some(span) = span {
            end_span(&span, &result);
        }
        result
    }

    /// `method path` with a JSON body.
    ///
    /// # Errors
    /// As [`UnixHttpClient::send`].
    pub async fn send_json(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
        timeout: Duration,
    ) -> Result<Reply, ClientError> {
        self.send(method, path, Some(to_json(body)), timeout).await
    }
}

fn to_json(body: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(body).expect("the lab's own request bodies are JSON"))
}

fn parse_url(url: &str) -> Result<Uri, ClientError> {
    let uri: Uri = url.parse().map_err(|error| bad_url(url, &error))?;
    if uri.scheme_str() != Some("http") || uri.host().is_none() {
        return Err(bad_url(url, &"only http:// with a host is supported"));
    }
    Ok(uri)
}

fn bad_url(url: &str, problem: &dyn std::fmt::Display) -> ClientError {
    ClientError::BadUrl { url: url.to_owned(), problem: problem.to_string() }
}

fn build_request(
    method: &Method,
    uri: Uri,
    host: Option<&str>,
    json_body: Option<Bytes>,
    url: &str,
) -> Result<Request<Full<Bytes>>, ClientError> {
    let mut builder = Request::builder().method(method.clone()).uri(uri);
    if let Some(host) = host {
        builder = builder.header(header::HOST, host);
    }
    if json_body.is_some() {
        builder = builder.header(header::CONTENT_TYPE, "application/json");
    }
    builder.body(Full::new(json_body.unwrap_or_default())).map_err(|error| bad_url(url, &error))
}

/// Whom a client asks.
#[derive(Clone, Copy, Debug)]
enum Server<'a> {
    /// Whom the request's own URL names.
    Tcp,
    /// Whoever listens on this socket.
    Unix(&'a Path),
}

/// The client span of a request that is sent within a traced one; and the request says to whom it belongs, traced or
/// not.
fn begin_span(request: &mut Request<Full<Bytes>>, url: &str, server: Server<'_>) -> Option<Span> {
    let parent = Span::current_or_mark()?;
    let method = method_label(request.method());
    let span = parent.child_with(|| {
        let uri = request.uri();
        let (address, port) = match server {
            Server::Tcp => (uri.host().unwrap_or_default().to_owned(), Some(uri.port_u16().unwrap_or(80))),
            Server::Unix(socket) => (socket.display().to_string(), None),
        };
        let mut attributes = vec![
            KeyValue::new(names::HTTP_REQUEST_METHOD, method),
            KeyValue::new(names::URL_FULL, url.to_owned()),
            KeyValue::new(names::SERVER_ADDRESS, address),
        ];
        attributes.extend(port.map(|port| KeyValue::new(names::SERVER_PORT, i64::from(port))));
        traces::span(names::http_span_name(method, None), SpanKind::Client).with_attributes(attributes)
    });
    span.as_ref().unwrap_or(&parent).inject(request.headers_mut());
    span
}

fn end_span(span: &Span, result: &Result<Reply, ClientError>) {
    match result {
        Ok(reply) => span.set_status_code(reply.status, &SpanKind::Client),
        Err(error) => span.fail(error.kind()),
    }
    span.end();
}

async fn read_reply(
    method: &Method,
    url: &str,
    response: http::Response<hyper::body::Incoming>,
    max_body_bytes: usize,
) -> Result<Reply, ClientError> {
    let (parts, body) = response.into_parts();
    let body = Limited::new(body, max_body_bytes).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            ClientError::TooLarge { method: method.clone(), url: url.to_owned(), limit_bytes: max_body_bytes }
        } else {
            failed(method, url, error.as_ref())
        }
    })?;
    Ok(Reply {
        method: method.clone(),
        url: url.to_owned(),
        status: parts.status,
        headers: parts.headers,
        body: body.to_bytes(),
    })
}

async fn within<T>(
    timeout: Duration,
    method: &Method,
    url: &str,
    exchange: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    tokio::time::timeout(timeout, exchange).await.unwrap_or_else(|_| {
        Err(ClientError::TimedOut { method: method.clone(), url: url.to_owned(), after: timeout })
    })
}

fn failed(method: &Method, url: &str, error: &dyn std::error::Error) -> ClientError {
    // hyper's own text says only "client error"; the cause below it says why.
    let mut problem = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        problem = format!("{problem}: {inner}");
        cause = inner.source();
    }
    ClientError::Failed { method: method.clone(), url: url.to_owned(), problem }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::Router;
    use axum::routing::get;
    use http::Method;

    use super::{ClientError, HttpClient, UnixHttpClient};

    const TIMEOUT: Duration = Duration::from_secs(5);

    fn app() -> Router {
        Router::new()
            .route("/number", get(async || "7"))
            .route("/large", get(async || "x".repeat(100_000)))
            .route("/hang", get(std::future::pending::<()>))
    }

    async fn start() -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app()).await });
        format!("http://{address}")
    }

    #[tokio::test]
    async fn answers_are_read_within_time_and_size() {
        let url = start().await;
        let client = HttpClient::new().with_max_body_bytes(1000);
        let number: u32 = client.get(&format!("{url}/number"), TIMEOUT).await.unwrap().json().unwrap();
        assert_eq!(number, 7);
        let large = client.get(&format!("{url}/large"), TIMEOUT).await;
        assert!(matches!(large, Err(ClientError::TooLarge { .. })), "{large:?}");
        let hang = client.get(&format!("{url}/hang"), Duration::from_millis(50)).await;
        assert!(matches!(hang, Err(ClientError::TimedOut { .. })), "{hang:?}");
        let missing = client.get(&format!("{url}/missing"), TIMEOUT).await.unwrap().ok();
        assert!(matches!(missing, Err(ClientError::Refused { .. })), "{missing:?}");
    }

    #[tokio::test]
    async fn addresses_that_cannot_be_asked_are_errors() {
        let client = HttpClient::new();
        for url in ["", "nonsense", "ftp://127.0.0.1/", "http://"] {
            let reply = client.get(url, TIMEOUT).await;
            assert!(matches!(reply, Err(ClientError::BadUrl { .. })), "{url}: {reply:?}");
        }
        let refused = client.get("http://127.0.0.1:1/", TIMEOUT).await.unwrap_err();
        assert!(refused.to_string().contains("refused"), "the cause is missing: {refused}");
    }

    #[tokio::test]
    async fn a_unix_socket_is_asked_the_same_way() {
        let folder = std::env::temp_dir().join(format!("lab-client-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let socket = folder.join("client.sock");
        let client = UnixHttpClient::new(&socket);
        assert!(client.send(Method::GET, "/number", None, TIMEOUT).await.is_err());
        let listener = tokio::net::UnixListener::bind(&socket).unwrap();
        tokio::spawn(async move { axum::serve(listener, app()).await });
        let reply = client.send(Method::GET, "/number", None, TIMEOUT).await.unwrap();
        assert_eq!(reply.body, "7");
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
