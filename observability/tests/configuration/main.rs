//! Dashboards, rules, alerts, runbooks and the configuration of the programs around the lab fit the metrics that the
//! lab has, and each other.

mod alerts;
mod dashboards;
mod files;
mod metrics;
mod programs;
mod promql;
mod security;
mod structure;
