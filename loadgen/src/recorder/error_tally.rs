//! Which errors there were: by kind, with how often and when.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use loadgen_baseline::{FailureKind, RequestError, RequestOutcome};

use crate::users::exchange::Exchange;

/// What makes a request an error.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ErrorKind {
    Failed(FailureKind),
    /// A check that did not hold, as its description.
    Check(Arc<str>),
    Refused,
    Unanswered,
    Unsent,
}

impl ErrorKind {
    /// The status, where there was an answer with one.
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Failed(FailureKind::Status(status)) => Some(*status),
            Self::Refused => Some(RequestOutcome::REFUSAL_STATUS),
            _ => None,
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(kind) => kind.fmt(formatter),
            Self::Check(check) => write!(formatter, "check: {check}"),
            Self::Refused => RequestError::Refused.fmt(formatter),
            Self::Unanswered => RequestError::Unanswered.fmt(formatter),
            Self::Unsent => RequestError::Unsent.fmt(formatter),
        }
    }
}

/// One kind of error.
#[derive(Clone, Debug)]
pub(crate) struct ErrorTally {
    pub(crate) count: u64,
    pub(crate) first_at: Instant,
    pub(crate) last_at: Instant,
    /// What explained the first one that had an explanation.
    pub(crate) example: Option<Arc<str>>,
}

/// Errors by kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct ErrorTallies(BTreeMap<ErrorKind, ErrorTally>);

impl ErrorTallies {
    /// Counts a request that ended, if it is an error.
    pub(crate) fn record(&mut self, exchange: &Exchange) {
        let kind = match exchange.outcome {
            RequestOutcome::Succeeded => return,
            RequestOutcome::Refused => ErrorKind::Refused,
            RequestOutcome::Failed(kind) => match &exchange.broken_check {
                Some(check) => ErrorKind::Check(Arc::clone(check)),
                None => ErrorKind::Failed(kind),
            },
        };
        self.add(kind, exchange.ended_at, exchange.reason.as_ref());
    }

    /// Counts an error at `at`.
    pub(crate) fn add(&mut self, kind: ErrorKind, at: Instant, reason: Option<&Arc<str>>) {
        let tally = self.0.entry(kind).or_insert_with(|| ErrorTally {
            count: 0,
            first_at: at,
            last_at: at,
            example: None,
        });
        tally.count += 1;
        tally.first_at = tally.first_at.min(at);
        tally.last_at = tally.last_at.max(at);
        if tally.example.is_none() {
            tally.example = reason.map(Arc::clone);
        }
    }

    /// Each kind, in the order of kinds.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ErrorKind, &ErrorTally)> {
        self.0.iter()
    }
}
