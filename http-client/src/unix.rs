//! The client of a server on a Unix socket.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Uri};
use hyper_util::rt::TokioIo;
use serde::Serialize;

use crate::MAX_BODY_BYTES;
use crate::error::{ClientError, failed};
use crate::reply::{Reply, read_reply};
use crate::request::{bad_url, build_request, to_json, within};
use crate::spans::{Server, begin_span, end_span};

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
