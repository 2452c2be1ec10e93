//! Tests of the whole product as its users have it: the binary, its processes, their ports.

mod allowed_hosts;
mod bad_input;
mod capacity;
#[path = "../../../webapp/tests/behaviour/exposition.rs"]
mod exposition;
mod fake_service;
mod load_ending;
mod load_factor;
mod load_metrics;
mod loss;
mod lying_sources;
mod missing_knowledge;
mod names;
mod policy_reload;
mod supervision;
mod support;
