//! The spans of one sampled job: its wait in the queue and the work, at the times that the queue knows.
//!
//! A job's times are durations since its arrival, so the wall clock is read once for it, and the parts of a trace
//! cannot overlap by a clock that was set.

use std::time::{Duration, SystemTime};

use observability::traces::{self, Demand, KeyValue, Span, SpanKind, names, wall_clock};

use super::job_error::JobError;
use crate::origin::Origin;

/// What a sampled job carries through the queue.
#[derive(Debug)]
pub(super) struct JobTrace {
    /// The server span of the request, or the root span of a synthetic job.
    job: Span,
    origin: Origin,
    arrived_at: SystemTime,
    work: Option<Span>,
}

impl JobTrace {
    /// For a job that arrives now; none where it is not sampled. In a box, because hardly any job has one.
    pub(super) fn begin(origin: Origin) -> Option<Box<Self>> {
        let job = match origin {
            Origin::User => Span::current(),
            Origin::Synthetic => traces::begin(Demand::Synthetic, || {
                traces::span(names::SYNTHETIC_JOB, SpanKind::Internal)
                    .with_attributes([KeyValue::new(names::ORIGIN, origin.name())])
            }),
        }?;
        Some(Box::new(Self { job, origin, arrived_at: wall_clock(), work: None }))
    }

    /// The span that the job's exemplar leads to.
    pub(super) fn span(&self) -> &Span {
        &self.job
    }

    /// A worker begins with the job, which has waited so long.
    pub(super) fn start(&mut self, waited: Duration) -> Option<&Span> {
        let started_at = self.arrived_at + waited;
        let wait = traces::span(names::QUEUE_WAIT, SpanKind::Internal).with_start_time(self.arrived_at);
        if let Some(wait) = self.job.child(wait) {
            wait.end_at(started_at);
        }
        let work = traces::span(names::WORK, SpanKind::Internal).with_start_time(started_at);
        self.work = self.job.child(work);
        self.work.as_ref()
    }

    /// The job has ended, so long after it arrived.
    pub(super) fn finish(&self, response_time: Duration, result: &Result<(), JobError>) {
        let ended_at = self.arrived_at + response_time;
        if let Some(work) = &self.work {
            if let Err(error) = result {
                work.fail(error.kind());
            }
            work.end_at(ended_at);
        }
        self.end(ended_at, result.as_ref().err());
    }

    /// The queue was full.
    pub(super) fn refuse(&self, error: &JobError) {
        self.end(self.arrived_at, Some(error));
    }

    /// A user's span is ended by the server, when it has answered.
    fn end(&self, at: SystemTime, error: Option<&JobError>) {
        if self.origin == Origin::Synthetic {
            if let Some(error) = error {
                self.job.fail(error.kind());
            }
            self.job.end_at(at);
        }
    }
}
