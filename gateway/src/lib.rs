//! Spreads requests over the replicas: health, retries, ejection, throttling and draining.
//!
//! A request's way through the files:
//!
//! ```text
//! gateway ─▶ connection ─▶ proxy ─▶ throttle                       too many? 429
//!                            ├────▶ proxy/path, identity, headers  what may pass, and with which headers
//!                            ├────▶ fleet ─▶ gateway-balancer      which endpoint
//!                            ├────▶ waiting_room                   none is ready: waits, in order, for the first
//!                            ├────▶ proxy/attempt ─▶ upstream      over which connection, and what came of it
//!                            └────▶ proxy/response_body            until the last byte
//! ```
//!
//! Beside it run `probes` (who may serve), `discovery` (who is there, by DNS) and `admin` (who is there, by whoever
//! starts replicas). Which endpoint is chosen, probed, ejected or kept out is decided in `gateway-balancer`, which
//! the simulator runs as well; nothing here has a balancing rule of its own.
//!
//! The data path is hyper's HTTP/1 connections towards clients and connections of our own towards endpoints; decisions
//! 0003 and 0018 say what the other ways cost.

mod admin;
mod config;
mod connection;
mod discovery;
mod error;
mod fleet;
mod gateway;
mod headers;
mod metrics;
mod probes;
mod proxy;
mod request_body;
mod target;
mod throttle;
mod upstream;
mod waiting_room;
mod watched_stream;

pub use config::{GatewayConfig, RateLimit};
pub use error::GatewayError;
pub use gateway::Gateway;
pub use target::{DnsTarget, EndpointUrl, TargetError};
