//! The one form in which the lab reports an error over HTTP: `{"error": "...", "hint": "..."}`.

use axum::Json;
use axum::response::{IntoResponse, Response};
use excerpt::shortened;
use http::StatusCode;
use serde::{Deserialize, Serialize};

/// The most characters of what is wrong.
const ERROR_CHARS_MAX: usize = 400;

/// The most characters of a hint, which may list what there is.
const HINT_CHARS_MAX: usize = 2000;

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
    ///
    /// What is wrong repeats values of the request, so it is shortened to one line of some 400 characters.
    pub fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        let error = shortened(&error.into(), ERROR_CHARS_MAX);
        Self { status, body: ErrorBody { error, hint: shortened(&hint.into(), HINT_CHARS_MAX) } }
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

#[cfg(test)]
mod tests {
    use super::{ErrorReply, StatusCode};

    #[test]
    fn what_a_request_said_is_repeated_shortly_and_on_one_line() {
        let value = format!("\u{1b}[2J\n\u{202e}{}", "x".repeat(200_000));
        for reply in [
            ErrorReply::bad_request(format!("`item` is `{value}`, expected a name"), "a hint"),
            ErrorReply::unknown_route(&value, "a hint"),
            ErrorReply::new(StatusCode::CONFLICT, "an error", value.as_str()),
        ] {
            let text = format!("{}{}", reply.body.error, reply.body.hint);
            assert!(text.len() < 2500, "{} bytes", text.len());
            assert!(!text.contains(['\u{1b}', '\n', '\u{202e}']), "{text}");
        }
    }
}
