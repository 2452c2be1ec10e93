//! The outcome of one request, the same for every engine that sends requests.

use super::failure_kind::FailureKind;

/// The outcome of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RequestOutcome {
    /// Answered with what was expected.
    Succeeded,
    /// 503 with `Retry-After`: the service's honest answer that it has no room.
    Refused,
    /// Anything else.
    Failed(FailureKind),
}

impl RequestOutcome {
    /// The status of a refusal.
    pub const REFUSAL_STATUS: u16 = 503;

    /// Of an answer whose status is not the expected one: 503 with `Retry-After` is a refusal, all else a failure.
    pub fn of_wrong_status(status: u16, has_retry_after: bool) -> Self {
        if status == Self::REFUSAL_STATUS && has_retry_after {
            Self::Refused
        } else {
            Self::Failed(FailureKind::Status(status))
        }
    }

    /// Whether its duration is a response time: the service did the work, well or not.
    pub fn has_latency(self) -> bool {
        match self {
            Self::Succeeded => true,
            Self::Refused => false,
            Self::Failed(kind) => kind.is_answer(),
        }
    }
}
