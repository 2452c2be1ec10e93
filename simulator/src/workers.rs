//! A replica's workers and its bounded queue, by the times at which workers become free.
//!
//! First come first served makes the future of an admitted request known at once: the worker that is free first takes it,
//! at that time or at its arrival, whichever is later. So nothing has to happen when a request starts or ends, and the
//! result is that of the live replica's `webapp_queue::Station` fed with one event at a time. Source: A. Ebert, P. Wu,
//! K. Mengersen and F. Ruggeri, "Computationally Efficient Simulation of Queues: The R Package queuecomputer", Journal of
//! Statistical Software 95(5), 2020.

use std::collections::VecDeque;
use std::num::NonZero;

use crate::time::Nanoseconds;

/// Workers behind a bounded queue.
#[derive(Clone, Debug)]
pub(crate) struct Workers {
    /// When each becomes free.
    free_at: Vec<Nanoseconds>,
    /// When the requests that had to wait start, rising; those that have started are dropped when it is next looked at.
    starts: VecDeque<Nanoseconds>,
    queue_capacity: usize,
    /// Service time of all admitted requests.
    assigned: Nanoseconds,
}

impl Workers {
    pub(crate) fn new(workers: NonZero<u32>, queue_capacity: usize) -> Self {
        Self {
            free_at: vec![0; workers.get() as usize],
            starts: VecDeque::new(),
            queue_capacity,
            assigned: 0,
        }
    }

    /// Admits a request that arrives `now` and says when it ends; none where all workers are busy and the queue is full.
    /// Times of arrival must not fall.
    #[inline]
    pub(crate) fn admit(&mut self, now: Nanoseconds, service: Nanoseconds) -> Option<Nanoseconds> {
        let (mut first, mut free_at) = (0, Nanoseconds::MAX);
        for (worker, at) in self.free_at.iter().enumerate() {
            if *at < free_at {
                (first, free_at) = (worker, *at);
            }
        }
        let mut start = now;
        if free_at > now {
            if self.waiting(now) >= self.queue_capacity {
                return None;
            }
            start = free_at;
            self.starts.push_back(start);
        }
        let end = start + service;
        self.free_at[first] = end;
        self.assigned += service;
        Some(end)
    }

    /// Requests that wait at `now`.
    #[inline]
    pub(crate) fn waiting(&mut self, now: Nanoseconds) -> usize {
        while self.starts.front().is_some_and(|start| *start <= now) {
            self.starts.pop_front();
        }
        self.starts.len()
    }

    /// Workers that are busy at `now`.
    pub(crate) fn busy(&self, now: Nanoseconds) -> usize {
        self.free_at.iter().filter(|at| **at > now).count()
    }

    /// Time that workers were busy up to `now`, summed over them.
    ///
    /// A worker that is busy stays so until it is free, because what was assigned to it follows without a gap.
    pub(crate) fn busy_time(&self, now: Nanoseconds) -> Nanoseconds {
        let ahead: Nanoseconds = self.free_at.iter().map(|at| at.saturating_sub(now)).sum();
        self.assigned.saturating_sub(ahead)
    }

    pub(crate) fn count(&self) -> usize {
        self.free_at.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_start_wait_and_are_refused() {
        let mut workers = Workers::new(NonZero::new(2).unwrap(), 1);
        assert_eq!(workers.admit(0, 50), Some(50));
        assert_eq!(workers.admit(10, 20), Some(30));
        assert_eq!(workers.admit(12, 40), Some(70), "it starts at 30");
        assert_eq!((workers.waiting(12), workers.busy(12)), (1, 2));
        assert_eq!(workers.admit(29, 5), None, "one waits already");
        assert_eq!(workers.admit(30, 5), Some(55), "the one that waited starts at this moment");
        assert_eq!(workers.busy_time(30), 50);
        assert_eq!(workers.busy_time(60), 50 + 20 + 30 + 5);
        assert_eq!(workers.busy_time(100), 115);
    }
}
