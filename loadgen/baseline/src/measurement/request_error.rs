//! The error that a request of a level ended with, the same for every engine that sends requests.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::failure_kind::FailureKind;
use super::outcome::RequestOutcome;

/// What makes a request an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestError {
    /// It failed.
    Failed(FailureKind),
    /// It was refused with 503 and `Retry-After`.
    Refused,
    /// It was sent, and given up with its level before an answer or its timeout came.
    Unanswered,
    /// It was due and never sent.
    Unsent,
}

impl RequestError {
    /// Of a request that was sent; none where it succeeded. No outcome means that it was given up.
    pub fn of(outcome: Option<RequestOutcome>) -> Option<Self> {
        match outcome {
            Some(RequestOutcome::Succeeded) => None,
            Some(RequestOutcome::Refused) => Some(Self::Refused),
            Some(RequestOutcome::Failed(kind)) => Some(Self::Failed(kind)),
            None => Some(Self::Unanswered),
        }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(kind) => kind.fmt(formatter),
            Self::Refused => formatter.write_str("refused (503 with Retry-After)"),
            Self::Unanswered => formatter.write_str("unanswered at the end"),
            Self::Unsent => formatter.write_str("never sent"),
        }
    }
}
