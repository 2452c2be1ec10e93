//! What an autoscaler remembers from pass to pass.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::hpa::{Conditions, Recommendation, ScaleEvent};

/// The history and status of one autoscaler.
///
/// Upstream holds recommendations and events in memory only, so that a restart of the controller loses them; drop
/// them to see what that does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HpaState {
    /// Recommendations in the order of their places; none before the first pass, which seeds them.
    pub recommendations: Option<Vec<Recommendation>>,
    /// Changes upwards.
    pub scale_up_events: Vec<ScaleEvent>,
    /// Changes downwards.
    pub scale_down_events: Vec<ScaleEvent>,
    /// The conditions of the status.
    pub conditions: Conditions,
    /// `desiredReplicas` of the status; none before the first pass that came to a count.
    pub desired_replicas: Option<u32>,
    /// When the count was last changed, counted from the origin of the run.
    pub last_scale_at: Option<Duration>,
}
