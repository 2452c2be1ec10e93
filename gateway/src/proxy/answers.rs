//! Writes the gateway's own answers, each with what is wrong and what to do next.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use observability::http::error::ErrorBody;

use super::response_body::ResponseBody;

/// An error as JSON.
pub(crate) fn error(status: StatusCode, text: impl Into<String>, hint: &str) -> Response<ResponseBody> {
    let body = ErrorBody { error: text.into(), hint: hint.to_owned() };
    let bytes = Bytes::from(serde_json::to_vec(&body).expect("two strings are JSON"));
    let mut response = Response::new(ResponseBody::Own(Some(bytes)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An error after which nothing more is read from the client's connection.
pub(crate) fn closing_error(
    status: StatusCode,
    text: impl Into<String>,
    hint: &str,
) -> Response<ResponseBody> {
    let mut response = error(status, text, hint);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// An error that says after how many whole seconds another try makes sense, at least one.
pub(crate) fn error_with_retry(
    status: StatusCode,
    text: impl Into<String>,
    hint: &str,
    retry_after: Duration,
) -> Response<ResponseBody> {
    let mut response = error(status, text, hint);
    let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_to_retry_is_rounded_up_to_whole_seconds() {
        for (retry_after_ms, expected) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (59_500, "60")] {
            let retry_after = Duration::from_millis(retry_after_ms);
            let response = error_with_retry(StatusCode::TOO_MANY_REQUESTS, "x", "y", retry_after);
            assert_eq!(response.headers()[header::RETRY_AFTER], expected, "{retry_after_ms} ms");
        }
    }
}
