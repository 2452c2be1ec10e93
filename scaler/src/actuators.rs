//! Says what an actuator does, whatever platform it commands.

mod ansible;
mod choice;
mod command;
mod compose_cli;
#[cfg(test)]
mod conformance;
mod docker;
mod gateway_endpoints;
mod observe_only;
mod platform;
mod processes;
mod program;
mod replica_count;

use std::fmt::Debug;
use std::time::Duration;

use futures_util::future::BoxFuture;
use scaler_engine::{ActionOutcome, Phase, ResourceRequests};

pub(crate) use choice::choose;

use crate::service_event::News;

/// Starts and stops replicas.
pub(crate) trait Actuator: Debug + Send + Sync {
    /// The replicas that exist, as the platform lists them.
    fn observe(&self) -> BoxFuture<'_, Result<Listing, ActuatorError>>;

    /// Brings the count of replicas to `asked` and reads it back.
    ///
    /// Every order and the reading back are bounded in time, and what is reported as the count afterwards was seen. One
    /// who asks while another's action is under way waits for its end.
    fn scale_to(&self, asked: u32) -> BoxFuture<'_, ScaleReport>;

    /// What happened to the replicas lately, where the platform keeps that; the same again each time, with its number.
    fn news(&self) -> BoxFuture<'_, Vec<News>> {
        Box::pin(std::future::ready(Vec::new()))
    }

    /// Whether it carries decisions out.
    fn acts(&self) -> bool {
        true
    }
}

/// What a platform tells of its replicas.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Listing {
    /// Those that count, and those on their way out.
    pub(crate) replicas: Replicas,
    /// Those that exist and do not run: they do not count.
    pub(crate) not_running: Vec<ReplicaEntry>,
    /// The count that the platform itself keeps up; none where it keeps up none.
    pub(crate) desired: Option<u32>,
    /// What each replica asks for that does not say so itself.
    pub(crate) requests: ResourceRequests,
}

/// Which replicas there are, as far as a platform tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) enum Replicas {
    /// This actuator commands nobody: others decide who exists, and the gateway's list is all there is.
    #[default]
    Unlisted,
    /// How many there are; who they are, only the gateway knows.
    Count(u32),
    /// Each of them.
    Each(Vec<ReplicaEntry>),
}

impl Listing {
    /// What a platform tells that knows only how many there are.
    pub(crate) fn of_count(count: u32) -> Self {
        Self { replicas: Replicas::Count(count), ..Self::default() }
    }

    /// What a platform tells that knows each of them.
    pub(crate) fn of_each(entries: Vec<ReplicaEntry>) -> Self {
        Self { replicas: Replicas::Each(entries), ..Self::default() }
    }

    /// Replicas that count: those not on their way out. None where nobody is commanded.
    pub(crate) fn count(&self) -> Option<u32> {
        match &self.replicas {
            Replicas::Unlisted => None,
            Replicas::Count(count) => Some(*count),
            Replicas::Each(entries) => {
                let staying = entries.iter().filter(|entry| !entry.is_stopping).count();
                Some(u32::try_from(staying).unwrap_or(u32::MAX))
            }
        }
    }

    /// The replicas that are known one by one.
    pub(crate) fn entries(&self) -> &[ReplicaEntry] {
        match &self.replicas {
            Replicas::Each(entries) => entries,
            Replicas::Unlisted | Replicas::Count(_) => &[],
        }
    }

    /// The same with these requests for what is not asked for otherwise.
    pub(crate) fn with_requests(mut self, requests: ResourceRequests) -> Self {
        self.requests = or(self.requests, requests);
        self
    }

    /// The replica with this address.
    pub(crate) fn entry_at(&self, url: &str) -> Option<&ReplicaEntry> {
        let is_it = |entry: &&ReplicaEntry| entry.url.as_deref().is_some_and(|own| same_address(own, url));
        self.entries().iter().find(is_it)
    }
}

/// What is asked for, and where nothing is, what `otherwise` asks for.
pub(crate) fn or(requests: ResourceRequests, otherwise: ResourceRequests) -> ResourceRequests {
    ResourceRequests {
        cpu_cores: requests.cpu_cores.or(otherwise.cpu_cores),
        memory_bytes: requests.memory_bytes.or(otherwise.memory_bytes),
    }
}

/// Whether two addresses are one, however they end.
pub(crate) fn same_address(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

/// A replica as its platform lists it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ReplicaEntry {
    /// The platform's name for it.
    pub(crate) id: String,
    /// Its address, as soon as it has one.
    pub(crate) url: Option<String>,
    /// Its process, where it is one.
    pub(crate) pid: Option<u32>,
    /// Whether it is on its way out.
    pub(crate) is_stopping: bool,
    /// When it started by the platform's own clock (time since the Unix epoch), which only tells replicas apart and which of
    /// them is newer.
    pub(crate) started_at: Option<Duration>,
    /// How long it has been there.
    pub(crate) age: Option<Duration>,
    /// Where it is in its life.
    pub(crate) phase: Phase,
    /// Whether the platform finds it ready; none where it does not look.
    pub(crate) is_ready: Option<bool>,
    /// What it asks the platform for.
    pub(crate) requests: ResourceRequests,
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
    /// What was done, one entry for each order that was carried out.
    pub(crate) did: Vec<String>,
    /// What went wrong; none if the count read back is the one asked for.
    pub(crate) problem: Option<ActuatorError>,
}

impl ScaleReport {
    /// What a control loop learns of it.
    pub(crate) fn outcome(&self) -> ActionOutcome {
        let Self { before, asked, after, .. } = *self;
        ActionOutcome { before, asked, after, succeeded: self.succeeded() }
    }

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
    /// What it was told to command is not there, or is not what it should be; asking again changes nothing.
    #[error("{0}")]
    Setting(String),
    /// The platform took every order, but the count did not become what was asked for.
    #[error(
        "{asked} replicas were asked for, but after {waited:?} there are {found}{}{}",
        if .because.is_empty() { "" } else { ": " },
        .because.join(", ")
    )]
    NotReached {
        /// The count asked for.
        asked: u32,
        /// The count found at last.
        found: u32,
        /// How long was waited.
        waited: Duration,
        /// What the platform says of those that are missing, if anything.
        because: Vec<String>,
    },
    /// This actuator commands nobody.
    #[error("the actuator is `none`: it observes and changes nothing")]
    ObservesOnly,
}
