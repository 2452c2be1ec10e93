//! The client of servers on TCP, with a pool of connections.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use observability::metrics::ACCEPT_OPENMETRICS;
use serde::Serialize;

use crate::MAX_BODY_BYTES;
use crate::error::{ClientError, failed};
use crate::reply::{Reply, read_reply};
use crate::request::{build_request, parse_url, to_json, within};
use crate::spans::{Server, begin_span, end_span};

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
