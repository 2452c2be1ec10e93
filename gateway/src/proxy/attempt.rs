//! Sends a request to one endpoint, once, and says what became of it.

use std::pin::pin;
use std::time::{Duration, Instant};

use gateway_balancer::Outcome;
use http::request::Parts;
use http::{Response, StatusCode, header};

use super::answers;
use super::deadline::Deadline;
use super::outgoing::Outgoing;
use super::request_body::{RequestBody, Stage, Upload};
use super::response_body::ResponseBody;
use crate::fleet::Lease;
use crate::upstream::{Connection, SendError};

/// An answer, and the connection it comes on.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) response: Response<()>,
    pub(crate) connection: Box<Connection>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing was sent: any request can go elsewhere.
    NotSent { problem: String },
    /// It was sent, at least in part, and the connection ended without an answer.
    Lost { problem: String },
    /// It was sent and nothing came back in time.
    TimedOut { after: Duration },
    /// The client sent more than allowed.
    TooLarge,
    /// The client owes the rest of the body, or broke it off.
    ClientTooSlow,
}

impl Failure {
    /// The failure as one word, for spans.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::NotSent { .. } => "not_sent",
            Self::Lost { .. } => "connection_lost",
            Self::TimedOut { .. } => "timeout",
            Self::TooLarge => "body_too_large",
            Self::ClientTooSlow => "client_too_slow",
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
            Self::Lost { problem } => answers::error(
                StatusCode::BAD_GATEWAY,
                format!("the endpoint ended the connection without an answer: {problem}"),
                "the request may or may not have taken effect; check before sending it again",
            ),
            Self::TimedOut { after } => answers::error(
                StatusCode::GATEWAY_TIMEOUT,
                format!("the endpoint did not answer within {after:?}"),
                "the request may still take effect; check before sending it again",
            ),
            Self::TooLarge => answers::error(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the request's body is larger than {body_bytes_max} bytes"),
                "send less, or in parts",
            ),
            Self::ClientTooSlow => answers::error(
                StatusCode::REQUEST_TIMEOUT,
                "the rest of the request's body did not come",
                "send the body without long pauses",
            ),
        }
    }
}

/// Sends a request to the leased endpoint and records how it went, except where the client is to blame. Returns when
/// that was known, too.
///
/// The time allowed runs from the last part of the body that the client sent, so a slow upload is not the
/// endpoint's fault.
pub(crate) async fn attempt(
    lease: &Lease,
    outgoing: &mut Outgoing,
    deadline: &mut Deadline,
    started: Instant,
    try_timeout: Duration,
) -> (Result<Answered, Failure>, Instant) {
    let Outgoing { head, body, upload, .. } = outgoing;
    let upload = upload.as_deref();
    let last_progress = || upload.map_or(started, |upload| upload.last_progress().max(started));
    let mut exchange = pin!(exchange(lease, head, body));
    let result = loop {
        let seen = last_progress();
        match deadline.limit((seen + try_timeout).into(), exchange.as_mut()).await {
            Some(result) => break result,
            None if last_progress() != seen => {}
            None if upload.is_some_and(|upload| upload.stage() == Stage::WaitingForClient) => {
                break Err(Failure::ClientTooSlow);
            }
            None => break Err(Failure::TimedOut { after: try_timeout }),
        }
    };
    let result = match (result, upload.map(Upload::stage)) {
        (Err(_), Some(Stage::TooLarge)) => Err(Failure::TooLarge),
        (Err(_), Some(Stage::BrokenOff)) => Err(Failure::ClientTooSlow),
        (result, _) => result,
    };
    let known = Instant::now();
    let elapsed = known.saturating_duration_since(last_progress());
    match &result {
        Ok(Answered { response, .. }) => {
            let has_retry_after = response.headers().contains_key(header::RETRY_AFTER);
            lease.record(known, Outcome::of_answer(response.status().as_u16(), has_retry_after, elapsed));
        }
        Err(Failure::TooLarge | Failure::ClientTooSlow) => {}
        Err(_) => lease.record(known, Outcome::Failed { after: elapsed }),
    }
    (result, known)
}

/// An idle connection may have been closed by the endpoint just now: then the next one is tried. A fresh one has the
/// last word.
async fn exchange(lease: &Lease, head: &Parts, body: &mut RequestBody) -> Result<Answered, Failure> {
    let upstream = &*lease.upstream;
    loop {
        let idle = upstream.check_out();
        let is_fresh = idle.is_none();
        let mut connection = match idle {
            Some(connection) => connection,
            None => match Box::pin(upstream.connect()).await {
                Ok(connection) => connection,
                Err(error) => {
                    return Err(Failure::NotSent { problem: format!("{}: {error}", upstream.url) });
                }
            },
        };
        let problem = |error| format!("{}: {error}", upstream.url);
        match connection.send(head, body, &upstream.host).await {
            Ok(response) => return Ok(Answered { response, connection }),
            Err(SendError::NotSent(error)) if is_fresh => {
                return Err(Failure::NotSent { problem: problem(error) });
            }
            Err(SendError::NotSent(_)) => {}
            Err(SendError::Lost(error)) => return Err(Failure::Lost { problem: problem(error) }),
        }
    }
}
