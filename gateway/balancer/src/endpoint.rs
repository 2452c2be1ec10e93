//! Holds what is known of one endpoint besides its score.

use alloc::sync::Arc;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::ejection::Ejection;
use crate::ewma::Decay;
use crate::health::Health;
use crate::score::Score;
use crate::window::{OutcomeCounts, Past};

/// Names one stay of an address in a rotation, in the order in which they were added. An address that was removed and put
/// again has a new one, so a late record of the old stay does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId {
    /// Counts the stays of a rotation, from 1.
    pub(crate) number: u64,
    /// Where its endpoint lies, for as long as the number is that of the place.
    pub(crate) place: u32,
}

impl EndpointId {
    /// Where its endpoint lies while it is there; afterwards another one may. Places count from 0 and stay few.
    #[inline]
    pub const fn place(self) -> usize {
        self.place as usize
    }
}

#[cfg(test)]
impl EndpointId {
    pub(crate) fn for_test(number: u64) -> Self {
        Self { number, place: 0 }
    }
}

/// Where an endpoint stands, as others see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Waits for its probes: not admitted yet, or out because `/ready` failed and not admitted again.
    Starting,
    /// In rotation.
    Ready,
    /// Leaves: gets no more requests and finishes those it has.
    Draining,
    /// Out because its answers failed, for the time of its back-off.
    Ejected,
}

impl State {
    /// All states, in the order of an endpoint's life.
    pub const ALL: [Self; 4] = [Self::Starting, Self::Ready, Self::Draining, Self::Ejected];

    /// The name used in the API and as a metric's label.
    pub fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Draining => "draining",
            Self::Ejected => "ejected",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Not admitted yet, or again: its probes decide.
    Starting,
    Ready,
    Draining,
    Ejected {
        until: Duration,
    },
}

/// What an observer sees of an endpoint.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EndpointView<'a> {
    /// Its name for the other calls.
    pub id: EndpointId,
    /// Its address, as it was put.
    pub url: &'a str,
    /// Where it stands.
    pub state: State,
    /// Requests picked and not released.
    pub in_flight: u32,
    /// Peak EWMA of its latency, in seconds.
    pub ewma_seconds: f64,
    /// Requests it was picked for.
    pub picked: u64,
    /// Answers since it was added.
    pub answers: OutcomeCounts,
    /// Times it was ejected.
    pub ejections: u64,
}

/// The cold part of an endpoint: what changes its standing and what observers see.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) id: EndpointId,
    pub(crate) url: Arc<str>,
    /// Put by an order, so that its absence from DNS means nothing.
    pub(crate) pinned: bool,
    /// DNS answers in a row without it.
    pub(crate) absent_answers: u32,
    pub(crate) phase: Phase,
    /// No caller waits for the end of its draining: it is forgotten with its last request.
    pub(crate) forget_when_idle: bool,
    pub(crate) health: Health,
    /// When its next probe is scheduled, if it is.
    pub(crate) probe_scheduled_at: Option<Duration>,
    pub(crate) past: Past,
    pub(crate) ejection: Ejection,
    pub(crate) picked: u64,
    pub(crate) ejections: u64,
}

impl Endpoint {
    pub(crate) fn new(id: EndpointId, url: Arc<str>, pinned: bool, now: Duration) -> Self {
        Self {
            id,
            url,
            pinned,
            absent_answers: 0,
            phase: Phase::Starting,
            forget_when_idle: false,
            health: Health::new(now),
            probe_scheduled_at: None,
            past: Past::default(),
            ejection: Ejection::default(),
            picked: 0,
            ejections: 0,
        }
    }

    pub(crate) fn view<'a>(&'a self, score: &Score, now_nanos: u64, decay: &Decay) -> EndpointView<'a> {
        EndpointView {
            id: self.id,
            url: &self.url,
            state: match self.phase {
                Phase::Starting => State::Starting,
                Phase::Ready => State::Ready,
                Phase::Draining => State::Draining,
                Phase::Ejected { .. } => State::Ejected,
            },
            in_flight: score.in_flight,
            ewma_seconds: score.ewma.seconds_at(now_nanos, decay),
            picked: self.picked,
            answers: score.window.all(&self.past),
            ejections: self.ejections,
        }
    }
}
