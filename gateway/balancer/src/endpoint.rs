//! Holds all that is known of one endpoint.

use alloc::string::String;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::comparison::LastAnswers;
use crate::ejection::Ejection;
use crate::ewma::PeakEwma;
use crate::health::Health;
use crate::settings::LatencySettings;
use crate::window::{OutcomeCounts, OutcomeWindow};

/// Names one stay of an address in a rotation. An address that was removed and put again has a new one, so a late
/// record of the old stay does no harm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(pub(crate) u64);

#[cfg(test)]
impl EndpointId {
    pub(crate) fn for_test(number: u64) -> Self {
        Self(number)
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

#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) id: EndpointId,
    pub(crate) url: String,
    /// Put by somebody, so that its absence from DNS means nothing.
    pub(crate) pinned: bool,
    /// DNS answers in a row without it.
    pub(crate) absent_answers: u32,
    pub(crate) phase: Phase,
    /// Nobody waits for the end of its draining: it is forgotten with its last request.
    pub(crate) forget_when_idle: bool,
    pub(crate) health: Health,
    pub(crate) ewma: PeakEwma,
    pub(crate) window: OutcomeWindow,
    /// Refused and failed answers since the last served one.
    pub(crate) unserved_streak: u32,
    /// 4xx answers since the last answer of another kind.
    pub(crate) client_error_streak: u32,
    pub(crate) last_answers: LastAnswers,
    pub(crate) ejection: Ejection,
    pub(crate) in_flight: u32,
    pub(crate) admitted_at: Duration,
    pub(crate) picked: u64,
    pub(crate) answers: OutcomeCounts,
    pub(crate) ejections: u64,
}

impl Endpoint {
    pub(crate) fn new(
        id: EndpointId,
        url: String,
        pinned: bool,
        now: Duration,
        assumed_latency: Duration,
    ) -> Self {
        Self {
            id,
            url,
            pinned,
            absent_answers: 0,
            phase: Phase::Starting,
            forget_when_idle: false,
            health: Health::new(now),
            ewma: PeakEwma::new(now, assumed_latency),
            window: OutcomeWindow::default(),
            unserved_streak: 0,
            client_error_streak: 0,
            last_answers: LastAnswers::default(),
            ejection: Ejection::default(),
            in_flight: 0,
            admitted_at: now,
            picked: 0,
            answers: OutcomeCounts::default(),
            ejections: 0,
        }
    }

    /// Begins anew, as if just put; requests in flight and totals stay.
    pub(crate) fn restart(&mut self, now: Duration) {
        self.phase = Phase::Starting;
        self.forget_when_idle = false;
        self.absent_answers = 0;
        self.health = Health::new(now);
    }

    /// Enters the rotation with a clean slate: what it did before says little about what it does now.
    pub(crate) fn admit(&mut self, now: Duration, assumed_latency: Duration) {
        self.phase = Phase::Ready;
        self.admitted_at = now;
        self.ewma = PeakEwma::new(now, assumed_latency);
        self.window.clear();
        self.unserved_streak = 0;
        self.client_error_streak = 0;
        self.last_answers = LastAnswers::default();
        self.ejection.return_to_rotation(now);
    }

    pub(crate) fn view(&self, now: Duration, settings: &LatencySettings) -> EndpointView<'_> {
        EndpointView {
            id: self.id,
            url: &self.url,
            state: match self.phase {
                Phase::Starting => State::Starting,
                Phase::Ready => State::Ready,
                Phase::Draining => State::Draining,
                Phase::Ejected { .. } => State::Ejected,
            },
            in_flight: self.in_flight,
            ewma_seconds: self.ewma.seconds_at(now, settings),
            picked: self.picked,
            answers: self.answers,
            ejections: self.ejections,
        }
    }
}
