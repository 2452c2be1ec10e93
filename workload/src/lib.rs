//! Load shapes, arrival processes, service times and seeded random streams: what comes at a service, purely.
//!
//! The simulation and the live processes use the same definitions, so nothing here reads a clock, a file or
//! the environment: time is the [`Duration`](core::time::Duration) since an origin that the caller chose, and
//! random numbers come from the caller's stream. Transcendental functions come from `libm` and every variate
//! is made here from the generator's words, so the same seed gives the same bits on every machine, whatever
//! features other crates of a build switch on.
//!
//! In the order in which a caller meets them:
//!
//! 1. [`Streams`] turns one seed into independent, named random streams.
//! 2. [`Shape`] says how the load develops over time, [`replay`] reads one from a recorded trace.
//! 3. [`Arrivals`] turns a rate, or a shape and a rate, into instants at which requests arrive.
//! 4. [`ServiceTime`] says how long each of them takes.
//! 5. [`queueing`] says what theory expects of the result.
//!
//! ```
//! use core::time::Duration;
//! use workload::{Arrivals, ServiceTime, ServiceTimeDistribution, Shape, Spike, Streams};
//!
//! let spike = Spike { base: 1.0, peak: 5.0, hold_seconds: 120.0, ramp_seconds: 30.0 };
//! let shape = Shape::try_from(spike)?;
//! assert_eq!(shape.level_at(Duration::from_secs(135)), 3.0);
//!
//! let streams = Streams::from_seed(42);
//! let (mut arrivals, mut service_times) = (streams.stream("arrivals"), streams.stream("service_times"));
//! let service = ServiceTime::new(ServiceTimeDistribution::Lognormal, Duration::from_millis(50), 0.5)?;
//! let first = Arrivals::Poisson.next_arrival(Duration::ZERO, &shape, 40.0, &mut arrivals);
//! let demand = service.draw(&mut service_times);
//! assert!(first.is_some() && demand > Duration::ZERO);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod arrivals;
mod mixing;
pub mod queueing;
pub mod replay;
mod service_time;
mod shape;
mod streams;
mod variates;

pub use arrivals::{ArrivalCursor, Arrivals, LOOK_AHEAD_SEGMENTS, UnknownArrivals};
pub use service_time::{
    LARGEST_COEFFICIENT_OF_VARIATION, LONGEST_MEAN, ServiceTime, ServiceTimeDistribution, ServiceTimeError,
    UnknownServiceTimeDistribution,
};
pub use shape::{
    Diurnal, LARGEST_LEVEL, LONGEST_SECONDS, LevelPoint, MOST_POINTS, Ramp, RandomWalk, Replay,
    SHORTEST_PERIOD_SECONDS, Shape, ShapeDefinition, ShapeError, Sine, Spike, Steady, Steps,
};
pub use streams::{Stream, Streams};
