//! Counts the due requests of one level, so that users hand over the same record as the open-model engine.
//!
//! What users do on their start and stop belongs to no slot of the schedule and is not counted.

use std::time::{Duration, Instant};

use loadgen_baseline::measurement::tally::{Ended, LevelTally};
use loadgen_baseline::{LevelPlan, Measurement, SoFar};
use parking_lot::Mutex;

use crate::users::exchange::Exchange;

#[derive(Debug)]
struct State {
    /// When the schedule, and so the warm-up, began.
    since: Option<Instant>,
    tally: LevelTally,
}

/// The one place where the requests of a level are counted; shared by all users.
#[derive(Debug)]
pub(crate) struct LevelRecorder {
    state: Mutex<State>,
}

impl LevelRecorder {
    /// Counts what lies in the plan's hold.
    pub(crate) fn new(plan: &LevelPlan) -> Self {
        let tally = LevelTally::new(plan.rate_rps, plan.warm_up, plan.warm_up + plan.hold);
        Self { state: Mutex::new(State { since: None, tally }) }
    }

    /// The schedule begins; nothing is due before.
    pub(crate) fn begin(&self, now: Instant) {
        self.state.lock().since = Some(now);
    }

    /// How long the schedule has run; none before it began.
    pub(crate) fn elapsed(&self, now: Instant) -> Option<Duration> {
        self.state.lock().since.map(|since| now.saturating_duration_since(since))
    }

    /// A request that was due is being sent; `waited_for_user` is how long of its wait all users were busy.
    pub(crate) fn sent(&self, intended_at: Instant, sent_at: Instant, waited_for_user: Duration) {
        let mut state = self.state.lock();
        let (intended, sent) = (state.at(intended_at), state.at(sent_at));
        // A user has one request in flight at a time, as a connection has.
        state.tally.sent(intended, sent, waited_for_user);
    }

    /// A request that was due and sent is over; `name_index` is the place of its name.
    pub(crate) fn ended(&self, name_index: usize, exchange: &Exchange) {
        let mut state = self.state.lock();
        let ended = Ended {
            intended: state.at(exchange.intended_at),
            sent: state.at(exchange.sent_at),
            at: state.at(exchange.ended_at),
            request: name_index,
            outcome: Some(exchange.outcome),
        };
        if exchange.repeated {
            state.tally.repeated(ended.intended);
        }
        state.tally.ended(&ended);
    }

    /// A request that was due and sent is given up, because nobody waits for it any more.
    pub(crate) fn given_up(&self, name_index: usize, intended_at: Instant, sent_at: Instant, now: Instant) {
        let mut state = self.state.lock();
        let ended = Ended {
            intended: state.at(intended_at),
            sent: state.at(sent_at),
            at: state.at(now),
            request: name_index,
            outcome: None,
        };
        state.tally.ended(&ended);
    }

    /// A request that was due will not be sent, `waited` after its intended start; for `waited_for_user` of that all users
    /// were busy.
    pub(crate) fn unsent(&self, intended_at: Instant, waited: Duration, waited_for_user: Duration) {
        let mut state = self.state.lock();
        let intended = state.at(intended_at);
        // Which request a slot becomes is known once a user takes it.
        state.tally.unsent(None, intended, intended + waited, waited_for_user);
    }

    /// Nothing that is due from now on counts.
    pub(crate) fn stop(&self, now: Instant) {
        let mut state = self.state.lock();
        let end = state.at(now);
        state.tally.end_at(end);
    }

    /// What was counted so far, for showing how it goes.
    pub(crate) fn so_far(&self) -> SoFar {
        self.state.lock().tally.so_far()
    }

    /// The level is over at `end`, counted from the beginning of the warm-up; everything in flight has ended.
    pub(crate) fn measurement(&self, end: Duration, generator_cpu_cores: Option<f64>) -> Measurement {
        self.state.lock().tally.clone().finish(end, generator_cpu_cores)
    }
}

impl State {
    fn at(&self, instant: Instant) -> Duration {
        self.since.map_or(Duration::ZERO, |since| instant.saturating_duration_since(since))
    }
}
