//! Says why a watermark policy decided as it did.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::policy::ReasonOfKind;
use crate::signal::Signal;

/// A watermark policy's own reasons. Values are in the signal's own unit and always finite.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum WatermarkReason {
    /// The value is above the high mark.
    AboveHighMark {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The high mark.
        mark: f64,
        /// Replicas that bring it below.
        wanted: u32,
    },
    /// The value was below the low mark for enough checks in a row.
    BelowLowMark {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The low mark.
        mark: f64,
        /// Replicas that bring it up to the mark.
        wanted: u32,
    },
    /// The value is below the low mark, but not yet for enough checks.
    BelowLowMarkPending {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The low mark.
        mark: f64,
        /// Checks in a row so far.
        checks: u32,
        /// Checks in a row that are needed.
        needed: u32,
    },
    /// The value lies between the marks, ends included.
    BetweenMarks {
        /// The signal judged.
        signal: Signal,
        /// Its value at this check.
        value: f64,
        /// The low mark.
        low: f64,
        /// The high mark.
        high: f64,
    },
}

impl ReasonOfKind for WatermarkReason {
    const CODES: &'static [&'static str] =
        &["above_high_mark", "below_low_mark", "below_low_mark_pending", "between_marks"];

    fn code(&self) -> &'static str {
        match self {
            Self::AboveHighMark { .. } => "above_high_mark",
            Self::BelowLowMark { .. } => "below_low_mark",
            Self::BelowLowMarkPending { .. } => "below_low_mark_pending",
            Self::BetweenMarks { .. } => "between_marks",
        }
    }

    #[cfg(test)]
    fn one_of_each() -> alloc::vec::Vec<Self> {
        let (signal, value) = (Signal::RequestsPerSecond, 45.0);
        alloc::vec![
            Self::AboveHighMark { signal, value, mark: 40.0, wanted: 3 },
            Self::BelowLowMark { signal, value, mark: 50.0, wanted: 1 },
            Self::BelowLowMarkPending { signal, value, mark: 50.0, checks: 1, needed: 3 },
            Self::BetweenMarks { signal, value, low: 30.0, high: 60.0 },
        ]
    }
}

/// The reason as a sentence, without capital and full stop.
impl fmt::Display for WatermarkReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AboveHighMark { signal, value, mark, wanted } => write!(
                f,
                "{signal} {} above the high mark of {}, which asks for {wanted}",
                signal.amount(*value),
                signal.amount(*mark)
            ),
            Self::BelowLowMark { signal, value, mark, wanted } => write!(
                f,
                "{signal} {} below the low mark of {}, which asks for {wanted}",
                signal.amount(*value),
                signal.amount(*mark)
            ),
            Self::BelowLowMarkPending { signal, value, mark, checks, needed } => write!(
                f,
                "{signal} {} below the low mark of {}, check {checks} of {needed}",
                signal.amount(*value),
                signal.amount(*mark)
            ),
            Self::BetweenMarks { signal, value, low, high } => write!(
                f,
                "{signal} {} between the marks of {} and {}",
                signal.amount(*value),
                signal.amount(*low),
                signal.amount(*high)
            ),
        }
    }
}
