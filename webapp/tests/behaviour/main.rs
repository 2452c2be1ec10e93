//! What one replica, and a few of them together, do: seen from outside, over HTTP.

#[path = "../support/replica.rs"]
mod replica;
#[path = "../support/scrape.rs"]
mod scrape;
#[path = "../support/wait.rs"]
mod wait;

mod adapter_metrics;
mod bad_input;
mod dependency;
mod exposition;
mod faults;
mod guard;
mod load;
mod metrics;
mod partition;
mod peers;
mod routes;
mod shutdown;
