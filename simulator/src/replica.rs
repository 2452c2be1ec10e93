//! One replica: its life, what it works on, and what it shows to a scrape.

use std::collections::VecDeque;
use std::time::Duration;

use gateway_balancer::EndpointId;
use scaler_signals::ReplicaFigures;

use crate::buckets::{BOUNDS_SECONDS, BucketTable};
use crate::histogram::bucket_of;
use crate::model::Service;
use crate::time::{Nanoseconds, SECOND, nanoseconds_of, run_time, seconds_of};
use crate::workers::Workers;

/// Where a replica is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It starts, and is not in rotation yet.
    Starting,
    /// It gets requests.
    Ready,
    /// It gets no more requests and finishes those it has.
    Draining,
    /// It is not there any more.
    Gone,
}

/// An attempt at a request that a replica works on, or will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// When it ends.
    pub(crate) ends_at: Nanoseconds,
    /// When it was sent to the replica.
    pub(crate) sent_at: Nanoseconds,
    /// When the request arrived at the gateway.
    pub(crate) arrived_at: Nanoseconds,
    /// The request's number, in the order of arrivals.
    pub(crate) number: u64,
    /// Attempts that may follow.
    pub(crate) retries_left: u32,
    /// Whether the gateway has stopped waiting for it; the replica works on it all the same.
    pub(crate) is_abandoned: bool,
}

/// A replica.
#[derive(Clone, Debug)]
pub(crate) struct Replica {
    /// Its number, from 1: the name by which signals and decisions know it.
    pub(crate) number: u32,
    pub(crate) life: Life,
    /// Its endpoint where there is a balancer.
    pub(crate) endpoint: Option<EndpointId>,
    pub(crate) started_at: Nanoseconds,
    pub(crate) readiness_changed_at: Option<Nanoseconds>,
    pub(crate) workers: Workers,
    /// What it works on, in the order in which it ends.
    pub(crate) attempts: VecDeque<Attempt>,
    pub(crate) counters: Counters,
}

/// What a replica counts since the start of its process.
#[derive(Clone, Debug, Default)]
pub(crate) struct Counters {
    pub(crate) arrived: u64,
    pub(crate) refused: u64,
    completed: u64,
    response_time: Nanoseconds,
    /// Completed requests of each bucket, not cumulative.
    buckets: [u64; BOUNDS_SECONDS.len()],
}

impl Counters {
    /// Counts a completed request; returns the fine bucket of its response time.
    #[inline]
    pub(crate) fn complete(&mut self, response_time: Nanoseconds, table: &BucketTable) -> usize {
        let bucket = bucket_of(response_time);
        self.completed += 1;
        self.response_time += response_time;
        self.buckets[table.bound_of(response_time, bucket)] += 1;
        bucket
    }
}

impl Replica {
    pub(crate) fn new(number: u32, service: &Service, now: Nanoseconds) -> Self {
        Self {
            number,
            life: Life::Starting,
            endpoint: None,
            started_at: now,
            readiness_changed_at: None,
            workers: Workers::new(service.workers, service.queue_capacity),
            attempts: VecDeque::new(),
            counters: Counters::default(),
        }
    }

    /// Begins a new process in place of one that died; what the old one worked on is returned.
    pub(crate) fn restart(&mut self, service: &Service, now: Nanoseconds) -> VecDeque<Attempt> {
        let fresh = Self { readiness_changed_at: Some(now), ..Self::new(self.number, service, now) };
        std::mem::replace(self, fresh).attempts
    }

    /// Takes an attempt that it has admitted.
    ///
    /// Attempts end nearly in the order in which they come, so looking for the place from the newest on is quick.
    #[inline]
    pub(crate) fn take(&mut self, attempt: Attempt) {
        let mut place = self.attempts.len();
        while place > 0 && self.attempts[place - 1].ends_at > attempt.ends_at {
            place -= 1;
        }
        if place == self.attempts.len() {
            self.attempts.push_back(attempt);
        } else {
            self.attempts.insert(place, attempt);
        }
    }

    /// The next attempt that has ended by `now`.
    #[inline]
    pub(crate) fn pop_ended(&mut self, now: Nanoseconds) -> Option<Attempt> {
        if self.attempts.front()?.ends_at > now {
            return None;
        }
        self.attempts.pop_front()
    }

    /// Requests that the gateway waits for.
    pub(crate) fn in_flight(&self) -> u32 {
        let waited_for = self.attempts.iter().filter(|attempt| !attempt.is_abandoned).count();
        u32::try_from(waited_for).unwrap_or(u32::MAX)
    }

    /// What a scrape finds `now`; all that ended before must have been taken.
    pub(crate) fn figures(&mut self, now: Nanoseconds, cpu_per_worker: f64) -> ReplicaFigures {
        let busy_seconds = seconds_of(self.workers.busy_time(now));
        let mut below = 0;
        let cumulative = self.counters.buckets.iter().map(|count| {
            below += count;
            below as f64
        });
        ReplicaFigures {
            duration_sum: seconds_of(self.counters.response_time),
            duration_count: self.counters.completed as f64,
            bounds: BOUNDS_SECONDS.to_vec(),
            buckets: cumulative.collect(),
            arrived: self.counters.arrived as f64,
            refused: self.counters.refused as f64,
            queue_depth: self.workers.waiting(now) as f64,
            workers: self.workers.count() as f64,
            workers_busy: self.workers.busy(now) as f64,
            busy_seconds,
            cpu_seconds: busy_seconds * cpu_per_worker,
            started_at: Some(run_time(self.started_at)),
            ..ReplicaFigures::default()
        }
    }
}

/// How often the gateway probes a replica that starts, and for how long; then how often.
const PROBE_EVERY: Nanoseconds = 50_000_000;
const PROBE_PATIENCE: Nanoseconds = 60 * SECOND;
const LATER_PROBE_EVERY: Nanoseconds = 500_000_000;

/// After which time a replica whose start-up takes `start_up` is admitted: at the first probe of the gateway that finds it
/// up. Probes come each 50 ms, after a minute each 500 ms.
pub fn admitted_after(start_up: Duration) -> Duration {
    let start_up = nanoseconds_of(start_up);
    Duration::from_nanos(if start_up <= PROBE_PATIENCE {
        start_up.div_ceil(PROBE_EVERY) * PROBE_EVERY
    } else {
        PROBE_PATIENCE + (start_up - PROBE_PATIENCE).div_ceil(LATER_PROBE_EVERY) * LATER_PROBE_EVERY
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_admitted_by_the_first_probe_that_finds_it_up() {
        for (start_up_ms, expected_ms) in
            [(0, 0), (1, 50), (1000, 1000), (1001, 1050), (60_000, 60_000), (60_001, 60_500)]
        {
            let after = admitted_after(Duration::from_millis(start_up_ms));
            assert_eq!(after.as_millis(), expected_ms, "{start_up_ms} ms");
        }
    }
}
