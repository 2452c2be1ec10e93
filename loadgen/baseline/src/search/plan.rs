//! What a search is asked for, and what it answers: the next level to measure, or what came of it.

use std::time::Duration;

use crate::honesty::Allowance;
use crate::outcome::Outcome;
use crate::slo::Slo;

/// Which rates are measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Rates {
    /// Looked for.
    Searched {
        /// The first rate, in requests per second.
        start_rps: f64,
        /// The highest rate that is tried.
        most_rps: f64,
        /// How narrow the bracket becomes: 0.02 for 2 %.
        resolution: f64,
    },
    /// These, in requests per second, lowest first.
    Listed(Vec<f64>),
}

/// What to look for and how.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchPlan {
    /// What has to be kept.
    pub slo: Slo,
    /// Which rates are measured.
    pub rates: Rates,
    /// Load before the measured time of a level.
    pub warm_up: Duration,
    /// The measured time of a level.
    pub hold: Duration,
    /// The longest measured time of a level that does not settle.
    pub longest_hold: Duration,
    /// What is allowed for on the generator's side.
    pub allowance: Allowance,
}

/// A level to measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlannedLevel {
    /// Its place in the order of measuring, from 1: to be mixed into the seed of its schedule.
    pub number: u32,
    /// Requests per second.
    pub rate_rps: f64,
    /// Load before the measured time.
    pub warm_up: Duration,
    /// The measured time.
    pub hold: Duration,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Step {
    /// Measure this and hand it to [`Search::record`](super::Search::record).
    Measure(PlannedLevel),
    /// Nothing more: it is known.
    Finished(Outcome),
}
