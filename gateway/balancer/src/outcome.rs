//! Says how an answer counts: served, honestly refused, or failed.

use core::time::Duration;

/// How one request to an endpoint ended.
///
/// A client that went away is none of these: the request is released without a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Answered, with this time to the response's headers.
    Success {
        /// From sending the request to the response's headers.
        latency: Duration,
    },
    /// Answered with a 4xx. Mostly the client's own fault, so it counts as served; an endpoint that gives more of them
    /// than another one is not preferred for giving them quickly.
    ClientError {
        /// From sending the request to the response's headers.
        latency: Duration,
    },
    /// 503 with `Retry-After`: the service's honest answer. Not a failure, but it never attracts traffic.
    Refused,
    /// Any other 5xx, a connection that failed, or no answer in time. Counts for ejection.
    Failed {
        /// From sending the request to the failure. It can raise the latency estimate and never lower it.
        after: Duration,
    },
}

impl Outcome {
    /// Judges an answer by its status and whether it carries `Retry-After`.
    pub fn of_answer(status: u16, has_retry_after: bool, latency: Duration) -> Self {
        match status {
            503 if has_retry_after => Self::Refused,
            400..=499 => Self::ClientError { latency },
            500..=599 => Self::Failed { after: latency },
            _ => Self::Success { latency },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_503_with_retry_after_is_a_refusal() {
        let latency = Duration::from_millis(7);
        assert_eq!(Outcome::of_answer(503, true, latency), Outcome::Refused);
        assert_eq!(Outcome::of_answer(503, false, latency), Outcome::Failed { after: latency });
        assert_eq!(Outcome::of_answer(500, true, latency), Outcome::Failed { after: latency });
        assert_eq!(Outcome::of_answer(399, false, latency), Outcome::Success { latency });
        for status in [400, 401, 403, 404, 429, 499] {
            assert_eq!(Outcome::of_answer(status, true, latency), Outcome::ClientError { latency });
        }
    }
}
