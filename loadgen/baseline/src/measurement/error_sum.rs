//! What an error is, the same everywhere: a request that failed, was refused, got no answer, or was never sent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Errors among requests, by what they are made of. `errors` in thresholds and `--max-errors` mean their share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorSum {
    /// Requests that failed.
    pub failed: u64,
    /// Requests that were refused with 503 and `Retry-After`.
    pub refused: u64,
    /// Requests that were sent and still unanswered when they were given up at the end.
    pub unanswered: u64,
    /// Requests that were due and never sent.
    pub unsent: u64,
    /// All requests, those without an error included.
    pub requests: u64,
}

impl ErrorSum {
    /// All errors.
    pub fn errors(&self) -> u64 {
        self.failed + self.refused + self.unanswered + self.unsent
    }

    /// Their share of all requests, from 0 to 1; none without a request.
    pub fn share(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.errors() as f64 / self.requests as f64)
    }
}

impl fmt::Display for ErrorSum {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.share() {
            None => formatter.write_str("0 (no requests)"),
            Some(share) => {
                write!(
                    formatter,
                    "{:.2} % ({} failed + {} refused",
                    share * 100.0,
                    self.failed,
                    self.refused
                )?;
                if self.unanswered > 0 {
                    write!(formatter, " + {} unanswered", self.unanswered)?;
                }
                if self.unsent > 0 {
                    write!(formatter, " + {} unsent", self.unsent)?;
                }
                write!(formatter, " of {} requests)", self.requests)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorSum;

    #[test]
    fn errors_are_written_out_as_a_sum() {
        let sum = ErrorSum { refused: 132, requests: 2233, ..ErrorSum::default() };
        assert_eq!(sum.to_string(), "5.91 % (0 failed + 132 refused of 2233 requests)");
        let sum = ErrorSum { failed: 1, refused: 2, unanswered: 3, unsent: 4, requests: 20 };
        assert_eq!(
            sum.to_string(),
            "50.00 % (1 failed + 2 refused + 3 unanswered + 4 unsent of 20 requests)"
        );
        assert_eq!((sum.errors(), sum.share()), (10, Some(0.5)));
        assert_eq!(ErrorSum::default().share(), None);
    }
}
