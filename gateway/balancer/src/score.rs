//! What a pick reads of an endpoint, in one cache line, and how answers change it.

use core::time::Duration;

use crate::comparison::LastAnswers;
use crate::ewma::{Decay, PeakEwma};
use crate::moment::Moment;
use crate::outcome::Outcome;
use crate::window::{Past, Window};

/// The hot part of an endpoint: a pick reads two of these and nothing else of their endpoints.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub(crate) struct Score {
    pub(crate) ewma: PeakEwma,
    pub(crate) admitted_nanos: u64,
    pub(crate) window: Window,
    pub(crate) in_flight: u32,
    /// Refused and failed answers since the last served one.
    pub(crate) unserved_streak: u32,
    /// 4xx answers since the last answer of another kind.
    pub(crate) client_error_streak: u32,
    pub(crate) last_answers: LastAnswers,
    /// Whether the endpoint's `Ejection` counts something, so that it has to see each answer.
    pub(crate) is_watched: bool,
}

// With 10,000 endpoints a second line for each costs more than all that is computed.
const _: () = assert!(size_of::<Score>() == 64, "a score fills one cache line");

impl Score {
    pub(crate) fn new(now_nanos: u64, assumed_latency: Duration) -> Self {
        Self {
            ewma: PeakEwma::new(now_nanos, assumed_latency),
            admitted_nanos: now_nanos,
            window: Window::default(),
            in_flight: 0,
            unserved_streak: 0,
            client_error_streak: 0,
            last_answers: LastAnswers::default(),
            is_watched: false,
        }
    }

    /// Enters the rotation with a clean slate: what it did before says little about what it does now. Requests in
    /// flight stay.
    pub(crate) fn admit(&mut self, now_nanos: u64, assumed_latency: Duration, past: &mut Past) {
        self.window.clear(past);
        self.admitted_nanos = now_nanos;
        self.ewma = PeakEwma::new(now_nanos, assumed_latency);
        self.unserved_streak = 0;
        self.client_error_streak = 0;
        self.last_answers = LastAnswers::default();
    }

    /// Takes in how a request went.
    #[inline]
    pub(crate) fn record(&mut self, now: Moment, outcome: Outcome, past: &mut Past, decay: &Decay) {
        self.window.record(now.step, outcome, past);
        self.unserved_streak = match outcome {
            Outcome::Success { .. } | Outcome::ClientError { .. } => 0,
            Outcome::Refused | Outcome::Failed { .. } => self.unserved_streak.saturating_add(1),
        };
        let is_client_error = matches!(outcome, Outcome::ClientError { .. });
        self.client_error_streak =
            if is_client_error { self.client_error_streak.saturating_add(1) } else { 0 };
        self.last_answers.add(is_client_error);
        match outcome {
            Outcome::Success { latency } | Outcome::ClientError { latency } => {
                self.ewma.record(now.nanos, latency, decay);
            }
            // A quick failure must not look fast: it is taken in only where it is slower than what is known.
            Outcome::Failed { after } if after.as_secs_f64() > self.ewma.seconds_at(now.nanos, decay) => {
                self.ewma.record(now.nanos, after, decay);
            }
            Outcome::Refused | Outcome::Failed { .. } => {}
        }
    }
}
