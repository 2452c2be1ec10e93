//! Counts what came of every request, from the moment the last user has started for exactly the time that was asked.
//!
//! ## Why our own window
//! Goose rounds its duration to whole seconds and counts requests until the last user is gone, so its rates are off
//! by several per cent in a run of ten seconds. Here a request counts when it ends inside the window, and the
//! window's length is known to the microsecond.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::exchange::{Exchange, Outcome};
use crate::failure_kind::FailureKind;

mod histogram;

pub use histogram::Latency;

pub(crate) use histogram::Histogram;

/// What came of the requests of one name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Requests that ended, whatever came of them.
    pub(crate) requests: u64,
    /// Of these, refused.
    pub(crate) refusals: u64,
    /// Of these, failed, by kind.
    pub(crate) failures: BTreeMap<FailureKind, u64>,
    /// Response times of those that were answered and not refused.
    pub(crate) times: Histogram,
}

impl Tally {
    fn record(&mut self, exchange: &Exchange) {
        self.requests += 1;
        match exchange.outcome {
            Outcome::Succeeded => {}
            Outcome::Refused => self.refusals += 1,
            Outcome::Failed(kind) => *self.failures.entry(kind).or_default() += 1,
        }
        if exchange.outcome.has_latency() {
            self.times.record(exchange.duration);
        }
    }

    /// Adds all that `other` counted.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.refusals += other.refusals;
        for (kind, count) in &other.failures {
            *self.failures.entry(*kind).or_default() += count;
        }
        self.times.merge(&other.times);
    }

    /// Failed requests of every kind.
    pub(crate) fn failed(&self) -> u64 {
        self.failures.values().sum()
    }
}

/// Where the run is.
#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Not all users have started; counted too, in case it never gets further, and forgotten when it does.
    RampUp,
    /// All users act until then.
    Steady { until: Instant },
    /// Stopped early.
    Stopped { at: Instant, ramped_up: bool },
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// Since when is counted; `None` before the first user has started.
    since: Option<Instant>,
    started_users: usize,
    active_users: usize,
    tallies: BTreeMap<String, Tally>,
}

/// What was counted up to some moment.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    /// Whether all users have started, and only what came after is counted.
    pub(crate) ramped_up: bool,
    /// Users who act.
    pub(crate) active_users: usize,
    /// How long was counted.
    pub(crate) measured: Duration,
    /// By the request's name.
    pub(crate) tallies: BTreeMap<String, Tally>,
}

/// The one place where a run's requests are counted; shared by all users.
#[derive(Debug)]
pub(crate) struct Recorder {
    users: usize,
    run_time: Duration,
    state: Mutex<State>,
}

impl Recorder {
    /// Counts for `run_time` once `users` have started; names without a request are in the result, too.
    pub(crate) fn new(users: usize, run_time: Duration, names: impl IntoIterator<Item = String>) -> Self {
        let tallies = names.into_iter().map(|name| (name, Tally::default())).collect();
        let state = State { phase: Phase::RampUp, since: None, started_users: 0, active_users: 0, tallies };
        Self { users, run_time, state: Mutex::new(state) }
    }

    /// A user begins to act; with the last one, counting begins anew.
    pub(crate) fn user_started(&self, now: Instant) {
        let mut state = self.state.lock();
        state.started_users += 1;
        state.active_users += 1;
        state.since.get_or_insert(now);
        if matches!(state.phase, Phase::RampUp) && state.started_users >= self.users {
            state.phase = Phase::Steady { until: now + self.run_time };
            state.since = Some(now);
            state.tallies.values_mut().for_each(|tally| *tally = Tally::default());
        }
    }

    /// A user has stopped acting.
    pub(crate) fn user_stopped(&self) {
        let mut state = self.state.lock();
        state.active_users = state.active_users.saturating_sub(1);
    }

    /// Counts a request that ended in time.
    pub(crate) fn record(&self, name: &str, exchange: &Exchange) {
        let mut state = self.state.lock();
        if state.end().is_some_and(|end| exchange.ended_at > end) {
            return;
        }
        if let Some(tally) = state.tallies.get_mut(name) {
            tally.record(exchange);
        }
    }

    /// Ends counting now; whether it would have gone on.
    pub(crate) fn stop(&self, now: Instant) -> bool {
        let mut state = self.state.lock();
        if state.end().is_some_and(|end| end <= now) {
            return false;
        }
        state.phase = Phase::Stopped { at: now, ramped_up: matches!(state.phase, Phase::Steady { .. }) };
        true
    }

    /// When counting ends or has ended, as far as is known.
    pub(crate) fn end(&self) -> Option<Instant> {
        self.state.lock().end()
    }

    /// What was counted until now.
    pub(crate) fn snapshot(&self, now: Instant) -> Snapshot {
        let state = self.state.lock();
        let end = state.end().map_or(now, |end| end.min(now));
        Snapshot {
            ramped_up: match state.phase {
                Phase::RampUp => false,
                Phase::Steady { .. } => true,
                Phase::Stopped { ramped_up, .. } => ramped_up,
            },
            active_users: state.active_users,
            measured: state.since.map_or(Duration::ZERO, |since| end.saturating_duration_since(since)),
            tallies: state.tallies.clone(),
        }
    }
}

impl State {
    fn end(&self) -> Option<Instant> {
        match self.phase {
            Phase::RampUp => None,
            Phase::Steady { until } => Some(until),
            Phase::Stopped { at, .. } => Some(at),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{FailureKind, Recorder};
    use crate::exchange::{Exchange, Outcome};

    const NAME: &str = "GET /";
    const SECOND: Duration = Duration::from_secs(1);

    fn recorder(users: usize) -> Recorder {
        Recorder::new(users, 10 * SECOND, [NAME.to_owned()])
    }

    fn ended(ended_at: Instant, outcome: Outcome) -> Exchange {
        Exchange { outcome, status: None, duration: Duration::from_millis(20), ended_at }
    }

    #[test]
    fn what_ends_in_the_ramp_up_or_after_the_run_time_is_not_counted() {
        let (recorder, start) = (recorder(2), Instant::now());
        recorder.user_started(start);
        recorder.record(NAME, &ended(start + SECOND, Outcome::Succeeded));
        recorder.user_started(start + 2 * SECOND);
        for seconds in [3, 11, 12, 13] {
            recorder.record(NAME, &ended(start + seconds * SECOND, Outcome::Succeeded));
        }
        let snapshot = recorder.snapshot(start + 20 * SECOND);
        assert!(snapshot.ramped_up);
        assert_eq!(snapshot.measured, 10 * SECOND);
        assert_eq!(snapshot.tallies[NAME].requests, 3, "those that ended at 3, 11 and 12 s");
        assert!(!recorder.stop(start + 20 * SECOND), "there is nothing left to cut short");
    }

    #[test]
    fn a_stop_ends_counting_and_keeps_what_was_counted() {
        let (recorder, start) = (recorder(1), Instant::now());
        recorder.user_started(start);
        recorder.record(NAME, &ended(start + SECOND, Outcome::Succeeded));
        assert!(recorder.stop(start + 4 * SECOND));
        recorder.record(NAME, &ended(start + 5 * SECOND, Outcome::Succeeded));
        let snapshot = recorder.snapshot(start + 6 * SECOND);
        assert_eq!((snapshot.measured, snapshot.tallies[NAME].requests), (4 * SECOND, 1));
        assert!(snapshot.ramped_up);
    }

    #[test]
    fn a_stop_in_the_ramp_up_leaves_what_the_ramp_up_brought() {
        let (recorder, start) = (recorder(2), Instant::now());
        recorder.user_started(start);
        recorder.record(NAME, &ended(start + SECOND, Outcome::Succeeded));
        assert!(recorder.stop(start + 2 * SECOND));
        recorder.user_started(start + 3 * SECOND);
        let snapshot = recorder.snapshot(start + 4 * SECOND);
        assert_eq!((snapshot.measured, snapshot.tallies[NAME].requests), (2 * SECOND, 1));
        assert!(!snapshot.ramped_up);
    }

    #[test]
    fn refusals_and_lost_requests_have_no_response_time() {
        let (recorder, start) = (recorder(1), Instant::now());
        recorder.user_started(start);
        for outcome in [
            Outcome::Refused,
            Outcome::Failed(FailureKind::TimedOut),
            Outcome::Failed(FailureKind::NoConnection),
        ] {
            recorder.record(NAME, &ended(start, outcome));
        }
        let tally = &recorder.snapshot(start).tallies[NAME];
        assert_eq!((tally.requests, tally.refusals, tally.failed()), (3, 1, 2));
        assert_eq!(tally.times.latency(), None);
        recorder.record(NAME, &ended(start, Outcome::Failed(FailureKind::Status(500))));
        assert!(recorder.snapshot(start).tallies[NAME].times.latency().is_some(), "a 500 is an answer");
    }
}
