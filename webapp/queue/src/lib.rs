//! A replica's finite capacity as pure state machines: workers behind a bounded queue, and the connections to its
//! dependency.
//!
//! [`Station`] decides when a job starts, waits or is refused; [`Pool`] which job has a connection to the dependency and
//! which one waits. Neither holds a clock or a timer: the caller says what happened when, and waits out (or simulates)
//! the times in between. A live replica and a simulation run the same code.
//!
//! ## Why intended times
//! A timer fires late, by about a millisecond. Were the next job to start when the end of the last one was
//! *observed*, each job would cost that much more, and a replica's capacity would come out about 2 % low. So
//! a job is said to end when it was meant to end, and the next one starts at that time:
//! `finish = max(arrival, last finish) + service`. Lateness then delays an answer, but never adds up.
//!
//! ```
//! use core::{num::NonZero, time::Duration};
//! use webapp_queue::{Arrival, Station};
//!
//! let millis = Duration::from_millis;
//! let mut station = Station::new(NonZero::<u32>::MIN, 1);
//!
//! // The only worker is free: the first job starts at once, the second waits, the third is refused.
//! let Arrival::Started(first) = station.arrive(millis(0), "first") else { panic!("a worker is free") };
//! assert_eq!(station.arrive(millis(10), "second"), Arrival::Queued);
//! assert_eq!(station.arrive(millis(20), "third"), Arrival::Refused("third"));
//!
//! // The first takes 50 ms. The timer fires at 51 ms, the second job starts at 50 ms all the same.
//! let second = station.complete(first.worker, first.started_at + millis(50)).expect("a job waits");
//! assert_eq!((second.job, second.started_at, second.waited()), ("second", millis(50), millis(40)));
//! ```
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod counts;
mod invariants;
mod pool;
mod station;
mod worker;

pub use counts::{Counts, PoolCounts};
pub use pool::{Asked, Grant, Pool, Ticket};
pub use station::{Arrival, Start, Station};
pub use worker::WorkerId;
