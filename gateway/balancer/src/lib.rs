//! Chooses an endpoint for each request and judges endpoints by their answers, as pure code.
//!
//! The gateway runs this against real sockets and the simulator in virtual time, so every rule of balancing is
//! here and none in the process. Nothing in it reads a clock or makes a random number: the caller hands in `now`,
//! the time since an origin it chose (never going backwards), and a random stream. The same calls with the same
//! times and the same seed give the same picks on every machine.
//!
//! [`Rotation`] is the whole surface. What a caller does with it, in order:
//!
//! 1. [`Rotation::put`] or [`Rotation::sync_discovered`]: who is there.
//! 2. [`Rotation::begin_probe`], then [`Rotation::record_probe`]: who may serve.
//! 3. [`Rotation::pick`], then [`Rotation::record`] when the answer is known (at most once) and
//!    [`Rotation::release`] when the request is over (exactly once).
//! 4. [`Rotation::drain`], then [`Rotation::remove`]: who leaves.
#![no_std]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod comparison;
mod discovery;
mod ejection;
mod endpoint;
mod ewma;
mod health;
mod outcome;
mod pick;
mod rotation;
mod window;

pub use comparison::{CLIENT_ERRORS_MIN, CLIENT_ERRORS_SIGNIFICANCE};
pub use discovery::{ABSENT_ANSWERS_BEFORE_REMOVAL, Discovered, KEPT_OUT_MAX};
pub use ejection::{
    BACK_OFF_BASE, BACK_OFF_MAX, CONSECUTIVE_FAILURES_OUT, FAILED_SHARE_OUT, FAILED_SHARE_SAMPLES_MIN,
    FORGET_EJECTIONS_AFTER, PROBATION_SUCCESSES,
};
pub use endpoint::{EndpointId, EndpointView, State};
pub use ewma::{EWMA_DECAY, EWMA_DEFAULT, EWMA_FLOOR, PeakEwma};
pub use health::{
    PROBE_FAILURES_OUT, PROBE_INTERVAL, PROBE_INTERVAL_STARTING, PROBE_STARTING_PATIENCE, PROBE_SUCCESSES_IN,
    ProbeAnswer,
};
pub use outcome::{Outcome, UNSERVED_COST};
pub use pick::{SLOW_START, SLOW_START_WEIGHT_MIN, SMOOTHING_ANSWERS, STREAK_DOUBLINGS_MAX};
pub use rotation::{Put, Rotation};
pub use window::{OUTCOME_WINDOW, OutcomeCounts};
