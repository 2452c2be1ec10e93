//! Says what people may ask of the running loop, and what they may be answered.

use std::sync::Arc;

use scaler_engine::{Limits, LimitsError, OutOfLimits};
use serde::Serialize;
use tokio::sync::oneshot;

use crate::policy_file::{NamedPolicy, PolicyFileError};
use crate::status::{DecisionStatus, Status};

/// Something asked by hand.
#[expect(clippy::large_enum_variant, reason = "commands come at the pace of people")]
#[derive(Debug)]
pub(crate) enum Command {
    /// Bring the count to this.
    SetReplicas { asked: u32, answer: oneshot::Sender<Result<ByHandOutcome, CommandError>> },
    /// Put these limits in force.
    SetLimits { limits: Limits, answer: oneshot::Sender<Result<Arc<Status>, LimitsError>> },
    /// Follow what was read from the policy's file, or go on as before where it cannot be followed. Nobody waits for it.
    SetPolicy { outcome: Result<NamedPolicy, PolicyFileError>, is_asked: bool },
    /// Stop automatic actions, or allow them again.
    Pause { pause: bool, answer: oneshot::Sender<Arc<Status>> },
}

/// What came of a count asked for by hand.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ByHandOutcome {
    pub(crate) decision: DecisionStatus,
    /// The count that was read back.
    pub(crate) reached: u32,
}

/// Why a count asked for by hand did not come.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CommandError {
    /// The limits do not allow it.
    #[error(transparent)]
    OutOfLimits(OutOfLimits),
    /// Another action is in flight.
    #[error("another action is being carried out")]
    Busy,
    /// The actuator is `none`.
    #[error("this scaler only observes: its actuator is `none`")]
    ObservesOnly,
    /// The platform has not told how many replicas there are.
    #[error("it is not known how many replicas there are")]
    CountUnknown,
    /// The actuator could not do it.
    #[error("{0}")]
    Failed(String),
}
