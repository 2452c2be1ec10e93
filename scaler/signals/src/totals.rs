//! Adds one replica's figures up to totals that never fall, whatever its process does.
//!
//! Counters are summed by their growth; those of a process that restarted have grown from zero. Gauges become
//! integrals over time, so that their mean over any window is a difference too. With everything a growing total, a
//! window is the newest minus the oldest entry, for rates, means, shares and quantiles alike.

use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::figures::ReplicaFigures;

/// Totals of one replica at one moment, or what they grew by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totals {
    /// When they were seen (run time).
    pub at: Duration,
    /// Response times of completed jobs, summed; seconds.
    pub duration_sum: f64,
    /// Completed jobs.
    pub duration_count: f64,
    /// Completed jobs up to each bound, cumulative, `+Inf` last.
    pub buckets: Vec<f64>,
    /// Jobs that arrived, whatever came of them; 0 where that is not told.
    pub arrived: f64,
    /// Jobs refused.
    pub refused: f64,
    /// Jobs failed.
    pub errors: f64,
    /// Waits for the dependency, summed; seconds.
    pub dependency_wait_sum: f64,
    /// Waits for the dependency.
    pub dependency_wait_count: f64,
    /// Time that workers were busy, summed over them; seconds.
    pub busy_seconds: f64,
    /// Workers × time; seconds.
    pub worker_seconds: f64,
    /// CPU time; seconds.
    pub cpu_seconds: f64,
    /// Time covered; seconds.
    pub seconds: f64,
    /// Jobs waiting at that moment; in what totals grew by, how many more than before.
    pub queue_depth: f64,
    /// Queue depth × time.
    pub queue_depth_seconds: f64,
    /// Resident memory × time.
    pub memory_byte_seconds: f64,
}

impl Totals {
    /// The totals at `first`, seen at `at`, before anything was counted.
    pub fn begin(at: Duration, first: &ReplicaFigures) -> Self {
        let buckets = vec![0.0; first.buckets.len()];
        Self { at, buckets, queue_depth: first.queue_depth, ..Self::default() }
    }

    /// The totals after `new`, seen at `at`; `old` is what the same process showed before, none if it restarted
    /// since then and is to be counted from zero.
    pub fn advance(&mut self, at: Duration, old: Option<&ReplicaFigures>, new: &ReplicaFigures) {
        let seconds = at.saturating_sub(self.at).as_secs_f64();
        self.at = at;
        let before = |value: fn(&ReplicaFigures) -> f64| old.map_or(0.0, value);
        self.duration_sum += growth(before(|old| old.duration_sum), new.duration_sum);
        self.duration_count += growth(before(|old| old.duration_count), new.duration_count);
        self.arrived += growth(before(|old| old.arrived), new.arrived);
        self.refused += growth(before(|old| old.refused), new.refused);
        self.errors += growth(before(|old| old.errors), new.errors);
        self.dependency_wait_sum += growth(before(|old| old.dependency_wait_sum), new.dependency_wait_sum);
        self.dependency_wait_count +=
            growth(before(|old| old.dependency_wait_count), new.dependency_wait_count);
        self.busy_seconds += growth(before(|old| old.busy_seconds), new.busy_seconds);
        self.cpu_seconds += growth(before(|old| old.cpu_seconds), new.cpu_seconds);
        self.add_buckets(old, new);
        self.worker_seconds += new.workers * seconds;
        self.seconds += seconds;
        self.queue_depth = new.queue_depth;
        // Of a young life nothing else is known than what it shows now.
        let old = old.unwrap_or(new);
        self.queue_depth_seconds += f64::midpoint(old.queue_depth, new.queue_depth) * seconds;
        self.memory_byte_seconds += f64::midpoint(old.memory_bytes, new.memory_bytes) * seconds;
    }

    fn add_buckets(&mut self, old: Option<&ReplicaFigures>, new: &ReplicaFigures) {
        self.buckets.resize(new.buckets.len(), 0.0);
        // Cumulative buckets fall together: after a reset all of them have grown from zero, even those that have
        // already overtaken their old count.
        let old = old.filter(|old| {
            old.buckets.len() == new.buckets.len()
                && old.buckets.iter().zip(&new.buckets).all(|(old, new)| old <= new)
        });
        for (index, total) in self.buckets.iter_mut().enumerate() {
            *total += new.buckets[index] - old.map_or(0.0, |old| old.buckets[index]);
        }
    }
}

/// How much a counter has grown; one that fell was reset to zero in between.
pub(crate) fn growth(old: f64, new: f64) -> f64 {
    if new >= old { new - old } else { new }
}
