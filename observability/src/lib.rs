//! Logs, metrics, names and HTTP instrumentation that every process of the lab shares.
//!
//! A process builds one [`metrics::MetricsRegistry`], registers each family under the exact name that
//! [`names`] lists, and serves it with [`http::metrics_route::reply`]. Nothing in here decides anything.

pub mod buckets;
pub mod http;
pub mod logs;
pub mod metrics;
pub mod names;
pub mod traces;
