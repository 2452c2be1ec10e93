//! Sends one request, takes the answer to its last byte, and says what came of it; a sampled one begins a trace.

use std::time::{Duration, Instant};

use goose::goose::GooseUser;
use observability::traces::Span;
use serde_json::Value;

use crate::failure_kind::FailureKind;
use crate::scenario::Action;
use crate::spans;

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Answered with a success.
    Succeeded,
    /// 503 with `Retry-After`: the service's honest answer that it has no room.
    Refused,
    /// Anything else.
    Failed(FailureKind),
}

impl Outcome {
    /// Whether its duration is a response time: the service did the work, well or not.
    pub(crate) fn has_latency(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed(FailureKind::Status(_)))
    }
}

/// One request and its answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange {
    /// What came of it.
    pub(crate) outcome: Outcome,
    /// The status, where there was an answer.
    pub(crate) status: Option<u16>,
    /// From sending the request to the last byte of the answer, or to what ended it.
    pub(crate) duration: Duration,
    /// When it ended.
    pub(crate) ended_at: Instant,
}

/// Sends `action` with `body` as this user.
pub(crate) async fn exchange(user: &GooseUser, action: &Action, body: Option<&Value>) -> Exchange {
    let sent_at = Instant::now();
    let span = spans::begin(user, action);
    let (outcome, status) = send(user, action, body, span.as_ref()).await;
    let ended_at = Instant::now();
    if let Some(span) = &span {
        let problem = match outcome {
            // A status speaks for itself.
            Outcome::Succeeded | Outcome::Refused | Outcome::Failed(FailureKind::Status(_)) => None,
            Outcome::Failed(kind) => Some(kind.code()),
        };
        spans::end(span, status, problem);
    }
    Exchange { outcome, status, duration: ended_at - sent_at, ended_at }
}

async fn send(
    user: &GooseUser,
    action: &Action,
    body: Option<&Value>,
    span: Option<&Span>,
) -> (Outcome, Option<u16>) {
    let failed = |kind| (Outcome::Failed(kind), None);
    let Ok(request) = user.get_request_builder(&action.method, &action.path) else {
        return failed(FailureKind::NotSent);
    };
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    let request = match span {
        Some(span) => request.headers(spans::headers(span)),
        None => request,
    };
    let mut answer = match request.send().await {
        Ok(answer) => answer,
        Err(error) if error.is_timeout() => return failed(FailureKind::TimedOut),
        Err(error) if error.is_connect() => return failed(FailureKind::NoConnection),
        Err(error) if error.is_builder() || error.is_redirect() => return failed(FailureKind::NotSent),
        Err(_) => return failed(FailureKind::BrokeOff),
    };
    let status = answer.status().as_u16();
    let refused = status == 503 && answer.headers().contains_key("retry-after");
    let success = answer.status().is_success();
    // Thrown away piece by piece: an answer of any length takes no memory.
    loop {
        match answer.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(error) if error.is_timeout() => return failed(FailureKind::TimedOut),
            Err(_) => return failed(FailureKind::BrokeOff),
        }
    }
    let outcome = match (refused, success) {
        (true, _) => Outcome::Refused,
        (_, true) => Outcome::Succeeded,
        _ => Outcome::Failed(FailureKind::Status(status)),
    };
    (outcome, Some(status))
}
