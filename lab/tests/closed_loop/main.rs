//! Tests of the whole product as its users have it: the binary, its processes, their ports.

mod allowed_hosts;
mod bad_input;
mod capacity;
mod classic_variables;
mod docker_proxy;
#[path = "../../../webapp/tests/behaviour/exposition.rs"]
mod exposition;
mod leaving_reader;
mod load_ending;
mod load_factor;
mod load_metrics;
mod loss;
mod metrics_format;
mod names;
mod reconciliation;
mod supervision;
mod support;
