//! What a driven revision remembers: its windows, its panic, and where it stands on the way to zero.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::EventLog;
use crate::policy::knative::{ActiveState, KpaState, Windows};

/// What a [`KnativePolicy`](super::KnativePolicy) remembers between checks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KnativeHistory {
    /// What was reported lately; none before the first check.
    pub windows: Option<Windows>,
    /// Panic and delay; none before the first check.
    pub kpa: Option<KpaState>,
    /// When the next decision is due.
    pub next_tick_at: Option<Duration>,
    /// The last valid decision.
    pub decided: Option<Decided>,
    /// The condition Active, and since when it has been so; none before the first check.
    pub active: Option<Since>,
    /// Since when traffic has been set to go through the activator; none while it is not.
    pub in_path_since: Option<Duration>,
    /// Whether the revision once had its initial pods.
    pub is_initialized: bool,
    /// What was told of lately.
    pub events: EventLog,
}

/// A valid decision.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The count, before bounds and the stages on the way to zero.
    pub desired: u32,
    /// What could be carried beyond the load and the target burst.
    pub excess_burst_capacity: i32,
    /// The average over the stable window.
    pub stable: f64,
    /// The average over the panic window.
    pub panic: f64,
    /// The pods that were ready.
    pub ready: u32,
}

/// A state, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Since {
    /// The state.
    pub state: ActiveState,
    /// Since when (run time).
    pub at: Duration,
}
