//! Says why a threshold policy decided as it did.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::policy::ReasonOfKind;
use crate::reason::Direction;
use crate::signal::Signal;

/// A threshold policy's own reasons. Values are in the signal's own unit and always finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum ThresholdReason {
    /// The signal was above the scale-up threshold for enough checks in a row.
    AboveThreshold {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The scale-up threshold.
        threshold: f64,
        /// Checks in a row.
        checks: u32,
    },
    /// The signal was below the scale-down threshold for enough checks in a row.
    BelowThreshold {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The scale-down threshold.
        threshold: f64,
        /// Checks in a row.
        checks: u32,
    },
    /// The signal lies between both thresholds, ends included.
    WithinThresholds {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The scale-down threshold.
        lower: f64,
        /// The scale-up threshold.
        upper: f64,
    },
    /// A threshold is breached, but not yet for enough checks in a row.
    BreachPending {
        /// Where the breach leads if it lasts.
        direction: Direction,
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The threshold breached.
        threshold: f64,
        /// Checks in a row so far.
        checks: u32,
        /// Checks in a row that are needed.
        needed: u32,
    },
    /// More replicas are due, but the maximum is reached.
    AtMaximum {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The scale-up threshold.
        threshold: f64,
        /// The maximum.
        max: u32,
    },
    /// Fewer replicas are due, but the minimum is reached.
    AtMinimum {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The scale-down threshold.
        threshold: f64,
        /// The minimum.
        min: u32,
    },
}

impl ReasonOfKind for ThresholdReason {
    const CODES: &'static [&'static str] = &[
        "above_threshold",
        "below_threshold",
        "within_thresholds",
        "breach_pending",
        "at_maximum",
        "at_minimum",
    ];

    fn code(&self) -> &'static str {
        match self {
            Self::AboveThreshold { .. } => "above_threshold",
            Self::BelowThreshold { .. } => "below_threshold",
            Self::WithinThresholds { .. } => "within_thresholds",
            Self::BreachPending { .. } => "breach_pending",
            Self::AtMaximum { .. } => "at_maximum",
            Self::AtMinimum { .. } => "at_minimum",
        }
    }

    #[cfg(test)]
    fn one_of_each() -> alloc::vec::Vec<Self> {
        let (signal, value, threshold) = (Signal::ResponseTimeMeanSeconds, 0.9, 0.6);
        let direction = Direction::Up;
        alloc::vec![
            Self::AboveThreshold { signal, value, threshold, checks: 2 },
            Self::BelowThreshold { signal, value, threshold, checks: 1 },
            Self::WithinThresholds { signal, value, lower: 0.2, upper: 0.6 },
            Self::BreachPending { direction, signal, value, threshold, checks: 1, needed: 2 },
            Self::AtMaximum { signal, value, threshold, max: 6 },
            Self::AtMinimum { signal, value, threshold, min: 1 },
        ]
    }
}

/// The reason as a sentence, without capital and full stop.
impl fmt::Display for ThresholdReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AboveThreshold { signal, value, threshold, checks } => write!(
                f,
                "{signal} {} above {} for {}",
                signal.amount(*value),
                signal.amount(*threshold),
                Checks(*checks)
            ),
            Self::BelowThreshold { signal, value, threshold, checks } => write!(
                f,
                "{signal} {} below {} for {}",
                signal.amount(*value),
                signal.amount(*threshold),
                Checks(*checks)
            ),
            Self::WithinThresholds { signal, value, lower, upper } => write!(
                f,
                "{signal} {} between {} and {}",
                signal.amount(*value),
                signal.amount(*lower),
                signal.amount(*upper)
            ),
            Self::BreachPending { direction, signal, value, threshold, checks, needed } => write!(
                f,
                "{signal} {} {} {}, check {checks} of {needed}",
                signal.amount(*value),
                if *direction == Direction::Up { "above" } else { "below" },
                signal.amount(*threshold)
            ),
            Self::AtMaximum { signal, value, threshold, max } => write!(
                f,
                "{signal} {} above {}, but {max} is the maximum",
                signal.amount(*value),
                signal.amount(*threshold)
            ),
            Self::AtMinimum { signal, value, threshold, min } => write!(
                f,
                "{signal} {} below {}, but {min} is the minimum",
                signal.amount(*value),
                signal.amount(*threshold)
            ),
        }
    }
}

struct Checks(u32);

impl fmt::Display for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} check{}", self.0, if self.0 == 1 { "" } else { "s" })
    }
}
