//! Holds what a replica's, or several replicas', totals grew by in a window: all that signals are computed from.

use std::time::Duration;

/// Totals of one replica at one moment, or what they grew by.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Totals {
    /// When they were scraped (run time).
    pub(super) at: Duration,
    /// Response times of completed jobs, summed; seconds.
    pub(super) duration_sum: f64,
    /// Completed jobs.
    pub(super) duration_count: f64,
    /// Completed jobs up to each bound, cumulative, `+Inf` last.
    pub(super) buckets: Vec<f64>,
    /// Jobs that arrived, whatever came of them; 0 where that is not told.
    pub(super) arrived: f64,
    /// Jobs refused.
    pub(super) refused: f64,
    /// Jobs failed.
    pub(super) errors: f64,
    /// Waits for the dependency, summed; seconds.
    pub(super) dependency_wait_sum: f64,
    /// Waits for the dependency.
    pub(super) dependency_wait_count: f64,
    /// Time that workers were busy, summed over them; seconds.
    pub(super) busy_seconds: f64,
    /// Workers × time; seconds.
    pub(super) worker_seconds: f64,
    /// CPU time; seconds.
    pub(super) cpu_seconds: f64,
    /// Time covered; seconds.
    pub(super) seconds: f64,
    /// Queue depth × time.
    pub(super) queue_depth_seconds: f64,
    /// Resident memory × time.
    pub(super) memory_byte_seconds: f64,
}

/// What totals grew by, of one replica or of several together.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Growth {
    pub(super) from: Duration,
    pub(super) to: Duration,
    pub(super) by: Totals,
    /// Bounds of the buckets; none if replicas with different bounds came together.
    pub(super) bounds: Option<Vec<f64>>,
}

impl Growth {
    /// The span that rates are taken over; seconds.
    pub(super) fn seconds(&self) -> f64 {
        self.to.saturating_sub(self.from).as_secs_f64()
    }

    /// Mean response time of the completed jobs; 0 without any.
    pub(super) fn mean_seconds(&self) -> f64 {
        if self.by.duration_count > 0.0 { self.by.duration_sum / self.by.duration_count } else { 0.0 }
    }

    /// Jobs refused, per second.
    pub(super) fn refused_per_second(&self) -> f64 {
        let seconds = self.seconds();
        if seconds > 0.0 { self.by.refused / seconds } else { 0.0 }
    }

    /// The growth of all of them together; none of none.
    pub(super) fn joined<'a>(growths: impl Iterator<Item = &'a Self>) -> Option<Self> {
        growths.cloned().reduce(|mut sum, growth| {
            sum.join(&growth);
            sum
        })
    }

    /// The growth of both together.
    pub(super) fn join(&mut self, other: &Self) {
        self.from = self.from.min(other.from);
        self.to = self.to.max(other.to);
        let (sum, by) = (&mut self.by, &other.by);
        sum.duration_sum += by.duration_sum;
        sum.duration_count += by.duration_count;
        sum.arrived += by.arrived;
        sum.refused += by.refused;
        sum.errors += by.errors;
        sum.dependency_wait_sum += by.dependency_wait_sum;
        sum.dependency_wait_count += by.dependency_wait_count;
        sum.busy_seconds += by.busy_seconds;
        sum.worker_seconds += by.worker_seconds;
        sum.cpu_seconds += by.cpu_seconds;
        sum.seconds += by.seconds;
        sum.queue_depth_seconds += by.queue_depth_seconds;
        sum.memory_byte_seconds += by.memory_byte_seconds;
        if self.bounds == other.bounds {
            for (total, more) in sum.buckets.iter_mut().zip(&by.buckets) {
                *total += more;
            }
        } else {
            self.bounds = None;
        }
    }
}
