//! Holds everything an engine remembers, in a form that can be saved and read back.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::policy::threshold::ThresholdHistory;

/// All history of an [`Engine`](crate::Engine). Restored into an engine of the same policy, it decides exactly as
/// the saved one would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineState {
    /// The layout of this state: [`EngineState::VERSION`].
    pub version: u32,
    /// Replicas that were last asked for and obtained; none before the first check.
    pub desired: Option<u32>,
    /// When the last action happened that cooldowns count from (run time).
    pub cooldown_since: Option<Duration>,
    /// When the next check is due (run time); none before the first.
    pub next_check_at: Option<Duration>,
    /// Limits set at run time, which replace the policy's own.
    pub limits: Option<Limits>,
    /// Whether the engine is paused.
    pub paused: bool,
    /// What the policy itself remembers.
    pub history: PolicyHistory,
}

/// What a policy remembers between checks, per kind of policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind")]
#[non_exhaustive]
pub enum PolicyHistory {
    /// Counters of a threshold policy.
    #[serde(rename = "ThresholdPolicy")]
    Threshold(ThresholdHistory),
}

impl PolicyHistory {
    pub(crate) fn reset(&mut self) {
        match self {
            Self::Threshold(history) => history.reset(),
        }
    }
}

impl EngineState {
    /// The layout written by this version.
    pub const VERSION: u32 = 1;
}

/// A saved state that this version cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The state was written by another version.
    #[error("the saved state has version {found}, expected {}", EngineState::VERSION)]
    Version {
        /// The version found.
        found: u32,
    },
}
