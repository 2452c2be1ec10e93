//! Ages of observations: how long before an evaluation something happened.

use core::time::Duration;

const NANOS_PER_SECOND: f64 = 1e9;

/// How long before the evaluation something happened, in nanoseconds.
///
/// Negative where clocks disagree and an observation lies in the future. Every comparison is exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Age {
    nanos: i128,
}

impl Age {
    /// The instant of the evaluation itself.
    pub const ZERO: Self = Self { nanos: 0 };

    /// The age of something that happened `span` before the evaluation.
    pub const fn of(span: Duration) -> Self {
        Self { nanos: nanos_of(span) }
    }

    /// An age in seconds, rounded to whole nanoseconds.
    ///
    /// Values beyond the range saturate, and NaN counts as 0.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast from float to integer saturates, as documented"
    )]
    pub fn from_seconds(seconds: f64) -> Self {
        Self { nanos: libm::round(seconds * NANOS_PER_SECOND) as i128 }
    }

    /// The age at `now` of something that happened at `then`, both counted from one origin.
    pub const fn between(now: Duration, then: Duration) -> Self {
        Self { nanos: nanos_of(now) - nanos_of(then) }
    }

    /// Whether this is strictly older than `span`.
    pub const fn is_above(self, span: Duration) -> bool {
        self.nanos > nanos_of(span)
    }

    /// Whether this is strictly younger than `span`.
    pub const fn is_below(self, span: Duration) -> bool {
        self.nanos < nanos_of(span)
    }

    /// This age as if it had happened `span` earlier.
    #[must_use]
    pub const fn plus(self, span: Duration) -> Self {
        Self { nanos: self.nanos.saturating_add(nanos_of(span)) }
    }
}

/// The nanoseconds of a span; the longest `Duration` has some 2^94 of them.
const fn nanos_of(span: Duration) -> i128 {
    span.as_nanos().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_equal_to_the_span_is_neither_above_nor_below_it() {
        let minute = Duration::from_secs(60);
        let age = Age::between(Duration::from_secs(100), Duration::from_secs(40));
        assert_eq!(age, Age::of(minute));
        assert!(!age.is_above(minute) && !age.is_below(minute));
        assert!(age.plus(Duration::from_nanos(1)).is_above(minute));
    }

    #[test]
    fn fractions_of_seconds_are_exact_to_the_nanosecond() {
        assert_eq!(Age::from_seconds(0.1), Age::of(Duration::from_millis(100)));
        assert_eq!(Age::from_seconds(1e9), Age::of(Duration::from_secs(1_000_000_000)));
    }

    #[test]
    fn hostile_numbers_saturate() {
        assert_eq!(Age::from_seconds(f64::NAN), Age::ZERO);
        assert!(Age::from_seconds(f64::INFINITY).is_above(Duration::MAX));
        assert!(Age::from_seconds(f64::NEG_INFINITY).is_below(Duration::ZERO));
        assert!(Age::from_seconds(f64::INFINITY).plus(Duration::MAX).is_above(Duration::MAX));
    }

    #[test]
    fn what_lies_in_the_future_has_a_negative_age() {
        let age = Age::between(Duration::ZERO, Duration::MAX);
        assert!(age < Age::ZERO && age.is_below(Duration::ZERO));
    }
}
