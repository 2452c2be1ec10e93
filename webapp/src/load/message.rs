//! The load state as replicas send it to each other: no wall clock, only how far a schedule has come.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use workload::Shape;

use super::version::Version;

/// The whole state of the load factor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LoadMessage {
    pub(crate) version: Version,
    pub(crate) factor: f64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) schedule: Option<ScheduleMessage>,
}

/// A shape and the time that has elapsed in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ScheduleMessage {
    pub(crate) shape: Shape,
    elapsed_seconds: f64,
}

impl ScheduleMessage {
    pub(crate) fn new(shape: &Shape, elapsed: Duration) -> Self {
        Self { shape: shape.clone(), elapsed_seconds: elapsed.as_secs_f64() }
    }

    /// The elapsed time; a number that is none counts as the beginning.
    pub(crate) fn elapsed(&self) -> Duration {
        Duration::try_from_secs_f64(self.elapsed_seconds).unwrap_or_default()
    }
}
