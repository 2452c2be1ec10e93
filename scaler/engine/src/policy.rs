//! Collects the kinds of policy the engine can follow behind one type.

pub(crate) mod age;
pub mod hpa;
pub mod keda;
pub mod knative;
mod rounding;
pub(crate) mod threshold;

use alloc::string::String;
use core::time::Duration;

use crate::decision::Limit;
use crate::limits::Limits;
use crate::observation::Observation;
use crate::reason::{Direction, Reason};
use crate::signal::Signal;
use crate::state::PolicyHistory;
use threshold::{ThresholdHistory, ThresholdPolicy};

/// A validated policy.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Policy {
    /// One signal, two thresholds, one replica at a time.
    Threshold(ThresholdPolicy),
}

impl Policy {
    /// The kind as policy files name it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Threshold(_) => "ThresholdPolicy",
        }
    }

    /// The limits the policy was written with; they may be overridden at run time.
    pub const fn limits(&self) -> Limits {
        match self {
            Self::Threshold(policy) => policy.limits(),
        }
    }

    /// The signal the policy looks at.
    pub const fn signal(&self) -> Signal {
        match self {
            Self::Threshold(policy) => policy.settings().signal,
        }
    }

    /// The span over which a source averages.
    pub const fn window(&self) -> Duration {
        match self {
            Self::Threshold(policy) => policy.settings().window,
        }
    }

    /// Time between two checks.
    pub const fn check_interval(&self) -> Duration {
        match self {
            Self::Threshold(policy) => policy.settings().check_interval,
        }
    }

    /// How long an action in this direction waits after the last action in either.
    pub const fn cooldown(&self, direction: Direction) -> Duration {
        match (self, direction) {
            (Self::Threshold(policy), Direction::Up) => policy.settings().scale_up_cooldown,
            (Self::Threshold(policy), Direction::Down) => policy.settings().scale_down_cooldown,
        }
    }

    /// The oldest reading that is acted on.
    pub fn stale_after(&self) -> Duration {
        match self {
            Self::Threshold(policy) => policy.stale_after(),
        }
    }

    /// Whether the value is divided by the number of ready replicas before it is judged.
    pub const fn per_replica(&self) -> bool {
        match self {
            Self::Threshold(policy) => policy.settings().per_replica,
        }
    }

    /// Whether both judge the same number, so that what one has counted the other may go on with.
    pub(crate) fn measures_as(&self, other: &Self) -> bool {
        self.kind() == other.kind()
            && self.signal() == other.signal()
            && self.window() == other.window()
            && self.per_replica() == other.per_replica()
    }

    pub(crate) fn empty_history(&self) -> PolicyHistory {
        match self {
            Self::Threshold(_) => PolicyHistory::Threshold(ThresholdHistory::default()),
        }
    }

    pub(crate) fn propose(&self, history: &mut PolicyHistory, situation: &Situation<'_>) -> Proposal {
        match (self, history) {
            (Self::Threshold(policy), PolicyHistory::Threshold(history)) => {
                policy.propose(history, situation)
            }
        }
    }
}

/// What a policy judges: an observation whose count already is the desired one.
#[derive(Debug)]
pub(crate) struct Situation<'a> {
    pub(crate) seen: &'a Observation,
    pub(crate) desired: u32,
    pub(crate) limits: Limits,
    /// When the last action happened that cooldowns count from.
    pub(crate) cooldown_since: Option<Duration>,
}

/// What a policy makes of it.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) to: u32,
    pub(crate) reason: Reason,
    pub(crate) limited_by: Option<Limit>,
}

/// A setting that contradicts the rules of its policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` is {value}, expected {expected}")]
pub struct PolicyError {
    /// The setting, as policy files name it.
    pub field: &'static str,
    /// What was given.
    pub value: String,
    /// What would be accepted.
    pub expected: String,
    /// What to do about it.
    pub hint: &'static str,
}
