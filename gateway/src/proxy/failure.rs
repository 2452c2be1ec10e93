//! Names why a request got no answer from an endpoint, and what its client is told.

use std::time::Duration;

use gateway_balancer::TryFailure;
use http::{Response, StatusCode};

use super::answers;
use super::response_body::ResponseBody;
use crate::request_body::BodyError;

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing was sent: any request can go elsewhere.
    NotSent { problem: String },
    /// It was sent, at least in part, and the connection ended without an answer.
    Lost { problem: String },
    /// As [`Self::Lost`], on a connection that was kept from an earlier request and before a byte of the answer. The
    /// endpoint may have closed it just then, so it says nothing of the endpoint.
    LostOnKept { problem: String },
    /// What came is not an answer in HTTP/1.1.
    Malformed { endpoint: String },
    /// It was sent and nothing came back in time.
    TimedOut { after: Duration },
    /// The client owes the rest of the body for too long.
    BodyStalled { pause: Duration },
    /// The client's body cannot be passed on.
    Body(BodyError),
}

impl Failure {
    /// The failure as one word, for spans.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::NotSent { .. } => "not_sent",
            Self::Lost { .. } | Self::LostOnKept { .. } => "connection_lost",
            Self::Malformed { .. } => "malformed_answer",
            Self::TimedOut { .. } => "timeout",
            Self::BodyStalled { .. } => "client_too_slow",
            Self::Body(BodyError::TooLarge) => "body_too_large",
            Self::Body(BodyError::BrokenOff) => "body_broken_off",
            Self::Body(BodyError::Malformed) => "body_malformed",
        }
    }

    /// Whether it tells of the endpoint: not what the client did, and not what a kept connection did.
    pub(crate) const fn is_the_endpoints(&self) -> bool {
        !matches!(self, Self::BodyStalled { .. } | Self::Body(_) | Self::LostOnKept { .. })
    }

    /// The failure, as the retry rule sees it.
    pub(crate) const fn of_try(&self) -> TryFailure {
        match self {
            Self::NotSent { .. } => TryFailure::NotSent,
            Self::Lost { .. } | Self::Malformed { .. } | Self::TimedOut { .. } => TryFailure::Unanswered,
            Self::LostOnKept { .. } | Self::BodyStalled { .. } | Self::Body(_) => TryFailure::Final,
        }
    }

    /// What the client is told.
    pub(crate) fn into_answer(self, body_bytes_max: u64) -> Response<ResponseBody> {
        match self {
            Self::NotSent { problem } => answers::error(
                StatusCode::BAD_GATEWAY,
                format!("no endpoint could be connected to: {problem}"),
                "GET /endpoints on the admin port shows who is there",
            ),
            Self::Lost { problem } | Self::LostOnKept { problem } => answers::error(
                StatusCode::BAD_GATEWAY,
                format!("the endpoint ended the connection without an answer: {problem}"),
                "the request may or may not have taken effect; check before sending it again",
            ),
            Self::Malformed { endpoint } => answers::error(
                StatusCode::BAD_GATEWAY,
                format!("the endpoint sent bytes that are not a response in HTTP/1.1: {endpoint}"),
                "check that the endpoint's address is that of a plain HTTP server",
            ),
            Self::TimedOut { after } => answers::error(
                StatusCode::GATEWAY_TIMEOUT,
                format!("the endpoint did not answer within {after:?}"),
                "the request may still take effect; check before sending it again",
            ),
            Self::BodyStalled { pause } => answers::closing_error(
                StatusCode::REQUEST_TIMEOUT,
                format!("the rest of the request's body did not come within {pause:?}"),
                "send the body without such a pause, or start the gateway with a longer --body-pause",
            ),
            Self::Body(BodyError::TooLarge) => answers::error(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the request's body is larger than {body_bytes_max} bytes"),
                "send less, or in parts",
            ),
            Self::Body(BodyError::BrokenOff) => answers::closing_error(
                StatusCode::BAD_REQUEST,
                "the request's body ended before its end was due",
                "send as many bytes as Content-Length says, or a last chunk",
            ),
            Self::Body(BodyError::Malformed) => answers::closing_error(
                StatusCode::BAD_REQUEST,
                "the request's body is not in the chunks that it announces",
                "send each chunk as its size in hexadecimal digits, CR LF, the data, CR LF",
            ),
        }
    }
}
