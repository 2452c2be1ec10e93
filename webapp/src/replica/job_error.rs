//! The ways in which a job ends without a result.

use http::StatusCode;

use crate::dependency::DependencyError;

/// Why a job brought no result.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JobError {
    /// The queue was full; nothing was done.
    #[error("the queue is full: {queue_capacity} requests are waiting")]
    Refused { queue_capacity: usize },
    /// Served, and failed because a fault was switched on.
    #[error("the request failed because the fault `errors` is switched on")]
    Fault,
    /// The dependency did not do its part.
    #[error(transparent)]
    Dependency(#[from] DependencyError),
}

impl JobError {
    /// The error as one word, for spans.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Refused { .. } => "refused",
            Self::Fault => "fault",
            Self::Dependency(_) => "dependency",
        }
    }

    /// The status code of the answer.
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::Refused { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Dependency(_) => StatusCode::BAD_GATEWAY,
        }
    }
}
