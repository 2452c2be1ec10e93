//! The baseline curve: what a service answers at which rate, where that ends, and what two such curves differ in.
//!
//! Nothing here sends a request or reads a clock. In the order in which a caller meets it:
//!
//! 1. [`Search`] says which rate to measure next, and is handed a [`Measurement`](crate::Measurement) for it.
//! 2. Each becomes a [`Level`]: judged against the [`Slo`], and void where the measurement is not to be believed.
//! 3. [`Curve`] is what came of it: levels, [`Outcome`], and the fit of a queueing model.
//! 4. [`Baseline`] is one or several curves with all that is needed to understand them later: the file.
//! 5. [`report`] draws it, [`diff`] compares two, [`suggest`] makes a scaling policy of one.

pub mod diff;
mod file;
pub mod fit;
mod honesty;
mod level;
mod outcome;
mod pooling;
pub mod report;
#[cfg(test)]
mod sample;
mod search;
mod slo;
pub mod statistics;
pub mod suggest;

pub use file::{
    Baseline, BaselineError, Curve, Environment, FORMAT_VERSION, ScenarioDescription, Settings,
    SyntheticDemand, TargetDescription,
};
pub use honesty::{Allowance, Check, Flaw};
pub use level::{Level, LevelVerdict};
pub use outcome::{End, Outcome};
pub use search::{PlannedLevel, Rates, Search, SearchPlan, Step};
pub use slo::{Slo, SloError};
