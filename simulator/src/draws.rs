//! The random draws of a run, for another model that is to see the same requests.

use std::time::Duration;

use rand::Rng;

use crate::arrivals::ArrivalTimes;
use crate::model::Model;
use crate::random::RunStreams;
use crate::time::{Nanoseconds, nanoseconds_of};

/// What a run of a model with a seed draws, each purpose from a stream of its own: whatever a policy does, the requests
/// and their service times are these.
#[derive(Clone, Debug)]
pub struct RunDraws<'a> {
    model: &'a Model,
    streams: RunStreams,
    arrivals: ArrivalTimes,
}

impl<'a> RunDraws<'a> {
    /// The draws from their beginning.
    pub fn new(model: &'a Model, seed: u64) -> Self {
        let streams = RunStreams::of_seed(seed);
        let end = nanoseconds_of(model.duration);
        let arrivals = ArrivalTimes::new(&model.workload, streams.arrivals.clone(), end);
        Self { model, streams, arrivals }
    }

    /// The next request: when it arrives, since the run began, and how long its first attempt is worked on.
    pub fn next_request(&mut self) -> Option<(Duration, Duration)> {
        let arrived_at = self.arrivals.next();
        if arrived_at == Nanoseconds::MAX {
            return None;
        }
        let service = self.model.service.service_time.draw(&mut self.streams.service_times);
        Some((Duration::from_nanos(arrived_at), Duration::from_nanos(service)))
    }

    /// How long the next further attempt is worked on, in the order in which attempts are made.
    pub fn next_retry(&mut self) -> Duration {
        Duration::from_nanos(self.model.service.service_time.draw(&mut self.streams.retries))
    }

    /// How long the next replica takes to start, in the order in which replicas are started.
    pub fn next_start_up(&mut self) -> Duration {
        Duration::from_nanos(self.model.service.start_up.draw(&mut self.streams.starts))
    }

    /// What the balancer draws from.
    pub fn routes(&mut self) -> &mut impl Rng {
        &mut self.streams.routes.0
    }
}
