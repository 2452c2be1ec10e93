//! The state machine: jobs arrive and complete, and the station says which start, wait, or are refused.

use alloc::collections::VecDeque;
use alloc::vec;
use alloc::vec::Vec;
use core::num::NonZero;
use core::time::Duration;

use crate::counts::Counts;
use crate::invariants::{jobs_are_conserved, no_job_waits_for_a_free_worker, queue_is_within_capacity};
use crate::worker::{Worker, WorkerId};

/// A job that a worker begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a started job has to be worked on"]
pub struct Start<J> {
    /// The job.
    pub job: J,
    /// When it arrived.
    pub arrived_at: Duration,
    /// When it starts, not before it arrived: add the service time to know when it is meant to end.
    pub started_at: Duration,
    /// Who works on it: to be handed to [`Station::complete`].
    pub worker: WorkerId,
}

impl<J> Start<J> {
    /// How long the job waited in the queue.
    pub const fn waited(&self) -> Duration {
        self.started_at.saturating_sub(self.arrived_at)
    }
}

/// What became of a job that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a started job has to be worked on, a refused one answered"]
pub enum Arrival<J> {
    /// A worker was free.
    Started(Start<J>),
    /// All workers are busy; a later [`Station::complete`] returns the job.
    Queued,
    /// All workers are busy and the queue is full: the job comes back.
    Refused(J),
}

/// Workers behind a bounded queue, first come first served: the capacity of one replica.
///
/// All times are durations since one origin that the caller chose. The order of calls is the order of events;
/// times need not follow it. In particular, a completion may be reported later than it was meant to happen.
/// Until it is reported its worker counts as busy, so an arrival in between is queued, or refused where the
/// queue is full; where that matters, report the completions that are due before an arrival of the same time.
#[derive(Clone, Debug)]
pub struct Station<J> {
    workers: Vec<Worker>,
    worker_count: u32,
    busy_workers: u32,
    waiting: VecDeque<Waiting<J>>,
    queue_capacity: usize,
    counts: Counts,
    completed_work: Duration,
    last_busy_seconds: f64,
}

#[derive(Clone, Debug)]
struct Waiting<J> {
    job: J,
    arrived_at: Duration,
}

impl<J> Station<J> {
    /// A station with nothing to do: `workers` jobs may be worked on while `queue_capacity` others wait.
    ///
    /// A capacity of 0 refuses whatever finds all workers busy. Memory grows with `workers` at once and with
    /// the queue as it fills; bound both where they come from outside.
    pub fn new(workers: NonZero<u32>, queue_capacity: usize) -> Self {
        let worker_count = workers.get();
        Self {
            workers: vec![Worker::Free { since: Duration::ZERO }; worker_count as usize],
            worker_count,
            busy_workers: 0,
            waiting: VecDeque::new(),
            queue_capacity,
            counts: Counts::default(),
            completed_work: Duration::ZERO,
            last_busy_seconds: 0.0,
        }
    }

    /// A job arrives at `now`.
    ///
    /// If a worker is free, the one free for the longest time takes it, at `now` or when its last job was
    /// meant to end, if that is later. Takes time in proportion to the workers.
    pub fn arrive(&mut self, now: Duration, job: J) -> Arrival<J> {
        self.counts.arrived += 1;
        let arrival = if let Some((worker, free_since)) = self.longest_free_worker() {
            Arrival::Started(self.start(worker, free_since, Waiting { job, arrived_at: now }))
        } else if self.waiting.len() < self.queue_capacity {
            self.waiting.push_back(Waiting { job, arrived_at: now });
            Arrival::Queued
        } else {
            self.counts.refused += 1;
            Arrival::Refused(job)
        };
        self.assert_invariants();
        arrival
    }

    /// The job of `worker` was meant to end at `ended_at`, whenever noticed; returns its next job.
    ///
    /// That is the one that has waited longest, and it starts at `ended_at` or when it arrived, whichever is
    /// later: possibly before the caller's present. `None` where none waits: the worker is free since
    /// `ended_at`. An `ended_at` before the job's own start counts as its start.
    ///
    /// To complete a worker that is not busy is a mistake of the caller: asserted in debug builds, else
    /// without effect.
    #[must_use = "the next job has begun and has to be worked on"]
    pub fn complete(&mut self, worker: WorkerId, ended_at: Duration) -> Option<Start<J>> {
        let slot = self.workers.get_mut(worker.0 as usize);
        let Some((slot, started_at)) = slot.and_then(|slot| match *slot {
            Worker::Busy { since } => Some((slot, since)),
            Worker::Free { .. } => None,
        }) else {
            debug_assert!(false, "worker {worker} completes a job, but has none");
            return None;
        };
        let ended_at = ended_at.max(started_at);
        *slot = Worker::Free { since: ended_at };
        self.busy_workers -= 1;
        self.counts.completed += 1;
        self.completed_work = self.completed_work.saturating_add(ended_at.saturating_sub(started_at));
        let next = self.waiting.pop_front().map(|waiting| self.start(worker, ended_at, waiting));
        self.assert_invariants();
        next
    }

    /// How many workers there are.
    pub const fn workers(&self) -> u32 {
        self.worker_count
    }

    /// How many workers have a job whose completion was not reported yet.
    pub const fn busy_workers(&self) -> u32 {
        self.busy_workers
    }

    /// How many jobs wait.
    pub fn queue_depth(&self) -> usize {
        self.waiting.len()
    }

    /// How many jobs may wait.
    pub const fn queue_capacity(&self) -> usize {
        self.queue_capacity
    }

    /// How many jobs arrived, started, completed and were refused so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// The integral of busy workers over time up to `now`, in worker-seconds; never falls from one reading to
    /// the next.
    ///
    /// The growth between two readings, divided by the time between them and the number of workers, is the
    /// utilisation. A completed job counts from its start to its intended end, a job at work from its start
    /// up to `now`. The end of a job may be reported after a reading that still counted it: readings then
    /// stand still until the integral has caught up, so they run ahead by at most the lateness of the
    /// reports, and that never adds up. This memory of the last reading is why it takes `&mut self`. Takes
    /// time in proportion to the workers.
    pub fn busy_seconds(&mut self, now: Duration) -> f64 {
        let at_work = self.workers.iter().fold(Duration::ZERO, |sum, worker| match worker {
            Worker::Busy { since } => sum.saturating_add(now.saturating_sub(*since)),
            Worker::Free { .. } => sum,
        });
        let busy_seconds = self.completed_work.saturating_add(at_work).as_secs_f64();
        self.last_busy_seconds = self.last_busy_seconds.max(busy_seconds);
        self.last_busy_seconds
    }

    /// The free worker whose last job was meant to end first, and when that was.
    fn longest_free_worker(&self) -> Option<(WorkerId, Duration)> {
        if self.busy_workers == self.worker_count {
            return None;
        }
        let workers = (0..).map(WorkerId).zip(&self.workers);
        let free = workers.filter_map(|(id, worker)| match worker {
            Worker::Free { since } => Some((id, *since)),
            Worker::Busy { .. } => None,
        });
        free.min_by_key(|(_, since)| *since)
    }

    /// Lets a worker that is free since `free_since` begin with a job.
    fn start(&mut self, worker: WorkerId, free_since: Duration, waiting: Waiting<J>) -> Start<J> {
        let Waiting { job, arrived_at } = waiting;
        let started_at = arrived_at.max(free_since);
        if let Some(slot) = self.workers.get_mut(worker.0 as usize) {
            *slot = Worker::Busy { since: started_at };
        }
        self.busy_workers += 1;
        self.counts.started += 1;
        Start { job, arrived_at, started_at, worker }
    }

    fn assert_invariants(&self) {
        let depth = self.waiting.len();
        debug_assert!(no_job_waits_for_a_free_worker(depth, self.busy_workers, self.worker_count));
        debug_assert!(queue_is_within_capacity(depth, self.queue_capacity));
        debug_assert!(jobs_are_conserved(self.counts, depth, self.busy_workers));
    }
}

#[cfg(test)]
mod tests;
