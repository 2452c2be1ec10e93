//! One level of two baselines side by side.

use serde::Serialize;

use super::comparison::{Comparison, Verdict};
use crate::level::Level;

/// Rates that differ by no more than this share are the same level.
const SAME_RATE: f64 = 0.005;

/// One level compared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LevelDiff {
    /// Replicas.
    pub replicas: u32,
    /// Requests per second that were offered.
    pub offered_rps: f64,
    /// What is to be said of the level as a whole.
    pub verdict: Verdict,
    /// The three numbers that it is made of; fewer where one of the two had too few answers, none where one of the two is
    /// not to be believed.
    pub comparisons: Vec<Comparison>,
    /// Why it could not be compared by numbers; none where it could.
    pub reason: Option<String>,
}

/// Whether two levels are of the same rate.
pub(super) fn is_same_rate(left: &Level, right: &Level) -> bool {
    (right.offered_rps() / left.offered_rps() - 1.0).abs() <= SAME_RATE
}
