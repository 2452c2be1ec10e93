//! Bounds the number of replicas: 0 ≤ minimum ≤ maximum ≤ 1000, with a maximum of at least 1.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The largest maximum that is accepted; far above what one machine carries, so a typing slip is caught.
pub const REPLICAS_MAX: u32 = 1000;

/// The fewest and the most replicas that may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Bounds", into = "Bounds")]
pub struct Limits {
    min: u32,
    max: u32,
}

/// The wire form of [`Limits`], not yet checked.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Bounds {
    min: u32,
    max: u32,
}

/// Limits that contradict the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LimitsError {
    /// The minimum is 0, under a policy that cannot bring a service back from there.
    #[error("the minimum is 0, expected at least 1: without a replica there is nothing to measure")]
    MinimumIsZero,
    /// The maximum is 0.
    #[error("the maximum is 0, expected at least 1")]
    MaximumIsZero,
    /// The maximum is below the minimum.
    #[error("the maximum {max} is below the minimum {min}")]
    MaximumBelowMinimum {
        /// The minimum given.
        min: u32,
        /// The maximum given.
        max: u32,
    },
    /// The maximum is above [`REPLICAS_MAX`].
    #[error("the maximum is {max}, expected at most {REPLICAS_MAX}")]
    MaximumTooLarge {
        /// The maximum given.
        max: u32,
    },
}

/// A count asked for by hand that the limits do not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{asked} replicas were asked for, expected {limits}")]
pub struct OutOfLimits {
    /// What was asked for.
    pub asked: u32,
    /// What is allowed.
    pub limits: Limits,
}

impl Limits {
    /// Checked limits.
    ///
    /// # Errors
    /// If `max` is 0, below `min`, or above [`REPLICAS_MAX`].
    pub const fn new(min: u32, max: u32) -> Result<Self, LimitsError> {
        if max == 0 {
            Err(LimitsError::MaximumIsZero)
        } else if max < min {
            Err(LimitsError::MaximumBelowMinimum { min, max })
        } else if max > REPLICAS_MAX {
            Err(LimitsError::MaximumTooLarge { max })
        } else {
            Ok(Self { min, max })
        }
    }

    /// The fewest replicas.
    pub const fn min(self) -> u32 {
        self.min
    }

    /// The most replicas.
    pub const fn max(self) -> u32 {
        self.max
    }

    /// Whether `count` lies within, both ends included.
    pub const fn contains(self, count: u32) -> bool {
        self.min <= count && count <= self.max
    }

    /// The allowed count nearest to `count`.
    pub fn clamp(self, count: u32) -> u32 {
        count.clamp(self.min, self.max)
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.min, self.max)
    }
}

impl TryFrom<Bounds> for Limits {
    type Error = LimitsError;

    fn try_from(bounds: Bounds) -> Result<Self, Self::Error> {
        Self::new(bounds.min, bounds.max)
    }
}

impl From<Limits> for Bounds {
    fn from(limits: Limits) -> Self {
        Self { min: limits.min, max: limits.max }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_refuses() {
        assert_eq!(Limits::new(0, 0), Err(LimitsError::MaximumIsZero));
        assert_eq!(Limits::new(4, 3), Err(LimitsError::MaximumBelowMinimum { min: 4, max: 3 }));
        assert_eq!(Limits::new(1, 1001), Err(LimitsError::MaximumTooLarge { max: 1001 }));
        assert!(
            serde_json::from_str::<Limits>(r#"{"min":3,"max":2}"#).is_err(),
            "saved limits are checked too"
        );
    }

    #[test]
    fn both_ends_belong_to_the_limits() {
        assert!(Limits::new(0, 1).unwrap().contains(0));
        let limits = Limits::new(2, 4).unwrap();
        assert_eq!([1, 2, 4, 5].map(|count| limits.contains(count)), [false, true, true, false]);
        assert_eq!([0, 3, 9].map(|count| limits.clamp(count)), [2, 3, 4]);
    }
}
