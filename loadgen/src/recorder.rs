//! Counts what came of every request, from the moment the load is as it should be for exactly the time that was asked.
//!
//! ## What counts
//! Without a schedule a request counts when it was sent before the end of the window and did not end before its
//! beginning. What ends after the window is counted as late: in everything but the rates, which so are exact, because the
//! window's length is known to the microsecond (Goose rounds it to whole seconds, and counts until the last user is gone).
//! With a schedule a request counts when its intended start lies inside the window. In both models leaving out what has
//! not ended would leave out the slowest: what is given up counts as an error, with the time that it waited.

use std::time::{Duration, Instant};

use loadgen_baseline::{ErrorSum, LevelPlan};
use parking_lot::Mutex;

use crate::users::exchange::Exchange;

mod error_tally;
mod histogram;
mod level;
mod slowest;
mod tally;

pub(crate) use error_tally::{ErrorKind, ErrorTally};
pub(crate) use histogram::Histogram;
pub(crate) use level::LevelRecorder;
pub(crate) use slowest::SlowRequest;
pub(crate) use tally::Tally;

use slowest::Slowest;

#[derive(Debug)]
struct State {
    /// Since when is counted: the first user's start, then the window's beginning.
    since: Option<Instant>,
    /// When the window ends or ended, as far as is known.
    until: Option<Instant>,
    /// Whether the window has begun; what came before is counted too, in case it never does, and forgotten when it does.
    begun: bool,
    /// By the place of the name.
    tallies: Vec<Tally>,
    all: Tally,
    /// Of all, since it was last asked for.
    interval: Tally,
    slowest: Slowest,
    /// How much later than it wanted the generator itself did something.
    lateness: Histogram,
    interval_lateness: Histogram,
}

/// What was counted.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// Whether the window had begun, and only what came after is counted.
    pub(crate) begun: bool,
    /// The window's beginning.
    pub(crate) since: Option<Instant>,
    /// How long was counted.
    pub(crate) measured: Duration,
    /// By the place of the name.
    pub(crate) tallies: Vec<Tally>,
    pub(crate) all: Tally,
    pub(crate) slowest: Vec<SlowRequest>,
    pub(crate) lateness: Histogram,
}

/// The one place where a run's requests are counted; shared by all users.
#[derive(Debug)]
pub(crate) struct Recorder {
    /// Whether requests have an intended start.
    scheduled: bool,
    state: Mutex<State>,
    /// The same requests as one level of a baseline has them.
    level: Option<LevelRecorder>,
}

impl Recorder {
    /// Counts requests of `names` different names, with intended starts or without.
    pub(crate) fn new(names: usize, scheduled: bool) -> Self {
        let state = State {
            since: None,
            until: None,
            begun: false,
            tallies: vec![Tally::default(); names],
            all: Tally::default(),
            interval: Tally::default(),
            slowest: Slowest::default(),
            lateness: Histogram::default(),
            interval_lateness: Histogram::default(),
        };
        Self { scheduled, state: Mutex::new(state), level: None }
    }

    /// The same, and counts the requests of a level besides.
    pub(crate) fn of_level(names: usize, plan: &LevelPlan) -> Self {
        Self { level: Some(LevelRecorder::new(plan)), ..Self::new(names, true) }
    }

    /// Where the requests of a level are counted, if it is one.
    pub(crate) fn level(&self) -> Option<&LevelRecorder> {
        self.level.as_ref()
    }

    /// The first user begins to act.
    pub(crate) fn prepare(&self, now: Instant) {
        self.state.lock().since.get_or_insert(now);
    }

    /// The load is as it should be: counting begins anew, for `run_time`. Not after a stop.
    pub(crate) fn begin(&self, now: Instant, run_time: Duration) {
        let mut state = self.state.lock();
        if state.until.is_some() {
            return;
        }
        if let Some(level) = &self.level {
            level.begin(now);
        }
        state.begun = true;
        (state.since, state.until) = (Some(now), Some(now + run_time));
        state.tallies.iter_mut().for_each(Tally::reset);
        state.all.reset();
        state.interval.reset();
        state.slowest = Slowest::default();
        state.lateness.reset();
        state.interval_lateness.reset();
    }

    /// Counts a request that ended.
    pub(crate) fn record(&self, name_index: usize, exchange: &Exchange) {
        let mut state = self.state.lock();
        if !state.counts(exchange.intended_at, exchange.ended_at, self.scheduled) {
            return;
        }
        let state = &mut *state;
        let late = state.until.is_some_and(|until| exchange.ended_at > until);
        if let Some(tally) = state.tallies.get_mut(name_index) {
            tally.record(exchange, self.scheduled, late);
        }
        state.all.record(exchange, self.scheduled, late);
        if !late {
            state.interval.record(exchange, self.scheduled, false);
        }
        state.slowest.record(name_index, exchange);
    }

    /// Counts a slot of the schedule that was not sent `waited` after its intended start; `waited_for_user` is how long
    /// of that all users were busy.
    pub(crate) fn unsent(&self, intended_at: Instant, waited: Duration, waited_for_user: Duration) {
        if let Some(level) = &self.level {
            level.unsent(intended_at, waited, waited_for_user);
        }
        let mut state = self.state.lock();
        if state.counts(intended_at, intended_at + waited, self.scheduled) {
            state.all.unsent(intended_at, waited);
            state.interval.unsent(intended_at, waited);
        }
    }

    /// Counts a request that was sent and is given up.
    pub(crate) fn unanswered(&self, name_index: usize, intended_at: Instant, sent_at: Instant, now: Instant) {
        let mut state = self.state.lock();
        if !state.counts(intended_at, now, self.scheduled) {
            return;
        }
        if let Some(tally) = state.tallies.get_mut(name_index) {
            tally.unanswered(intended_at, sent_at, now, self.scheduled);
        }
        state.all.unanswered(intended_at, sent_at, now, self.scheduled);
    }

    /// The generator itself did something so much later than it wanted.
    pub(crate) fn late(&self, by: Duration) {
        let mut state = self.state.lock();
        state.lateness.record(by);
        state.interval_lateness.record(by);
    }

    /// Ends counting now; whether it would have gone on.
    pub(crate) fn stop(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        if state.until.is_some_and(|until| until <= now) {
            return false;
        }
        state.until = Some(now);
        if let Some(level) = &self.level {
            level.stop(now);
        }
        true
    }

    /// How long was counted until now.
    pub(crate) fn measured(&self, now: Instant) -> Duration {
        self.state.lock().measured(now)
    }

    /// The errors until now.
    pub(crate) fn error_sum(&self) -> ErrorSum {
        self.state.lock().all.error_sum()
    }

    /// What was counted since this was last asked for, of all requests, and how late the generator was.
    pub(crate) fn take_interval(&self) -> (Tally, Histogram) {
        let mut state = self.state.lock();
        let taken = (state.interval.clone(), state.interval_lateness.clone());
        state.interval.reset();
        state.interval_lateness.reset();
        taken
    }

    /// All that was counted until now.
    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        let state = self.state.lock();
        Snapshot {
            begun: state.begun,
            since: state.since,
            measured: state.measured(now),
            tallies: state.tallies.clone(),
            all: state.all.clone(),
            slowest: state.slowest.list().to_vec(),
            lateness: state.lateness.clone(),
        }
    }
}

impl State {
    /// Whether a request with this start, without a schedule its send, and this end counts.
    fn counts(&self, started_at: Instant, ended_at: Instant, scheduled: bool) -> bool {
        let first_counts = if scheduled { started_at } else { ended_at };
        let too_early = self.begun && self.since.is_some_and(|since| first_counts < since);
        !too_early && self.until.is_none_or(|until| started_at <= until)
    }

    fn measured(&self, now: Instant) -> Duration {
        let end = self.until.map_or(now, |until| until.min(now));
        self.since.map_or(Duration::ZERO, |since| end.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests;
