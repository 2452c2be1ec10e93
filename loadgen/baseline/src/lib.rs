//! What one level of load measured, what a row of levels says about a service, and how two such rows differ: pure code.
//!
//! The same input gives the same result. Nothing here sends a request, opens a file or reads a clock; `clippy.toml`
//! beside this crate keeps that. In the order in which a caller meets it:
//!
//! 1. An engine that sends requests, live or in virtual time, is given a [`LevelPlan`], counts with
//!    [`measurement::tally`], and hands over a [`Measurement`].
//! 2. [`Search`] says which rate to measure next, and takes the measurement of it.
//! 3. Each becomes a [`Level`]: judged against the [`Slo`], and void where the measurement is not to be believed.
//! 4. [`Curve`] sums them up: levels, [`Outcome`], and the [`fit`] of a queueing model.
//! 5. [`Baseline`] is one or several curves with all that is needed to understand them later; it is written as text and
//!    read back strictly.
//! 6. [`report`] tells it as text and CSV, [`diff`] compares two, [`suggest`] makes a scaling policy of one.

#[cfg(test)]
extern crate self as loadgen_baseline;

mod baseline;
mod circumstances;
mod curve;
pub mod diff;
mod file;
pub mod fit;
mod honesty;
mod level;
pub mod measurement;
mod outcome;
mod pooling;
pub mod report;
#[cfg(test)]
mod sample;
mod search;
mod slo;
pub mod statistics;
pub mod suggest;
mod threshold;

pub use baseline::{Baseline, FORMAT_VERSION};
pub use circumstances::{Environment, ScenarioDescription, Settings, SyntheticDemand, TargetDescription};
pub use curve::Curve;
pub use file::BaselineError;
pub use honesty::{Allowance, Check, Flaw};
pub use level::{Level, LevelVerdict};
pub use measurement::error_sum::ErrorSum;
pub use measurement::failure_kind::FailureKind;
pub use measurement::latency::{Latency, Quantile};
pub use measurement::outcome::RequestOutcome;
pub use measurement::plan::{HIGHEST_RATE_RPS, LevelPlan, LevelPlanError};
pub use measurement::progress::{LevelProgress, SoFar};
pub use measurement::request_error::RequestError;
pub use measurement::{Measurement, MeasurementPart, SIGNIFICANT_DIGITS};
pub use outcome::{End, Outcome};
pub use search::Search;
pub use search::plan::{PlannedLevel, Rates, SearchPlan, Step};
pub use slo::{Slo, SloError};
pub use threshold::{Observed, Statistic, Threshold, ThresholdError, Verdict};
