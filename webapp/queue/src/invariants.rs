//! What always holds of a station and of a pool, as predicates that their own assertions state.

use crate::counts::{Counts, PoolCounts};

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

/// No caller waits while a connection is free, and no more are lent than there are.
pub(crate) const fn no_caller_waits_for_a_free_connection(waiting: usize, in_use: u32, size: u32) -> bool {
    in_use <= size && (waiting == 0 || in_use == size)
}

/// Each caller that asked has got a connection, waits, or has left; each connection that was lent is in use or was
/// given back.
pub(crate) const fn borrowings_are_conserved(counts: PoolCounts, waiting: usize, in_use: u32) -> bool {
    counts.asked == counts.granted + counts.left + waiting as u64
        && counts.granted == counts.given_back + in_use as u64
}
