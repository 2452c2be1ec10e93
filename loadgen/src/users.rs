//! Users who play a scenario: each waits for its answer, or sends in the slots of a schedule.
//!
//! A run is led by the conductor; what its users share is made once; `goose` is the one file that knows on what they run.

pub(crate) mod client;
pub(crate) mod conductor;
pub(crate) mod exchange;
pub(crate) mod gates;
pub(crate) mod goose;
pub(crate) mod pacer;
pub(crate) mod phase;
pub(crate) mod player;
pub(crate) mod prepared;
pub(crate) mod run;
pub(crate) mod scenario_model;
pub(crate) mod schedule;
pub(crate) mod shared;
pub(crate) mod spans;
