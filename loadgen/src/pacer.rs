//! Hands the slots of the schedule to users: one of each kind waits for the next slot, the others wait for their turn.
//!
//! ## Leader and followers
//! Of the free users of a kind one leads: it takes the next intended start and sleeps until then. When it goes to send,
//! the user that came free last leads. So no task stands between the schedule and the users, a slot never waits while a
//! user is free, and no more users act than the service's slowness demands.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::metrics::LoadMetrics;
use crate::phase::{Phase, Phases};
use crate::recorder::Recorder;
use crate::schedule::Schedule;

/// The runtime's clock ticks each millisecond.
const CLOCK_TICK: Duration = Duration::from_millis(1);

#[derive(Debug)]
struct Kind {
    led: bool,
    followers: Vec<oneshot::Sender<()>>,
    /// Followers who were called and have not come yet.
    called: usize,
}

#[derive(Debug)]
struct State {
    schedule: Schedule,
    kinds: Vec<Kind>,
    /// Slots for which no user was free at their intended start.
    waited_for_user: u64,
    sent: u64,
}

/// Hands out the slots of a schedule.
#[derive(Debug)]
pub(crate) struct Pacer {
    state: Mutex<State>,
    /// A slot that has waited longer is not sent any more.
    patience: Duration,
    recorder: Arc<Recorder>,
    metrics: LoadMetrics,
}

/// How the pacing went.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pacing {
    /// Slots that were sent.
    pub(crate) sent: u64,
    /// Of these, sent late because every user of the kind was busy.
    pub(crate) waited_for_user: u64,
}

impl Pacer {
    pub(crate) fn new(
        schedule: Schedule,
        kinds: usize,
        patience: Duration,
        recorder: Arc<Recorder>,
        metrics: LoadMetrics,
    ) -> Self {
        let kinds = (0..kinds).map(|_| Kind { led: false, followers: Vec::new(), called: 0 }).collect();
        let state = State { schedule, kinds, waited_for_user: 0, sent: 0 };
        Self { state: Mutex::new(state), patience, recorder, metrics }
    }

    /// Waits for a slot of this kind; its intended start, or none where the run is over or has no more slots.
    pub(crate) async fn next(&self, kind: usize, phases: &mut Phases) -> Option<Instant> {
        let since = phases.running().await?;
        let was_free = self.lead(kind, phases).await?;
        let slot = self.take(kind, since, was_free, phases).await;
        self.hand_over(kind);
        slot
    }

    /// How the pacing went until now.
    pub(crate) fn pacing(&self) -> Pacing {
        let state = self.state.lock();
        Pacing { sent: state.sent, waited_for_user: state.waited_for_user }
    }

    /// Counts what was not sent by `now`, the end of the run that began at `since`.
    pub(crate) fn finish(&self, since: Instant, now: Instant) {
        let elapsed = now.saturating_duration_since(since);
        let rest = self.state.lock().schedule.finish(elapsed);
        for start in rest {
            self.give_up(since + start, elapsed.saturating_sub(start));
        }
    }

    /// Waits until this user leads its kind; whether a user of the kind was free when the last leader went to send.
    async fn lead(&self, kind: usize, phases: &mut Phases) -> Option<bool> {
        let mut was_called = false;
        loop {
            let turn = {
                let mut state = self.state.lock();
                let kind = state.kinds.get_mut(kind)?;
                let was_free = kind.called > 0;
                kind.called -= usize::from(was_called);
                if kind.led {
                    let (call, turn) = oneshot::channel();
                    kind.followers.push(call);
                    turn
                } else {
                    kind.led = true;
                    return Some(was_free);
                }
            };
            tokio::select! {
                called = turn => was_called = called.is_ok(),
                () = phases.reach(Phase::Over) => return None,
            }
        }
    }

    /// As the leader: takes the next slot and waits for its time.
    async fn take(
        &self,
        kind: usize,
        since: Instant,
        was_free: bool,
        phases: &mut Phases,
    ) -> Option<Instant> {
        loop {
            if phases.is_over() {
                return None;
            }
            let next = self.state.lock().schedule.next(kind);
            let Some(start) = next.map(|start| since + start) else {
                phases.reach(Phase::Over).await;
                return None;
            };
            let now = Instant::now();
            let waited = now.saturating_duration_since(start);
            if waited > self.patience {
                self.give_up(start, waited);
                self.drop_overdue(since, now);
                continue;
            }
            if start > now {
                tokio::select! {
                    // A slot whose time has come is sent, whatever else happens at that moment.
                    biased;
                    () = tokio::time::sleep_until(start.into()) => {}
                    () = phases.reach(Phase::Over) => return None,
                }
            }
            // The clock of the runtime ticks each millisecond: what comes within one is not late.
            let waited_for_user = !was_free && waited > CLOCK_TICK;
            if !waited_for_user {
                self.recorder.late(Instant::now().saturating_duration_since(start));
            }
            self.metrics.request_due();
            let mut state = self.state.lock();
            state.sent += 1;
            state.waited_for_user += u64::from(waited_for_user);
            return Some(start);
        }
    }

    /// Slots of other kinds, whose users are all busy, must not pile up.
    fn drop_overdue(&self, since: Instant, now: Instant) {
        let Some(until) = now.saturating_duration_since(since).checked_sub(self.patience) else { return };
        let overdue = self.state.lock().schedule.take_overdue(until);
        for start in overdue {
            let start = since + start;
            self.give_up(start, now.saturating_duration_since(start));
        }
    }

    /// Counts a slot that is never sent; it was due all the same.
    fn give_up(&self, start: Instant, waited: Duration) {
        self.metrics.request_due();
        self.recorder.unsent(start, waited);
    }

    /// Lets the user that came free last lead.
    fn hand_over(&self, kind: usize) {
        let mut state = self.state.lock();
        let Some(kind) = state.kinds.get_mut(kind) else { return };
        kind.led = false;
        // One that has left in the meantime cannot be called.
        while let Some(follower) = kind.followers.pop() {
            if follower.send(()).is_ok() {
                kind.called += 1;
                break;
            }
        }
    }
}
