//! Simulated time: nanoseconds since the run began, as integers, so that events have one order.

use std::time::Duration;

/// Nanoseconds since the run began.
pub(crate) type Nanoseconds = u64;

/// Nanoseconds in a second.
pub(crate) const SECOND: Nanoseconds = 1_000_000_000;

/// The longest run, some 31 years: sums of two times fit with room to spare.
pub(crate) const LONGEST: Duration = Duration::from_secs(1_000_000_000);

/// When runs begin in run time, which counts from the Unix epoch: Monday, 5 January 2026, 00:00 UTC.
pub(crate) const BEGINS_AT: Duration = Duration::from_secs(1_767_571_200);

/// The whole nanoseconds of a span; the longest run where it is longer.
pub(crate) fn nanoseconds_of(span: Duration) -> Nanoseconds {
    u64::try_from(span.min(LONGEST).as_nanos()).unwrap_or(u64::MAX)
}

/// The whole nanoseconds of a time in seconds; 0 for what is negative or not a number.
#[inline]
pub(crate) fn nanoseconds_of_seconds(seconds: f64) -> Nanoseconds {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates at both ends"
    )]
    let nanoseconds = (seconds * 1e9) as u64;
    nanoseconds
}

/// A time in seconds.
#[inline]
pub(crate) fn seconds_of(nanoseconds: Nanoseconds) -> f64 {
    nanoseconds as f64 * 1e-9
}

/// The run time of a simulated time, as the policy engine counts it.
pub(crate) fn run_time(nanoseconds: Nanoseconds) -> Duration {
    BEGINS_AT + Duration::from_nanos(nanoseconds)
}
