//! Holds everything an engine remembers, in a form that can be saved and read back.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::limits::Limits;
use crate::policy::PolicyHistory;

/// All history of an [`Engine`](crate::Engine). Restored into an engine of the same policy, it decides exactly as
/// the saved one would have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EngineState<History = PolicyHistory> {
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
    /// Whether the last check ended in an attempt to bring a lost or surplus replica back.
    #[serde(default)]
    pub was_restoring: bool,
    /// What the policy itself remembers.
    pub history: History,
}

impl<History> EngineState<History> {
    /// The layout written by this version.
    pub const VERSION: u32 = 1;
}

/// A saved state that an engine cannot continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// The state was written by another version.
    #[error("the saved state has version {found}, expected {}", EngineState::<PolicyHistory>::VERSION)]
    Version {
        /// The version found.
        found: u32,
    },
    /// The state belongs to another kind of policy.
    #[error("the saved state belongs to another kind of policy, expected {expected}")]
    Kind {
        /// The kind that the engine follows.
        expected: &'static str,
    },
}
