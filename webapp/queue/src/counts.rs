//! What a station and a pool count since they began.

use core::time::Duration;

/// How many jobs a station has seen since it began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that arrived, the refused ones included.
    pub arrived: u64,
    /// Jobs that a worker began with.
    pub started: u64,
    /// Jobs that completed.
    pub completed: u64,
    /// Jobs that were refused.
    pub refused: u64,
}

/// Connections lent and waited for since the pool began.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolCounts {
    /// Callers that asked.
    pub asked: u64,
    /// Callers that got a connection, at once or after a wait.
    pub granted: u64,
    /// Of the granted, those that found no free connection and had to wait.
    pub granted_after_wait: u64,
    /// Connections given back.
    pub given_back: u64,
    /// Callers that stopped waiting.
    pub left: u64,
    /// Sum of the waits of the granted.
    pub waited: Duration,
    /// Longest wait of the granted.
    pub longest_wait: Duration,
}

impl PoolCounts {
    /// Mean wait of the granted, those that found a free connection included, in seconds; 0 before the first grant.
    pub fn mean_wait_seconds(&self) -> f64 {
        if self.granted == 0 { 0.0 } else { self.waited.as_secs_f64() / self.granted as f64 }
    }
}
