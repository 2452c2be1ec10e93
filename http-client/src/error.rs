//! Says why a request brought no answer.

use std::time::Duration;

use http::{Method, StatusCode};

/// Why a request brought no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The address is not one that can be asked.
    #[error(
        "`{url}` is not an address that can be asked: {problem}, expected something like http://127.0.0.1:8000"
    )]
    BadUrl {
        /// What was given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Nobody answered.
    #[error("{method} {url} failed: {problem}")]
    Failed {
        /// The request's method.
        method: Method,
        /// Whom it was sent to.
        url: String,
        /// What went wrong, with its causes.
        problem: String,
    },
    /// No answer came in time.
    #[error("{method} {url} brought no answer within {after:?}")]
    TimedOut {
        /// The request's method.
        method: Method,
        /// Whom it was sent to.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The answer is larger than the bound.
    #[error("{method} {url} answered with more than {limit_bytes} bytes")]
    TooLarge {
        /// The request's method.
        method: Method,
        /// Whom it was sent to.
        url: String,
        /// The bound.
        limit_bytes: usize,
    },
    /// The answer's status is not a success, and [`Reply::ok`](crate::Reply::ok) wanted one.
    #[error("{method} {url} answered {status}: {message}")]
    Refused {
        /// The request's method.
        method: Method,
        /// Whom it was sent to.
        url: String,
        /// The answer's status.
        status: StatusCode,
        /// What the answer says is wrong.
        message: String,
    },
    /// The answer is not the JSON that was expected.
    #[error("{method} {url} answered with unexpected JSON: {problem}")]
    BadJson {
        /// The request's method.
        method: Method,
        /// Whom it was sent to.
        url: String,
        /// What does not fit.
        problem: String,
    },
}

impl ClientError {
    /// The error as one word, for spans.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::BadUrl { .. } => "bad_url",
            Self::Failed { .. } => "connection",
            Self::TimedOut { .. } => "timeout",
            Self::TooLarge { .. } => "too_large",
            Self::Refused { .. } => "refused",
            Self::BadJson { .. } => "bad_json",
        }
    }
}

/// A request that failed on its way, with all causes.
pub(crate) fn failed(method: &Method, url: &str, error: &dyn std::error::Error) -> ClientError {
    // hyper's own text says only "client error"; the cause below it says why.
    let mut problem = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        problem = format!("{problem}: {inner}");
        cause = inner.source();
    }
    ClientError::Failed { method: method.clone(), url: url.to_owned(), problem }
}
