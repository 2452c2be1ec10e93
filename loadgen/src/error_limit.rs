//! How many errors end a run early, written as `100` or `5%`; errors are what they are in thresholds.

use std::fmt;
use std::str::FromStr;

use loadgen_baseline::ErrorSum;

/// A share is not judged before so many requests: the first one that fails would be 100 %.
const FEWEST_REQUESTS: u64 = 100;

/// How many errors end a run early: requests that failed, were refused, or were due and never sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ErrorLimit {
    /// More than so many.
    Count(u64),
    /// More than this share of the requests, as a fraction from 0 to 1, once there are 100.
    Share(f64),
}

impl ErrorLimit {
    /// Whether these are too many.
    pub(crate) fn is_exceeded(self, errors: &ErrorSum) -> bool {
        match self {
            Self::Count(most) => errors.errors() > most,
            Self::Share(most) => {
                errors.requests >= FEWEST_REQUESTS && errors.share().is_some_and(|share| share > most)
            }
        }
    }
}

/// A text that is no limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no limit of errors, expected a number or a percentage; hint: 0, 100 and 5% are examples")]
pub struct ErrorLimitError(pub String);

impl FromStr for ErrorLimit {
    type Err = ErrorLimitError;

    fn from_str(text: &str) -> Result<Self, ErrorLimitError> {
        let refuse = || ErrorLimitError(text.to_owned());
        match text.strip_suffix('%') {
            None => text.parse().map(Self::Count).map_err(|_| refuse()),
            Some(percent) => match percent.trim_end().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Share(percent / 100.0)),
                _ => Err(refuse()),
            },
        }
    }
}

impl fmt::Display for ErrorLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => write!(formatter, "{count}"),
            Self::Share(share) => write!(formatter, "{}%", (share * 1e12).round() / 1e10),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorLimit, ErrorSum};

    #[test]
    fn a_limit_is_exceeded_beyond_its_bound() {
        let limit = |text: &str| text.parse::<ErrorLimit>().expect(text);
        let of = |failed, requests| ErrorSum { failed, requests, ..ErrorSum::default() };
        assert!(!limit("10").is_exceeded(&of(10, 10)) && limit("10").is_exceeded(&of(11, 11)));
        assert!(limit("0").is_exceeded(&of(1, 1)));
        assert!(!limit("5%").is_exceeded(&of(99, 99)), "too few to judge");
        assert!(!limit("5%").is_exceeded(&of(5, 100)) && limit("5%").is_exceeded(&of(6, 100)));
        // Refused, unanswered and unsent requests are errors as well.
        let sum = ErrorSum { failed: 3, refused: 3, unanswered: 3, unsent: 3, requests: 100 };
        assert!(limit("11").is_exceeded(&sum) && !limit("12%").is_exceeded(&sum));
        assert_eq!(limit("7%").to_string(), "7%");
        for text in ["", "-1", "5.5", "101%", "NaN%", "many"] {
            assert!(text.parse::<ErrorLimit>().is_err(), "{text}");
        }
    }
}
