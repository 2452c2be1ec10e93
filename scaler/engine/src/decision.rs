//! Holds one decision with its reason and the values it rests on.
//!
//! Log line, metric label, API answer and terminal line are all made from this one value, so they cannot disagree.

use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::need::Metric;
use crate::reason::Reason;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Start replicas.
    Up,
    /// Stop replicas.
    Down,
    /// Leave them as they are.
    Hold,
}

impl Action {
    /// The action as one word for metric labels and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
            Self::Hold => "hold",
        }
    }

    /// The action that leads from one count to another.
    pub const fn between(from: u32, to: u32) -> Self {
        if to > from {
            Self::Up
        } else if to < from {
            Self::Down
        } else {
            Self::Hold
        }
    }
}

/// What kept a decision from going further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// The minimum count.
    Minimum,
    /// The maximum count.
    Maximum,
    /// The time since the last action.
    Cooldown,
}

impl Limit {
    /// The limit as one word for metric labels and the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::Cooldown => "cooldown",
        }
    }
}

/// The values a decision rests on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observed {
    /// What the policy asked for, in its own order; values of single replicas are left out.
    #[serde(default)]
    pub read: Vec<ReadValue>,
    /// Replicas that existed.
    pub current: u32,
    /// Replicas that received requests.
    pub ready: u32,
    /// Replicas that were asked for before this decision, within the limits.
    pub desired: u32,
}

/// A value that a policy asked for, as it was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReadValue {
    /// The signal or metric.
    pub metric: Metric,
    /// The span that it covers; in JSON as `window_seconds`.
    #[serde(rename = "window_seconds", with = "crate::seconds")]
    pub window: Duration,
    /// The value; none if there was no finite one.
    pub value: Option<f64>,
    /// The value's age; none if there was no reading. In JSON as `age_seconds`.
    #[serde(rename = "age_seconds", with = "crate::seconds")]
    pub age: Option<Duration>,
}

/// What is to be done at one moment, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// When it was made (run time).
    pub at: Duration,
    /// What is to be done.
    pub action: Action,
    /// Replicas before.
    pub from: u32,
    /// Replicas wanted; equal to `from` on a hold.
    pub to: u32,
    /// Why.
    pub reason: Reason,
    /// What kept it from going further.
    pub limited_by: Option<Limit>,
    /// The values it rests on.
    pub observation: Observed,
}

/// One line for the log: `Scaling decision: up 1 -> 2: …` or `Scaling decision: hold at 2: …`.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.action {
            Action::Hold => write!(f, "Scaling decision: hold at {}: {}", self.from, self.reason),
            Action::Up | Action::Down => write!(
                f,
                "Scaling decision: {} {} -> {}: {}",
                self.action.name(),
                self.from,
                self.to,
                self.reason
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;
    use crate::policy::threshold::ThresholdReason;
    use crate::signal::Signal;

    #[test]
    fn the_log_line_says_what_and_why() {
        let signal = Signal::ResponseTimeMeanSeconds;
        let mut decision = Decision {
            at: Duration::from_secs(20),
            action: Action::between(1, 2),
            from: 1,
            to: 2,
            reason: ThresholdReason::AboveThreshold { signal, value: 0.91, threshold: 0.6, checks: 2 }.into(),
            limited_by: None,
            observation: Observed { read: Vec::new(), current: 1, ready: 1, desired: 1 },
        };
        assert_eq!(
            decision.to_string(),
            "Scaling decision: up 1 -> 2: response_time_mean_seconds 910 ms above 600 ms for 2 checks"
        );
        decision.action = Action::Hold;
        decision.reason = Reason::MissingData { signal: signal.into() };
        assert_eq!(
            decision.to_string(),
            "Scaling decision: hold at 1: no reading of response_time_mean_seconds"
        );
    }

    #[test]
    fn spans_are_seconds_in_json() {
        let metric = Signal::InFlight.into();
        let read = ReadValue {
            metric,
            window: Duration::from_millis(7500),
            value: Some(3.0),
            age: Some(Duration::from_millis(250)),
        };
        let text = serde_json::to_string(&read).unwrap();
        assert_eq!(text, r#"{"metric":"in_flight","window_seconds":7.5,"value":3.0,"age_seconds":0.25}"#);
        assert_eq!(serde_json::from_str::<ReadValue>(&text).unwrap(), read);
        let unread = text.replace("0.25", "null");
        assert_eq!(serde_json::from_str::<ReadValue>(&unread).unwrap().age, None);
        assert!(serde_json::from_str::<ReadValue>(&text.replace("7.5", "-1")).is_err());
    }
}
