//! What all HTTP of the lab has in common: error bodies, the guard of what changes something, server metrics, request
//! counts, the metrics route, replica ids.

pub mod error;
pub mod guard;
pub mod metrics_route;
pub mod replica_id;
pub mod request_counts;
pub mod server;
