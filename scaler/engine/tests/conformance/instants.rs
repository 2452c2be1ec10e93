//! Turns the ages and times of vectors into instants and spans.

use std::time::Duration;

/// The instant at which everything with an age is evaluated; far from the origin, so that "very long ago" fits.
pub(crate) const NOW: Duration = Duration::from_secs(4_000_000_000);

/// The origin of everything with a time, a multiple of all lengths of buckets; times may be negative.
pub(crate) const ORIGIN: Duration = Duration::from_secs(25_200_000);

/// The instant that lies so many seconds before [`NOW`].
pub(crate) fn aged(age_seconds: f64) -> Duration {
    shifted(NOW, -age_seconds)
}

/// The instant so many seconds after [`ORIGIN`].
pub(crate) fn at(seconds: f64) -> Duration {
    shifted(ORIGIN, seconds)
}

/// The seconds from [`ORIGIN`] to an instant.
pub(crate) fn seconds_at(instant: Duration) -> f64 {
    instant.as_secs_f64() - ORIGIN.as_secs_f64()
}

/// A span of seconds; an absurd one is the nearest possible.
pub(crate) fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(if seconds > 0.0 { Duration::MAX } else { Duration::ZERO })
}

fn shifted(from: Duration, seconds: f64) -> Duration {
    if seconds < 0.0 { from.saturating_sub(span(-seconds)) } else { from.saturating_add(span(seconds)) }
}
