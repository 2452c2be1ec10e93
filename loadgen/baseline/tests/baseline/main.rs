//! The baseline curve against known truth: in virtual time, with the webapp's own queue as the service.
//!
//! Every result depends on a seed alone.
#![expect(
    clippy::print_stdout,
    reason = "how far a result is from the truth is worth reading with --nocapture"
)]
#![expect(
    clippy::disallowed_methods,
    reason = "threads halve the time that these tests take; the crate has none"
)]

mod capacity;
mod coverage;
mod difference;
mod theory;
mod virtual_service;
