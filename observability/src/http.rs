//! What all HTTP of the lab has in common: error bodies, server metrics, the metrics route, a bounded client.

pub mod client;
pub mod error;
pub mod metrics_route;
pub mod server;
