//! Station and pool in pure virtual time against queueing theory.
//!
//! Every point is an event-driven simulation of at least 500,000 jobs whose result depends on the seed alone.
//! Tolerances are what the physics promises its users; the job counts were chosen so that ten seeds in a row
//! kept each of them.
#![expect(clippy::print_stdout, reason = "how far a point is from theory is worth reading with --nocapture")]

mod pool;
mod station;
mod theory;
