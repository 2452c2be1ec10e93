//! Hands the slots of the schedule to users: one of each kind waits for the next slot, the others wait for their turn.
//!
//! ## Leader and followers
//! Of the free users of a kind one leads: it takes the next intended start and sleeps until then. When it goes to send,
//! the user that came free last leads. So no task stands between the schedule and the users, a slot never waits while a
//! user is free, and no more users act than the service's slowness demands.

use std::sync::Arc;
use std::time::{Duration, Instant};

use loadgen_baseline::measurement::shortage::Shortage;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::metrics::LoadMetrics;
use crate::recorder::Recorder;
use crate::users::phase::{Phase, Phases};
use crate::users::schedule::Schedule;

/// The runtime's clock ticks each millisecond.
const CLOCK_TICK: Duration = Duration::from_millis(1);

#[derive(Debug)]
struct Kind {
    led: bool,
    followers: Vec<oneshot::Sender<()>>,
    /// Followers who were called and have not come yet.
    called: usize,
    /// Whether, and since when, all its users are busy.
    shortage: Shortage,
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

/// A slot that is to be sent now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub(crate) intended_at: Instant,
    /// How long all users of the kind were busy since then.
    pub(crate) waited_for_user: Duration,
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
        let kind = || Kind {
            led: false,
            followers: Vec::new(),
            called: 0,
            // Users who are still busy with their start when the schedule begins are not free.
            shortage: Shortage::begun_at(Duration::ZERO),
        };
        let kinds = (0..kinds).map(|_| kind()).collect();
        let state = State { schedule, kinds, waited_for_user: 0, sent: 0 };
        Self { state: Mutex::new(state), patience, recorder, metrics }
    }

    /// Waits for a slot of this kind; none where the run is over or has no more slots.
    pub(crate) async fn next(&self, kind: usize, phases: &mut Phases) -> Option<Due> {
        let since = phases.running().await?;
        self.lead(kind, phases).await?;
        let due = self.take(kind, since, phases).await;
        self.hand_over(kind, since);
        due
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
        self.give_up_all(rest, since, elapsed);
    }

    /// Waits until this user leads its kind; none where the run is over.
    async fn lead(&self, kind: usize, phases: &mut Phases) -> Option<()> {
        let mut was_called = false;
        loop {
            let turn = {
                let mut state = self.state.lock();
                let kind = state.kinds.get_mut(kind)?;
                kind.called -= usize::from(was_called);
                if kind.led {
                    let (call, turn) = oneshot::channel();
                    kind.followers.push(call);
                    turn
                } else {
                    kind.led = true;
                    return Some(());
                }
            };
            tokio::select! {
                called = turn => was_called = called.is_ok(),
                () = phases.reach(Phase::Over) => return None,
            }
        }
    }

    /// As the leader: takes the next slot and waits for its time.
    async fn take(&self, kind: usize, since: Instant, phases: &mut Phases) -> Option<Due> {
        loop {
            if phases.is_over() {
                return None;
            }
            let now = since.elapsed();
            let next = self.state.lock().next(kind, now);
            let Some((start, waited_for_user)) = next else {
                phases.reach(Phase::Over).await;
                return None;
            };
            let intended_at = since + start;
            let waited = now.saturating_sub(start);
            if waited > self.patience {
                self.give_up(intended_at, waited, waited_for_user);
                self.drop_overdue(since, now);
                continue;
            }
            if start > now {
                tokio::select! {
                    // A slot whose time has come is sent, whatever else happens at that moment.
                    biased;
                    () = tokio::time::sleep_until(intended_at.into()) => {}
                    () = phases.reach(Phase::Over) => return None,
                }
            }
            // The clock of the runtime ticks each millisecond: what comes within one is not late.
            let has_waited_for_user = waited_for_user > CLOCK_TICK;
            if !has_waited_for_user {
                self.recorder.late(Instant::now().saturating_duration_since(intended_at));
            }
            self.metrics.request_due();
            let mut state = self.state.lock();
            state.sent += 1;
            state.waited_for_user += u64::from(has_waited_for_user);
            return Some(Due { intended_at, waited_for_user });
        }
    }

    /// Slots of other kinds, whose users are all busy, must not pile up.
    fn drop_overdue(&self, since: Instant, now: Duration) {
        let Some(until) = now.checked_sub(self.patience) else { return };
        let overdue = self.state.lock().schedule.take_overdue(until);
        self.give_up_all(overdue, since, now);
    }

    /// Counts slots that are never sent, by their start and kind.
    fn give_up_all(&self, slots: Vec<(Duration, usize)>, since: Instant, now: Duration) {
        for (start, kind) in slots {
            let waited_for_user = self.state.lock().wait_for_user(kind, start, now);
            self.give_up(since + start, now.saturating_sub(start), waited_for_user);
        }
    }

    /// Counts a slot that is never sent; it was due all the same.
    fn give_up(&self, intended_at: Instant, waited: Duration, waited_for_user: Duration) {
        self.metrics.request_due();
        self.recorder.unsent(intended_at, waited, waited_for_user);
    }

    /// Lets the user that came free last lead.
    fn hand_over(&self, kind: usize, since: Instant) {
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
        if kind.called == 0 {
            kind.shortage.begin(since.elapsed());
        }
    }
}

impl State {
    /// Takes the next slot of this kind: its start, and how long it has waited for a user.
    fn next(&mut self, kind: usize, now: Duration) -> Option<(Duration, Duration)> {
        let start = self.schedule.next(kind)?;
        // Who has to wait for a slot is free.
        if start > now
            && let Some(kind) = self.kinds.get_mut(kind)
        {
            kind.shortage.end();
        }
        Some((start, self.wait_for_user(kind, start, now)))
    }

    /// How long all users of this kind were busy between `start` and `now`.
    fn wait_for_user(&self, kind: usize, start: Duration, now: Duration) -> Duration {
        self.kinds.get(kind).map_or(Duration::ZERO, |kind| kind.shortage.within(start, now))
    }
}
