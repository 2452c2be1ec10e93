//! Runs the queue of [`webapp_queue`] in real time: admits jobs, lets workers serve them, measures them.
//!
//! A worker's next job begins at the intended end of its last one, not when the timer was seen to fire, so
//! timer lateness delays single answers by about a millisecond and never lowers the capacity.

mod cpu;
mod job_error;
mod job_trace;

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use observability::traces::Span;
use parking_lot::Mutex;
use rand::RngExt;
use tokio::sync::oneshot;
use webapp_queue::{Arrival, Start, Station};
use workload::{ServiceTime, Stream};

use crate::clock::RunClock;
use crate::dependency::Dependency;
use crate::faults::Faults;
use crate::metrics::JobMetrics;
use crate::origin::Origin;
pub(crate) use job_error::JobError;
use job_trace::JobTrace;

/// How a served job went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Served {
    /// Time in the queue.
    pub(crate) waited: Duration,
    /// Time from arrival to end.
    pub(crate) response_time: Duration,
}

type Finished = oneshot::Sender<Result<Served, JobError>>;

/// What waits in the queue.
#[derive(Debug)]
pub(crate) struct Job {
    origin: Origin,
    service_time: Duration,
    /// Tells the request's handler; synthetic jobs have nobody to tell.
    finished: Option<Finished>,
    /// There where the job is sampled.
    trace: Option<Box<JobTrace>>,
}

/// The numbers of the queue at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occupancy {
    pub(crate) queue_depth: usize,
    pub(crate) queue_capacity: usize,
    pub(crate) workers_busy: u32,
    pub(crate) workers: u32,
    pub(crate) busy_seconds: f64,
}

/// The finite capacity of this process.
#[derive(Debug)]
pub(crate) struct Replica {
    clock: RunClock,
    station: Mutex<Station<Job>>,
    service_time: ServiceTime,
    draws: Mutex<Draws>,
    cpu_share: f64,
    dependency: Option<Dependency>,
    faults: Arc<Faults>,
    metrics: JobMetrics,
}

#[derive(Debug)]
pub(crate) struct Draws {
    pub(crate) service_times: Stream,
    pub(crate) failures: Stream,
}

impl Replica {
    #[expect(clippy::too_many_arguments, reason = "called once, with everything a replica is made of")]
    pub(crate) fn new(
        clock: RunClock,
        station: Station<Job>,
        service_time: ServiceTime,
        draws: Draws,
        cpu_share: f64,
        dependency: Option<Dependency>,
        faults: Arc<Faults>,
        metrics: JobMetrics,
    ) -> Self {
        Self {
            clock,
            station: Mutex::new(station),
            service_time,
            draws: Mutex::new(draws),
            cpu_share,
            dependency,
            faults,
            metrics,
        }
    }

    /// Serves one request from outside, waiting for a worker like everybody else.
    ///
    /// A client that goes away does not take its job back: a worker that has begun, or will begin, does not know.
    pub(crate) async fn serve(self: &Arc<Self>) -> Result<Served, JobError> {
        let (finished, result) = oneshot::channel();
        self.submit(Origin::User, Some(finished))?;
        result.await.expect("a worker tells the result of every admitted job")
    }

    /// Hands a job to a worker or to the queue.
    pub(crate) fn submit(
        self: &Arc<Self>,
        origin: Origin,
        finished: Option<Finished>,
    ) -> Result<(), JobError> {
        let now = self.clock.now();
        let service_time = self.draw_service_time() + self.faults.added_latency(now);
        self.metrics.arrived(origin);
        let job = Job { origin, service_time, finished, trace: JobTrace::begin(origin) };
        // The guard must be gone before a job that takes no time is finished below.
        let arrival = self.station.lock().arrive(now, job);
        match arrival {
            Arrival::Started(start) => self.start(start),
            Arrival::Queued => {}
            Arrival::Refused(job) => {
                let error = JobError::Refused { queue_capacity: self.station.lock().queue_capacity() };
                self.metrics.refused(origin, error.status());
                if let Some(trace) = job.trace {
                    trace.refuse(&error);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    pub(crate) fn occupancy(&self) -> Occupancy {
        let mut station = self.station.lock();
        Occupancy {
            queue_depth: station.queue_depth(),
            queue_capacity: station.queue_capacity(),
            workers_busy: station.busy_workers(),
            workers: station.workers(),
            busy_seconds: station.busy_seconds(self.clock.now()),
        }
    }

    pub(crate) fn dependency(&self) -> Option<&Dependency> {
        self.dependency.as_ref()
    }

    fn draw_service_time(&self) -> Duration {
        // Whatever is drawn around a mean of zero is zero.
        if self.service_time.mean().is_zero() {
            return Duration::ZERO;
        }
        self.service_time.draw(&mut self.draws.lock().service_times)
    }

    fn start(self: &Arc<Self>, mut start: Start<Job>) {
        if self.dependency.is_none() && start.job.service_time.is_zero() {
            // Work without any duration needs no task of its own.
            let (waited, ended_at) = (start.waited(), start.started_at);
            if let Some(trace) = &mut start.job.trace {
                trace.start(waited);
            }
            if let Some(next) = self.finish(start, ended_at, Ok(())) {
                tokio::spawn(Arc::clone(self).work(next));
            }
        } else {
            tokio::spawn(Arc::clone(self).work(start));
        }
    }

    /// One worker, from its first job until it finds the queue empty.
    async fn work(self: Arc<Self>, first: Start<Job>) {
        let mut next = Some(first);
        while let Some(mut start) = next {
            let (ended_at, result) = self.perform(&mut start).await;
            next = self.finish(start, ended_at, result);
        }
    }

    /// Takes the time that the job takes; answers when it was meant to end, and how.
    async fn perform(&self, start: &mut Start<Job>) -> (Duration, Result<(), JobError>) {
        let (waited, service_time) = (start.waited(), start.job.service_time);
        let work_span = start.job.trace.as_mut().and_then(|trace| trace.start(waited));
        // Durations that happened are added to the intended start, so that its lateness is not added again.
        let mut cursor = start.started_at;
        let mut result = Ok(());
        let cpu_time = service_time.mul_f64(self.cpu_share);
        if !cpu_time.is_zero() {
            let began = self.clock.now();
            cpu::burn(cpu_time).await;
            cursor += self.clock.since(began);
        }
        if let Some(dependency) = &self.dependency {
            let began = self.clock.now();
            // What is not traced here is not to be traced there either.
            let span = work_span.cloned().or_else(Span::not_sampled);
            result = dependency.call(span.as_ref()).await.map_err(JobError::from);
            cursor += self.clock.since(began);
        }
        let ended_at = cursor + service_time.saturating_sub(cpu_time);
        self.clock.sleep_until(ended_at).await;
        (ended_at, result)
    }

    /// Frees the worker, measures the job and tells whoever waits; answers the worker's next job.
    fn finish(
        &self,
        start: Start<Job>,
        ended_at: Duration,
        mut result: Result<(), JobError>,
    ) -> Option<Start<Job>> {
        let Start { job, arrived_at, started_at, worker, .. } = start;
        let next = self.station.lock().complete(worker, ended_at);
        let now = self.clock.now();
        let error_share = self.faults.error_share(now);
        if error_share > 0.0 && self.draws.lock().failures.random::<f64>() < error_share {
            result = Err(JobError::Fault);
        }
        let response_time = now.saturating_sub(arrived_at);
        let span = job.trace.as_deref().map(JobTrace::span);
        let status = result.as_ref().map_or_else(JobError::status, |()| StatusCode::OK);
        self.metrics.completed(job.origin, now, response_time, status, span);
        if let Some(trace) = &job.trace {
            trace.finish(response_time, &result);
        }
        if let Some(finished) = job.finished {
            let waited = started_at.saturating_sub(arrived_at);
            // The client may have gone; its job was done all the same.
            let _client_gone = finished.send(result.map(|()| Served { waited, response_time }));
        }
        next
    }
}
