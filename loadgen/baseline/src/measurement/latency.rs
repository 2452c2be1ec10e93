//! How long answers took, summed up.

use serde::{Deserialize, Serialize};

/// How long answers took, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// The mean.
    pub mean_ms: f64,
    /// Half of the answers took at most this long.
    pub p50_ms: f64,
    /// 95 % of the answers took at most this long.
    pub p95_ms: f64,
    /// 99 % of the answers took at most this long.
    pub p99_ms: f64,
    /// The longest.
    pub max_ms: f64,
}

/// A point of a distribution: this share of the answers took at most so long.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Quantile {
    /// From 0 to 1.
    pub share: f64,
    /// Milliseconds.
    pub at_most_ms: f64,
}
