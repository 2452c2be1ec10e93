//! A simulated service whose latency comes from finite capacity: workers behind a bounded queue.
//!
//! [`Webapp::bind`] takes the port and [`Webapp::serve`] answers until the caller's stop signal resolves. It
//! needs nobody else: without gateway, scaler, peers or a metrics server it answers all the same.

mod app;
mod clock;
mod config;
mod counted_listener;
mod dependency;
mod exposed;
mod faults;
mod load;
mod metrics;
mod origin;
mod peers;
mod replica;
mod routes;
mod serve;
mod synthetic_demand;

pub use config::{ConfigError, Role, WebappConfig};
pub use load::{MAX_LOAD_FACTOR, SPIKE_FACTOR, SPIKE_HOLD, SPIKE_RAMP};
pub use serve::{Webapp, WebappError};
