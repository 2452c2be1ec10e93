//! The one form in which the lab reports an error over HTTP: `{"error": "...", "hint": "..."}`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};

/// The JSON body of an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What is wrong: what, where, the value, what was expected.
    pub error: String,
    /// What to do next.
    pub hint: String,
}

/// An error as a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorReply {
    /// The status code.
    pub status: StatusCode,
    /// The body.
    pub body: ErrorBody,
}

impl ErrorReply {
    /// An error with its status, what is wrong, and what to do next.
    pub fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, body: ErrorBody { error: error.into(), hint: hint.into() } }
    }

    /// 400: the request itself is wrong.
    pub fn bad_request(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, hint)
    }

    /// 404 for a path no route knows.
    pub fn unknown_route(path: &str, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is nothing at `{path}`"), hint)
    }

    /// 405 for a method that a known path does not take.
    pub fn wrong_method(method: &http::Method, path: &str, hint: impl Into<String>) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, format!("`{path}` does not take {method}"), hint)
    }
}

impl IntoResponse for ErrorReply {
    fn into_response(self) -> Response {
        (self.status, Json(self.body)).into_response()
    }
}
