//! What a service promises its users, in one place for whoever draws, judges or decides by it.

use serde::Serialize;

/// A service level objective.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Slo {
    /// The 95th percentile of the response time is at most this; seconds, a bound of its histogram's buckets.
    pub p95_seconds: f64,
    /// At least this share of the requests ends without a 5xx, refusals included; 0 to 1.
    pub success_ratio: f64,
}

impl Slo {
    /// p95 at most 250 ms, 99.9 % without a 5xx.
    pub const DEFAULT: Self = Self { p95_seconds: 0.25, success_ratio: 0.999 };
}

impl Default for Slo {
    fn default() -> Self {
        Self::DEFAULT
    }
}
