//! What one level is asked to do, and what of it cannot be.

use std::time::Duration;

use workload::Arrivals;

/// Highest rate that can be asked for, in requests per second; more than one core sends.
pub const HIGHEST_RATE_RPS: f64 = 1_000_000.0;

/// Longest warm-up and hold.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// A level that cannot be asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value}, expected {expected}; hint: {hint}")]
pub struct LevelPlanError {
    /// Which setting.
    pub setting: &'static str,
    /// What was given.
    pub value: String,
    /// What would do.
    pub expected: &'static str,
    /// What to do next.
    pub hint: &'static str,
}

/// What one level is asked to do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LevelPlan {
    /// Requests per second, more than 0 and at most 1,000,000.
    pub rate_rps: f64,
    /// How long requests are sent at this rate before anything is measured, 0 to 24 h.
    pub warm_up: Duration,
    /// How long is measured, more than 0 and at most 24 h.
    pub hold: Duration,
    /// How requests follow one another.
    pub arrivals: Arrivals,
    /// Decides when each request is due, and which it is.
    pub seed: u64,
}

impl LevelPlan {
    /// Checks every rule.
    ///
    /// # Errors
    /// Names the first setting that cannot be, its value, and what was expected.
    pub fn validate(&self) -> Result<(), LevelPlanError> {
        if !(self.rate_rps > 0.0 && self.rate_rps <= HIGHEST_RATE_RPS) {
            return refuse(
                "rate",
                self.rate_rps,
                "more than 0, at most 1000000 requests per second",
                "50 is a request each 20 ms",
            );
        }
        validate_times(self.warm_up, self.hold)
    }
}

/// Checks how long a level warms up and is measured.
///
/// # Errors
/// Names the one that cannot be, its value, and what was expected.
pub fn validate_times(warm_up: Duration, hold: Duration) -> Result<(), LevelPlanError> {
    if warm_up > LONGEST {
        return refuse("warm-up", humantime::format_duration(warm_up), "0s to 24h", "a few seconds will do");
    }
    if hold.is_zero() || hold > LONGEST {
        return refuse(
            "hold",
            humantime::format_duration(hold),
            "more than 0s, at most 24h",
            "10s at 50 requests per second are 500 measured requests",
        );
    }
    Ok(())
}

fn refuse(
    setting: &'static str,
    value: impl std::fmt::Display,
    expected: &'static str,
    hint: &'static str,
) -> Result<(), LevelPlanError> {
    Err(LevelPlanError { setting, value: value.to_string(), expected, hint })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: LevelPlan = LevelPlan {
        rate_rps: 50.0,
        warm_up: Duration::ZERO,
        hold: Duration::from_secs(1),
        arrivals: Arrivals::Poisson,
        seed: 1,
    };

    #[test]
    fn a_plan_that_can_be_is_taken() {
        assert_eq!(PLAN.validate(), Ok(()));
    }

    #[test]
    fn a_rate_that_cannot_be_is_named_with_what_would_do() {
        for rate_rps in [0.0, -1.0, f64::NAN, f64::INFINITY, 1_000_001.0] {
            let error = LevelPlan { rate_rps, ..PLAN }.validate().unwrap_err().to_string();
            assert!(error.starts_with(&format!("rate is {rate_rps}, expected more than 0")), "{error}");
            assert!(error.contains("hint: "), "{error}");
        }
    }

    #[test]
    fn times_that_cannot_be_are_named() {
        let named = |plan: LevelPlan| plan.validate().unwrap_err().to_string();
        assert!(named(LevelPlan { hold: Duration::ZERO, ..PLAN }).starts_with("hold is 0s, "));
        assert!(named(LevelPlan { hold: Duration::MAX, ..PLAN }).starts_with("hold is "));
        assert!(named(LevelPlan { warm_up: Duration::MAX, ..PLAN }).starts_with("warm-up is "));
    }
}
