//! How many a second.

use std::time::Duration;

/// A count over a time, per second; 0 if no time has passed.
pub fn per_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { count as f64 / time.as_secs_f64() }
}
