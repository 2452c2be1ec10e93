//! Counters and gauges of one replica at one moment.

use alloc::vec::Vec;
use core::time::Duration;

/// What one replica showed at one moment, summed over its labels. Counters count since the start of its process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplicaFigures {
    /// Response times of completed jobs, summed; seconds.
    pub duration_sum: f64,
    /// Completed jobs.
    pub duration_count: f64,
    /// Upper bounds of the response-time buckets in seconds, rising, infinity last.
    pub bounds: Vec<f64>,
    /// Completed jobs up to each bound, cumulative.
    pub buckets: Vec<f64>,
    /// Jobs that arrived, completed or not; 0 if the replica does not say.
    pub arrived: f64,
    /// Jobs refused because the queue was full.
    pub refused: f64,
    /// Jobs that failed.
    pub errors: f64,
    /// Jobs waiting at this moment.
    pub queue_depth: f64,
    /// Workers.
    pub workers: f64,
    /// Workers busy at this moment.
    pub workers_busy: f64,
    /// Time that workers were busy, summed over them; seconds.
    pub busy_seconds: f64,
    /// Waits for the dependency, summed; seconds.
    pub dependency_wait_sum: f64,
    /// Waits for the dependency.
    pub dependency_wait_count: f64,
    /// CPU time of the process; seconds.
    pub cpu_seconds: f64,
    /// Resident memory at this moment; bytes.
    pub memory_bytes: f64,
    /// Start of the process by the replica's own clock (time since the Unix epoch); none if it does not say.
    pub started_at: Option<Duration>,
}

impl ReplicaFigures {
    /// Jobs waiting or being worked on.
    pub fn jobs(&self) -> f64 {
        self.queue_depth + self.workers_busy
    }

    /// Whether `self` cannot be a later moment of the process that showed `old`: something that only grows has fallen.
    pub fn fell_below(&self, old: &Self) -> bool {
        let totals = |of: &Self| {
            [
                of.duration_count,
                of.duration_sum,
                of.arrived,
                of.refused,
                of.errors,
                of.busy_seconds,
                of.dependency_wait_count,
                of.dependency_wait_sum,
                of.cpu_seconds,
            ]
        };
        let have_fallen = totals(self).iter().zip(totals(old)).any(|(new, old)| *new < old);
        let are_alike = self.bounds == old.bounds;
        have_fallen || are_alike && self.buckets.iter().zip(&old.buckets).any(|(new, old)| new < old)
    }
}
