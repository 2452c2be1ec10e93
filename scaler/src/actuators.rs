//! Says what an actuator does, whatever platform it commands.

mod observe_only;
mod processes;

use std::time::Duration;

use futures_util::future::BoxFuture;

pub(crate) use observe_only::ObserveOnly;
pub(crate) use processes::Processes;

/// Starts and stops replicas.
pub(crate) trait Actuator: Send + Sync {
    /// The replicas that exist; none if this actuator commands nobody, and others decide who exists.
    fn observe(&self) -> BoxFuture<'_, Result<Option<Vec<ReplicaEntry>>, ActuatorError>>;

    /// Brings the count of replicas to `asked` and reads it back.
    ///
    /// Every order and the reading back are bounded in time, and what is reported as the count afterwards was seen.
    fn scale_to(&self, asked: u32) -> BoxFuture<'_, ScaleReport>;

    /// Whether it carries decisions out.
    fn acts(&self) -> bool {
        true
    }
}

/// A replica as its platform lists it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ReplicaEntry {
    /// The platform's name for it.
    pub(crate) id: String,
    /// Its address, as soon as it has one.
    pub(crate) url: Option<String>,
    /// Its process, where it is one.
    pub(crate) pid: Option<u32>,
    /// Whether it is on its way out.
    pub(crate) is_stopping: bool,
    /// When it started (time since the Unix epoch).
    pub(crate) started_at: Option<Duration>,
}

/// Replicas that count: those not on their way out.
pub(crate) fn count(entries: &[ReplicaEntry]) -> u32 {
    u32::try_from(entries.iter().filter(|entry| !entry.is_stopping).count()).unwrap_or(u32::MAX)
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ScaleReport {
    /// The count before; none if it could not be read.
    pub(crate) before: Option<u32>,
    /// The count asked for.
    pub(crate) asked: u32,
    /// The count afterwards, as it was read back; none if it could not be.
    pub(crate) after: Option<u32>,
    /// From the first request to the last answer.
    pub(crate) took: Duration,
    /// What went wrong; none if the count read back is the one asked for.
    pub(crate) problem: Option<ActuatorError>,
}

impl ScaleReport {
    /// Whether the count read back is the one asked for.
    pub(crate) fn succeeded(&self) -> bool {
        self.problem.is_none() && self.after == Some(self.asked)
    }
}

/// Why replicas could not be seen or changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ActuatorError {
    /// The platform did not answer, or refused.
    #[error("{0}")]
    Platform(String),
    /// The platform took every order, but the count did not become what was asked for.
    #[error("{asked} replicas were asked for, but after {waited:?} there are {found}")]
    NotReached {
        /// The count asked for.
        asked: u32,
        /// The count found at last.
        found: u32,
        /// How long was waited.
        waited: Duration,
    },
    /// This actuator commands nobody.
    #[error("the actuator is `none`: it observes and changes nothing")]
    ObservesOnly,
}
