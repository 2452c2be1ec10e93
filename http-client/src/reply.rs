//! Holds a complete answer, and reads one within a bound.

use bytes::Bytes;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use observability::http::error::ErrorBody;
use serde::de::DeserializeOwned;

use crate::error::{ClientError, failed};

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

/// Reads an answer to its end, at most so many bytes of it.
pub(crate) async fn read_reply(
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
