//! Reads query strings and JSON bodies so that every mistake becomes an error that says what was expected.

use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use bytes::Bytes;
use excerpt::{excerpt, sentence};
use http::StatusCode;
use http::request::Parts;
use observability::http::error::ErrorReply;
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Largest request body: axum's own default, which holds without a layer in each request's way. A load schedule from
/// a trace of some days fits.
pub(super) const MAX_BODY_BYTES: usize = 2 * 1024 * 1024;

/// For routes that change something and take no parameters: whoever gives one expects it to count.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoParams {}

/// Query parameters; a name that the route does not know is refused.
pub(super) struct Params<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = ErrorReply;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, ErrorReply> {
        let Query(params) = Query::<T>::try_from_uri(&parts.uri).map_err(|rejection| {
            ErrorReply::bad_request(
                format!(
                    "the query `{}` is not understood: {}",
                    excerpt(parts.uri.query().unwrap_or_default()),
                    rejection.body_text()
                ),
                "numbers are plain, durations have a unit: ?factor=8&hold=60s&ramp=10s",
            )
        })?;
        Ok(Self(params))
    }
}

/// A JSON object as body; an empty body counts as `{}`.
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ErrorReply;

    async fn from_request(request: Request, state: &S) -> Result<Self, ErrorReply> {
        let bytes = Bytes::from_request(request, state).await.map_err(|rejection| unread(&rejection))?;
        let bytes: &[u8] = if bytes.trim_ascii().is_empty() { b"{}" } else { &bytes };
        let refuse = |problem: &dyn std::fmt::Display| {
            ErrorReply::bad_request(
                format!("the body is not the JSON that this route takes: {problem}"),
                "an empty body or {} stands for the defaults",
            )
        };
        // A list would be taken for the fields in their order, and an empty one for the defaults.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(refuse(&"expected an object"));
        }
        serde_json::from_slice(bytes).map(Self).map_err(|error| refuse(&sentence(&error.to_string())))
    }
}

fn unread(rejection: &BytesRejection) -> ErrorReply {
    if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
        return ErrorReply::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body is larger than {MAX_BODY_BYTES} bytes"),
            "send less, or in parts",
        );
    }
    ErrorReply::bad_request(format!("the body could not be read: {}", rejection.body_text()), "send it again")
}

/// Reads a duration with its unit, such as `30s`, up to `longest`.
pub(super) fn duration(
    field: &str,
    text: &str,
    longest: std::time::Duration,
) -> Result<std::time::Duration, ErrorReply> {
    let hint = "write a number with its unit: 50ms, 30s, 5m";
    let duration = humantime::parse_duration(text).map_err(|error| {
        ErrorReply::bad_request(
            format!("`{field}` is `{}`, which is no duration: {error}", excerpt(text)),
            hint,
        )
    })?;
    if duration > longest {
        return Err(ErrorReply::bad_request(
            format!("`{field}` is {text}, expected at most {}", humantime::format_duration(longest)),
            hint,
        ));
    }
    Ok(duration)
}
