//! Tests of the whole product as its users have it: the binary, its processes, their ports.

mod allowed_hosts;
mod bad_input;
mod capacity;
mod classic_variables;
mod docker_proxy;
#[path = "../../../webapp/tests/behaviour/exposition.rs"]
mod exposition;
mod fake_service;
mod leaving_reader;
mod load_ending;
mod load_factor;
mod load_metrics;
mod loss;
mod lying_sources;
mod metrics_format;
mod missing_knowledge;
mod names;
mod policy_reload;
mod reconciliation;
mod settings;
mod supervision;
mod support;
