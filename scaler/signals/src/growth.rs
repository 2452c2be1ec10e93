//! Holds what a replica's, or several replicas', totals grew by in a window: all that signals are computed from.

use alloc::vec::Vec;
use core::time::Duration;

use crate::totals::Totals;

/// What totals grew by, of one replica or of several together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Growth {
    /// When the span begins.
    pub from: Duration,
    /// When it ends: the newest moment that was seen.
    pub to: Duration,
    /// The growth.
    pub by: Totals,
    /// Bounds of the buckets; none if replicas with different bounds came together.
    pub bounds: Option<Vec<f64>>,
}

impl Growth {
    /// The span that rates are taken over; seconds.
    pub fn seconds(&self) -> f64 {
        self.to.saturating_sub(self.from).as_secs_f64()
    }

    /// Mean response time of the completed jobs; 0 without any.
    pub fn mean_seconds(&self) -> f64 {
        if self.by.duration_count > 0.0 { self.by.duration_sum / self.by.duration_count } else { 0.0 }
    }

    /// Jobs refused, per second.
    pub fn refused_per_second(&self) -> f64 {
        let seconds = self.seconds();
        if seconds > 0.0 { self.by.refused / seconds } else { 0.0 }
    }

    /// The same with CPU time as if each busy worker used so many cores; as it is where that is 0, or no workers are told.
    #[must_use]
    pub fn with_modelled_cpu(mut self, cores_per_worker: f64) -> Self {
        if cores_per_worker > 0.0 && self.by.worker_seconds > 0.0 {
            self.by.cpu_seconds = self.by.busy_seconds * cores_per_worker;
        }
        self
    }

    /// The growth of all of them together; none of none.
    pub fn joined<'a>(growths: impl Iterator<Item = &'a Self>) -> Option<Self> {
        growths.cloned().reduce(|mut sum, growth| {
            sum.join(&growth);
            sum
        })
    }

    /// The growth of both together.
    pub fn join(&mut self, other: &Self) {
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
        sum.queue_depth += by.queue_depth;
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

    /// What the totals of one replica grew by from one moment to a later one.
    pub fn between(from: &Totals, to: &Totals, bounds: &[f64]) -> Self {
        let mut by = to.clone();
        by.duration_sum -= from.duration_sum;
        by.duration_count -= from.duration_count;
        by.arrived -= from.arrived;
        by.refused -= from.refused;
        by.errors -= from.errors;
        by.dependency_wait_sum -= from.dependency_wait_sum;
        by.dependency_wait_count -= from.dependency_wait_count;
        by.busy_seconds -= from.busy_seconds;
        by.worker_seconds -= from.worker_seconds;
        by.cpu_seconds -= from.cpu_seconds;
        by.seconds -= from.seconds;
        by.queue_depth -= from.queue_depth;
        by.queue_depth_seconds -= from.queue_depth_seconds;
        by.memory_byte_seconds -= from.memory_byte_seconds;
        for (total, earlier) in by.buckets.iter_mut().zip(&from.buckets) {
            *total -= earlier;
        }
        Self { from: from.at, to: to.at, by, bounds: Some(bounds.to_vec()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modelled_cpu_counts_busy_workers_where_there_are_any() {
        let by = Totals { busy_seconds: 40.0, worker_seconds: 60.0, cpu_seconds: 0.2, ..Totals::default() };
        let growth = Growth { by, ..Growth::default() };
        let cpu_seconds =
            |growth: &Growth, cores| Some(growth.clone().with_modelled_cpu(cores).by.cpu_seconds);
        assert_eq!(cpu_seconds(&growth, 0.25), Some(10.0));
        assert_eq!(cpu_seconds(&growth, 0.0), Some(0.2), "the process's own");
        let of_another_kind = Growth { by: Totals { worker_seconds: 0.0, ..growth.by }, ..Growth::default() };
        assert_eq!(cpu_seconds(&of_another_kind, 0.25), Some(0.2), "it tells of no workers");
    }
}
