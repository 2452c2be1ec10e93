//! What always holds of a station, as predicates that its own assertions and its property tests share.

use crate::station::Counts;

/// No job waits while a worker is free.
pub(crate) const fn no_job_waits_for_a_free_worker(
    queue_depth: usize,
    busy_workers: u32,
    workers: u32,
) -> bool {
    queue_depth == 0 || busy_workers == workers
}

/// The queue holds no more than it may.
pub(crate) const fn queue_is_within_capacity(queue_depth: usize, queue_capacity: usize) -> bool {
    queue_depth <= queue_capacity
}

/// Each job that arrived was started, waits, or was refused; each that started has completed or is being
/// worked on.
pub(crate) const fn jobs_are_conserved(counts: Counts, queue_depth: usize, busy_workers: u32) -> bool {
    counts.arrived == counts.started + counts.refused + queue_depth as u64
        && counts.started == counts.completed + busy_workers as u64
}
