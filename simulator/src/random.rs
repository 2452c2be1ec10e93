//! Random streams that are quick to draw from, one for each purpose, all from the run's seed.
//!
//! A live process draws from [`workload::Stream`], which is frozen. A simulation draws some hundred million times, so its
//! streams have a generator of their own: xoshiro256++, whose state is the first 32 bytes of the frozen stream of the same
//! name below `simulator`. Exponential and normal variates come from the ziggurat method (Marsaglia and Tsang, "The
//! Ziggurat Method for Generating Random Variables", 2000).
//!
//! Policies that are compared see the same arrivals and the same service times, because what one purpose draws never
//! shifts what another one gets (common random numbers).

use rand::{Rng, SeedableRng};
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;
use workload::Streams;

/// One stream.
#[derive(Clone, Debug)]
pub(crate) struct FastStream(pub(crate) Xoshiro256PlusPlus);

/// The streams of one run.
#[derive(Clone, Debug)]
pub(crate) struct RunStreams {
    /// When requests arrive.
    pub(crate) arrivals: FastStream,
    /// How long the first attempt of each request is worked on: one draw a request, in the order of arrivals.
    pub(crate) service_times: FastStream,
    /// How long further attempts are worked on.
    pub(crate) retries: FastStream,
    /// What the balancer draws.
    pub(crate) routes: FastStream,
    /// How long replicas take to start.
    pub(crate) starts: FastStream,
}

impl RunStreams {
    pub(crate) fn of_seed(seed: u64) -> Self {
        let streams = Streams::from_seed(seed).derive("simulator");
        let stream = |name| FastStream::new(streams, name);
        Self {
            arrivals: stream("arrivals"),
            service_times: stream("service_times"),
            retries: stream("retries"),
            routes: stream("routes"),
            starts: stream("starts"),
        }
    }
}

impl FastStream {
    fn new(streams: Streams, name: &str) -> Self {
        let mut state = [0; 32];
        streams.stream(name).fill_bytes(&mut state);
        Self(Xoshiro256PlusPlus::from_seed(state))
    }

    /// An exponential variate of mean 1.
    #[inline]
    pub(crate) fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    /// A normal variate of mean 0 and variance 1.
    #[inline]
    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_draw_in_one_stream_shifts_no_other() {
        let mut drawn = RunStreams::of_seed(3);
        let mut fresh = RunStreams::of_seed(3);
        drawn.routes.exponential();
        assert_eq!(drawn.arrivals.exponential().to_bits(), fresh.arrivals.exponential().to_bits());
        assert_ne!(fresh.arrivals.exponential().to_bits(), fresh.service_times.exponential().to_bits());
        assert_ne!(
            RunStreams::of_seed(4).arrivals.exponential().to_bits(),
            RunStreams::of_seed(3).arrivals.exponential().to_bits()
        );
    }
}
