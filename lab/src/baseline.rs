//! Measures a baseline for `lab baseline`: starts replicas where none is given, and drives search and engine.

mod environment;
mod expectation;
mod measuring;
mod own_service;
mod synthetic_demand;

pub(crate) use environment::{describe, wall_clock};
pub(crate) use expectation::{about, expectation};
pub(crate) use measuring::{Measuring, Traffic};
pub(crate) use own_service::OwnService;
pub(crate) use synthetic_demand::{OwnDemand, look};

use std::time::Duration;

use crate::output::note;

/// Longest that the lab's own processes may take to answer a question.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Tells how it goes, beside the result on standard output.
pub(crate) fn tell(text: &str) {
    note(&text);
}
