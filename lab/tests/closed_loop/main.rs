//! Tests of the whole product as its users have it: the binary, its processes, their ports.

mod bad_input;
mod capacity;
mod load_factor;
mod load_metrics;
mod loss;
mod supervision;
mod support;
