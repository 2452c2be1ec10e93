//! Sends a request to one endpoint, once, and says what became of it.

use std::pin::pin;
use std::time::{Duration, Instant};

use gateway_balancer::Outcome;
use http::request::Parts;
use http::{HeaderValue, Response, header};
use prometheus_client::metrics::counter::Counter;

use super::deadline::Deadline;
use super::failure::Failure;
use super::outgoing::Outgoing;
use crate::fleet::Stay;
use crate::request_body::{RequestBody, Stage, Upload};
use crate::upstream::{Connection, SendError};

/// An answer, and the connection it comes on.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) response: Response<()>,
    pub(crate) connection: Box<Connection>,
}

/// How long a try may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TryLimits {
    /// For the endpoint, from the last part of the body to the head of its answer.
    pub(crate) answer: Duration,
    /// For the client, from one part of the body to the next.
    pub(crate) body_pause: Duration,
}

/// Sends a request to the endpoint of the stay and records how it went, except where that tells nothing of the endpoint.
/// Returns when it was known, too.
///
/// The time allowed runs from the last part of the body that the client sent, so a slow upload is not the
/// endpoint's fault.
pub(crate) async fn attempt(
    stay: &Stay,
    outgoing: &mut Outgoing,
    deadline: &mut Deadline,
    started: Instant,
    limits: TryLimits,
    reconnects: &Counter,
) -> (Result<Answered, Failure>, Instant) {
    let may_reconnect = outgoing.is_safe_to_repeat();
    let Outgoing { head, host, body, upload, .. } = outgoing;
    let upload = upload.as_deref();
    let last_progress = || upload.map_or(started, |upload| upload.last_progress().max(started));
    let host = host.as_ref().unwrap_or(&stay.upstream.host);
    let mut exchange = pin!(exchange(stay, head, host, body, may_reconnect, reconnects));
    // With a body on its way, either side may be the one that is waited for, and that changes: so it is looked at again
    // each time that the shorter limit is over.
    let shorter = upload.map_or(limits.answer, |_| limits.answer.min(limits.body_pause));
    let mut until = started + shorter;
    let result = loop {
        if let Some(result) = deadline.limit(until.into(), exchange.as_mut()).await {
            break result;
        }
        let waits_for_client = upload.is_some_and(|upload| upload.stage() == Stage::WaitingForClient);
        let allowed = if waits_for_client { limits.body_pause } else { limits.answer };
        let end = last_progress() + allowed;
        if until < end {
            until = end.min(until + shorter);
        } else if waits_for_client {
            break Err(Failure::BodyStalled { pause: allowed });
        } else {
            break Err(Failure::TimedOut { after: allowed });
        }
    };
    let result = match (result, upload.map(Upload::stage)) {
        (Err(_), Some(Stage::Ended(error))) => Err(Failure::Body(error)),
        (result, _) => result,
    };
    let known = Instant::now();
    let elapsed = known.saturating_duration_since(last_progress());
    match &result {
        Ok(Answered { response, .. }) => {
            let has_retry_after = response.headers().contains_key(header::RETRY_AFTER);
            stay.record(known, Outcome::of_answer(response.status().as_u16(), has_retry_after, elapsed));
        }
        Err(failure) if failure.is_the_endpoints() => {
            stay.record(known, Outcome::Failed { after: elapsed });
        }
        Err(_) => {}
    }
    (result, known)
}

/// Takes a kept connection where there is one, and a fresh one where the endpoint ended that just then: before anything
/// was sent, or before a byte of the answer to a request that may be sent twice. A fresh one has the last word.
async fn exchange(
    stay: &Stay,
    head: &Parts,
    host: &HeaderValue,
    body: &mut RequestBody,
    may_reconnect: bool,
    reconnects: &Counter,
) -> Result<Answered, Failure> {
    let upstream = &*stay.upstream;
    let mut kept = upstream.check_out();
    loop {
        let is_fresh = kept.is_none();
        let mut connection = match kept.take() {
            Some(connection) => connection,
            None => match Box::pin(upstream.connect()).await {
                Ok(connection) => connection,
                Err(error) => {
                    return Err(Failure::NotSent { problem: format!("{}: {error}", upstream.url) });
                }
            },
        };
        let problem = |error| format!("{}: {error}", upstream.url);
        match connection.send(head, body, host).await {
            Ok(response) => return Ok(Answered { response, connection }),
            Err(SendError::NotSent(error)) if is_fresh => {
                return Err(Failure::NotSent { problem: problem(error) });
            }
            Err(SendError::NotSent(_)) => kept = upstream.check_out(),
            Err(SendError::Unanswered(_)) if !is_fresh && may_reconnect => drop(reconnects.inc()),
            Err(SendError::Unanswered(error)) if !is_fresh => {
                return Err(Failure::LostOnKept { problem: problem(error) });
            }
            Err(SendError::Unanswered(error) | SendError::Lost(error)) => {
                return Err(Failure::Lost { problem: problem(error) });
            }
            Err(SendError::Malformed) => {
                return Err(Failure::Malformed { endpoint: upstream.url.to_string() });
            }
        }
    }
}
