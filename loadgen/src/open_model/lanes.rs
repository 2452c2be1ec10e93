//! The connections and what they share: each takes the next due request as soon as it is free.
//!
//! A busy connection that becomes free looks at the schedule itself, so under load a request is sent in the same
//! breath in which the last answer was read. Only connections without anything to do are handed their next request
//! by the level's clock. What waits is the schedule itself: nothing is queued, so nothing grows.

pub(crate) mod serving;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::task::Waker;
use std::time::{Duration, Instant};

use loadgen_baseline::measurement::shortage::Shortage;
use loadgen_baseline::measurement::tally::LevelTally;
use tokio::sync::{Notify, Semaphore};

use crate::open_model::connection::SharedBuffer;
use crate::open_model::schedule::{Schedule, Slot};
use crate::open_model::target::{CheckedTarget, EncodedRequest};
use crate::service_url::ServiceUrl;
use crate::stream::{Dialer, NoConnection};

/// Connections that are being opened at a time; more would overflow what a listener keeps waiting.
const OPENING_AT_ONCE: usize = 64;

/// What is sent and counted at present.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) origin: Instant,
    pub(crate) schedule: Schedule,
    pub(crate) tally: LevelTally,
    /// Whether, and since when, no connection is idle.
    shortage: Shortage,
}

/// A request that is to be sent now.
#[derive(Clone, Copy, Debug)]
struct Due {
    slot: Slot,
    /// How long no connection was idle since it was due.
    waited_for_connection: Duration,
}

/// What an idle connection is handed.
#[derive(Clone, Copy, Debug)]
enum Task {
    Send(Due),
    Open,
}

/// A request in flight.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    sent: Duration,
    /// What becomes of it if it is given up now.
    given_up: Option<GivenUp>,
}

#[derive(Clone, Copy, Debug)]
enum GivenUp {
    TimedOut,
    WithTheLevel,
}

/// One connection's place.
#[derive(Debug, Default)]
struct Lane {
    waker: RefCell<Option<Waker>>,
    task: Cell<Option<Task>>,
    in_flight: Cell<Option<InFlight>>,
    connected: Cell<bool>,
}

/// All connections of one thread, and the level they serve.
pub(crate) struct Lanes {
    service: ServiceUrl,
    dialer: Dialer,
    /// Of the service, whose name is looked up once.
    addresses: Vec<SocketAddr>,
    buffer: SharedBuffer,
    requests: Vec<EncodedRequest>,
    timeout: Duration,
    each: Vec<Lane>,
    /// Connections without anything to do, the one that has waited longest first, so that all are used alike.
    idle: RefCell<VecDeque<usize>>,
    level: RefCell<Option<Level>>,
    in_flight: Cell<usize>,
    /// Requests that were handed to a connection and are not being sent yet.
    handed: Cell<usize>,
    /// Whether nothing is sent any more, and the end of what is in flight is waited for.
    draining: Cell<bool>,
    opening: Cell<usize>,
    first_failure: RefCell<Option<NoConnection>>,
    permits: Semaphore,
    /// Tells the level's clock that it has reason to look.
    changed: Notify,
}

impl Level {
    /// One that begins at `origin`.
    pub(crate) fn new(origin: Instant, schedule: Schedule, tally: LevelTally) -> Self {
        Self { origin, schedule, tally, shortage: Shortage::default() }
    }

    /// A request that was due will not be sent; it waited until `now`.
    pub(crate) fn unsent(&mut self, slot: Slot, now: Duration) {
        let waited_for_connection = self.shortage.within(slot.intended, now);
        self.tally.unsent(Some(slot.request), slot.intended, now, waited_for_connection);
    }
}

impl Lanes {
    /// The target's connections, none of which is open yet.
    fn new(target: CheckedTarget, dialer: Dialer, addresses: Vec<SocketAddr>) -> Self {
        let CheckedTarget { service, requests, connections, timeout, weights: _ } = target;
        Self {
            service,
            dialer,
            addresses,
            buffer: SharedBuffer::new(),
            requests,
            timeout,
            each: (0..connections).map(|_| Lane::default()).collect(),
            idle: RefCell::default(),
            level: RefCell::default(),
            in_flight: Cell::new(0),
            handed: Cell::new(0),
            draining: Cell::new(false),
            opening: Cell::new(connections),
            first_failure: RefCell::default(),
            permits: Semaphore::new(OPENING_AT_ONCE),
            changed: Notify::new(),
        }
    }

    /// Opens the connections that are closed, and waits until that has succeeded or failed.
    pub(crate) async fn open(&self) {
        let closed = |index: &usize| !self.each[*index].connected.get();
        let closed: Vec<usize> = self.idle.borrow().iter().copied().filter(closed).collect();
        if !closed.is_empty() {
            self.idle.borrow_mut().retain(|index| self.each[*index].connected.get());
        }
        for index in closed {
            self.opening.set(self.opening.get() + 1);
            self.hand(index, Task::Open);
        }
        while self.opening.get() > 0 {
            self.changed.notified().await;
        }
    }

    /// Connections that are open.
    pub(crate) fn connected(&self) -> usize {
        self.each.iter().filter(|lane| lane.connected.get()).count()
    }

    /// Why the first connection that failed did so, forgotten by asking.
    pub(crate) fn take_first_failure(&self) -> Option<NoConnection> {
        self.first_failure.borrow_mut().take()
    }

    /// Requests in flight.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.get()
    }

    /// Whether no request is in flight or about to be.
    pub(crate) fn are_done(&self) -> bool {
        self.in_flight.get() == 0 && self.handed.get() == 0
    }

    /// Says that nothing will be sent any more, and that [`Lanes::changed`] is to tell of the last answer.
    pub(crate) fn drain(&self) {
        self.draining.set(true);
    }

    /// Begins to serve a level.
    pub(crate) fn begin(&self, level: Level) {
        self.draining.set(false);
        *self.level.borrow_mut() = Some(level);
        self.note_shortage();
    }

    /// Ends the level and hands back what was counted.
    pub(crate) fn end(&self) -> Option<Level> {
        self.level.borrow_mut().take()
    }

    /// Looks at the level, while there is one.
    pub(crate) fn with_level<T>(&self, look: impl FnOnce(&mut Level) -> T) -> Option<T> {
        self.level.borrow_mut().as_mut().map(look)
    }

    /// Hands what is due to connections without anything to do; says when the next request is due if one of them could
    /// take it.
    pub(crate) fn hand_out(&self) -> Option<Duration> {
        while !self.idle.borrow().is_empty() {
            let Some(due) = self.take_due() else {
                return self.with_level(|level| level.schedule.next_intended()).flatten();
            };
            let index = self.idle.borrow_mut().pop_front();
            if let Some(index) = index {
                self.handed.set(self.handed.get() + 1);
                self.hand(index, Task::Send(due));
            }
            self.note_shortage();
        }
        None
    }

    /// Gives up the requests that were sent longer ago than the timeout.
    pub(crate) fn give_up_late(&self) {
        let Some(now) = self.with_level(|level| level.origin.elapsed()) else { return };
        self.give_up(|sent| now.saturating_sub(sent) >= self.timeout, GivenUp::TimedOut);
    }

    /// Gives up all requests in flight, because the level ends before its time.
    pub(crate) fn give_up_all(&self) {
        self.give_up(|_| true, GivenUp::WithTheLevel);
    }

    fn give_up(&self, is_concerned: impl Fn(Duration) -> bool, reason: GivenUp) {
        for lane in &self.each {
            if let Some(in_flight) = lane.in_flight.get().filter(|in_flight| is_concerned(in_flight.sent)) {
                lane.in_flight.set(Some(InFlight { given_up: Some(reason), ..in_flight }));
                lane.wake();
            }
        }
    }

    /// Waits until a connection has become idle where there was none, or, while draining, the last answer has come.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// A connection has nothing to do, and nothing is due.
    fn rest(&self, index: usize) {
        self.idle.borrow_mut().push_back(index);
        if self.idle.borrow().len() == 1 {
            self.with_level(|level| level.shortage.end());
            self.changed.notify_one();
        }
    }

    /// Connections may have ceased to be idle.
    fn note_shortage(&self) {
        if self.idle.borrow().is_empty() {
            self.with_level(|level| level.shortage.begin(level.origin.elapsed()));
        }
    }

    fn hand(&self, index: usize, task: Task) {
        self.each[index].task.set(Some(task));
        self.each[index].wake();
    }

    /// The next request, if it is due; those that waited for longer than the timeout are given up.
    fn take_due(&self) -> Option<Due> {
        self.with_level(|level| {
            let now = level.origin.elapsed();
            loop {
                let slot = level.schedule.take_due(now)?;
                if now.saturating_sub(slot.intended) <= self.timeout {
                    let waited_for_connection = level.shortage.within(slot.intended, now);
                    return Some(Due { slot, waited_for_connection });
                }
                level.unsent(slot, now);
            }
        })
        .flatten()
    }
}

impl Lane {
    fn wake(&self) {
        if let Some(waker) = self.waker.borrow().as_ref() {
            waker.wake_by_ref();
        }
    }

    fn wait(&self, waker: &Waker) {
        let mut current = self.waker.borrow_mut();
        if !current.as_ref().is_some_and(|current| current.will_wake(waker)) {
            *current = Some(waker.clone());
        }
    }
}
