//! Makes requests, and bounds how long they may take.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Uri, header};
use http_body_util::Full;
use serde::Serialize;

use crate::error::ClientError;

pub(crate) fn to_json(body: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(body).expect("the lab's own request bodies are JSON"))
}

/// The address of a server on TCP.
pub(crate) fn parse_url(url: &str) -> Result<Uri, ClientError> {
    let uri: Uri = url.parse().map_err(|error| bad_url(url, &error))?;
    if uri.scheme_str() != Some("http") || uri.host().is_none() {
        return Err(bad_url(url, &"only http:// with a host is supported"));
    }
    Ok(uri)
}

pub(crate) fn bad_url(url: &str, problem: &dyn std::fmt::Display) -> ClientError {
    ClientError::BadUrl { url: url.to_owned(), problem: problem.to_string() }
}

pub(crate) fn build_request(
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

pub(crate) async fn within<T>(
    timeout: Duration,
    method: &Method,
    url: &str,
    exchange: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    tokio::time::timeout(timeout, exchange).await.unwrap_or_else(|_| {
        Err(ClientError::TimedOut { method: method.clone(), url: url.to_owned(), after: timeout })
    })
}
