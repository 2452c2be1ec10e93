//! What a driven `ScaledObject` remembers: its autoscaler's history, and that of activation.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::hpa::HpaHistory;
use crate::policy::keda::Readiness;

/// What a [`ScaledObjectPolicy`](super::ScaledObjectPolicy) remembers between checks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaledObjectHistory {
    /// Of the generated autoscaler; events of activation stand there too.
    pub hpa: HpaHistory,
    /// When it was first checked, which counts as its creation.
    pub created_at: Option<Duration>,
    /// When a trigger was last active.
    pub last_active_at: Option<Duration>,
    /// When activation is due next.
    pub next_poll_at: Option<Duration>,
    /// When the autoscaler is due next.
    pub next_sync_at: Option<Duration>,
    /// Failed queries in a row, for each trigger.
    pub failures: Vec<u32>,
    /// The exported value of each trigger at the last polling, in thousandths.
    pub polled: Vec<Option<i64>>,
    /// A count that activation asked for and of which nothing is known yet.
    pub activating: Option<Activating>,
    /// Whether the last polling found the target active; none before the first.
    pub active: Option<bool>,
    /// What the last polling said of the condition Ready.
    pub ready: Readiness,
    /// Whether a fallback stands in.
    pub in_fallback: bool,
    /// Why a trigger failed at the last polling.
    pub trigger_error: Option<String>,
}

/// A count that activation asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activating {
    /// The count so far.
    pub from: u32,
    /// The count asked for.
    pub to: u32,
    /// Whether the time of the last activity becomes that of the action.
    pub refresh_last_active: bool,
}
