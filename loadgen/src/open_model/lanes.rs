//! The connections and what they share: each takes the next due request as soon as it is free.
//!
//! A busy connection that becomes free looks at the schedule itself, so under load a request is sent in the same
//! breath in which the last answer was read. Only connections without anything to do are handed their next request
//! by the level's clock. What waits is the schedule itself: nothing is queued, so nothing grows.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};
use tokio::time::timeout;

use crate::exchange::Outcome;
use crate::failure_kind::FailureKind;
use crate::open_model::connection::{Connection, SharedBuffer};
use crate::open_model::schedule::{Schedule, Slot};
use crate::open_model::stream::{Connector, Failure};
use crate::open_model::tally::{Ended, Tally};
use crate::open_model::target::EncodedRequest;

/// Connections that are being opened at a time; more would overflow what a listener keeps waiting.
const OPENING_AT_ONCE: usize = 64;

/// Longest that opening a connection outside of a request may take.
const OPENING_TIMEOUT: Duration = Duration::from_secs(5);

/// What is sent and counted at present.
#[derive(Debug)]
pub(crate) struct Level {
    pub(crate) origin: Instant,
    pub(crate) schedule: Schedule,
    pub(crate) tally: Tally,
}

/// What an idle connection is handed.
#[derive(Clone, Copy, Debug)]
enum Task {
    Send(Slot),
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
    connector: Connector,
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
    opening: Cell<usize>,
    first_failure: RefCell<Option<Failure>>,
    permits: Semaphore,
    /// Tells the level's clock that it has reason to look.
    changed: Notify,
}

impl Lanes {
    /// Starts `connections` lanes on the current local runtime; each begins by opening its connection.
    pub(crate) fn start(
        connector: Connector,
        requests: Vec<EncodedRequest>,
        connections: usize,
        timeout: Duration,
    ) -> Rc<Self> {
        let lanes = Rc::new(Self {
            connector,
            buffer: SharedBuffer::new(),
            requests,
            timeout,
            each: (0..connections).map(|_| Lane::default()).collect(),
            idle: RefCell::default(),
            level: RefCell::default(),
            in_flight: Cell::new(0),
            handed: Cell::new(0),
            opening: Cell::new(connections),
            first_failure: RefCell::default(),
            permits: Semaphore::new(OPENING_AT_ONCE),
            changed: Notify::new(),
        });
        for index in 0..connections {
            tokio::task::spawn_local(serve(Rc::clone(&lanes), index));
        }
        lanes
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
    pub(crate) fn take_first_failure(&self) -> Option<Failure> {
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

    /// Begins to serve a level.
    pub(crate) fn begin(&self, level: Level) {
        *self.level.borrow_mut() = Some(level);
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
            let Some(slot) = self.take_due() else {
                return self.with_level(|level| level.schedule.next_intended()).flatten();
            };
            let index = self.idle.borrow_mut().pop_front();
            if let Some(index) = index {
                self.handed.set(self.handed.get() + 1);
                self.hand(index, Task::Send(slot));
            }
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

    /// Waits until a connection has become idle, or the last request in flight has ended.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn hand(&self, index: usize, task: Task) {
        self.each[index].task.set(Some(task));
        self.each[index].wake();
    }

    /// The next request, if it is due; those that waited for longer than the timeout are given up.
    fn take_due(&self) -> Option<Slot> {
        self.with_level(|level| {
            let now = level.origin.elapsed();
            loop {
                let slot = level.schedule.take_due(now)?;
                if now.saturating_sub(slot.intended) <= self.timeout {
                    return Some(slot);
                }
                level.tally.unsent(slot.intended, now);
            }
        })
        .flatten()
    }

    async fn open_one(&self) -> Result<Connection, Failure> {
        let stream = self.connector.connect().await?;
        Ok(Connection::new(stream, self.buffer.clone()))
    }

    /// Sends the request of a slot over `connection`, opening it where it is closed.
    async fn exchange(&self, index: usize, slot: Slot, connection: &mut Option<Connection>) {
        let lane = &self.each[index];
        let sent = self.with_level(|level| {
            let sent = level.origin.elapsed();
            level.tally.sent(slot.intended, sent);
            sent
        });
        let Some(sent) = sent else { return };
        lane.in_flight.set(Some(InFlight { sent, given_up: None }));
        self.in_flight.set(self.in_flight.get() + 1);

        let outcome = {
            let exchange = async {
                let open = match connection.as_mut() {
                    Some(open) => open,
                    None => connection.insert(self.open_one().await.map_err(|(kind, _)| kind)?),
                };
                Ok(open.exchange(&self.requests[slot.request]).await)
            };
            let mut exchange = pin!(exchange);
            poll_fn(|context| {
                if let Poll::Ready(outcome) = exchange.as_mut().poll(context) {
                    return Poll::Ready(Some(outcome.unwrap_or_else(Outcome::Failed)));
                }
                match lane.in_flight.get().and_then(|in_flight| in_flight.given_up) {
                    Some(GivenUp::TimedOut) => Poll::Ready(Some(Outcome::Failed(FailureKind::TimedOut))),
                    Some(GivenUp::WithTheLevel) => Poll::Ready(None),
                    None => {
                        lane.wait(context.waker());
                        Poll::Pending
                    }
                }
            })
            .await
        };

        self.with_level(|level| {
            let at = level.origin.elapsed();
            level.tally.ended(&Ended { intended: slot.intended, sent, at, outcome });
        });
        lane.in_flight.set(None);
        self.in_flight.set(self.in_flight.get() - 1);
        if self.are_done() {
            self.changed.notify_one();
        }
        // What is left of an exchange that did not end well would be taken for the next answer.
        connection.take_if(|connection| !connection.is_reusable());
    }

    /// Waits until there is something to do; the connection may be closed by the other side meanwhile.
    async fn next_task(&self, index: usize, connection: &mut Option<Connection>) -> Option<Task> {
        if let Some(slot) = self.take_due() {
            return Some(Task::Send(slot));
        }
        let lane = &self.each[index];
        let mut idle = false;
        poll_fn(|context| {
            if let Some(task) = lane.task.take() {
                if matches!(task, Task::Send(_)) {
                    self.handed.set(self.handed.get() - 1);
                }
                return Poll::Ready(Some(task));
            }
            if connection.as_mut().is_some_and(|connection| connection.poll_closed(context).is_ready()) {
                self.idle.borrow_mut().retain(|&other| other != index);
                return Poll::Ready(None);
            }
            lane.wait(context.waker());
            if !idle {
                idle = true;
                let mut queue = self.idle.borrow_mut();
                queue.push_back(index);
                if queue.len() == 1 {
                    self.changed.notify_one();
                }
            }
            Poll::Pending
        })
        .await
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

/// A lane's life: keeps its connection open and sends what it is handed.
async fn serve(lanes: Rc<Lanes>, index: usize) {
    let lane = &lanes.each[index];
    let mut connection = None;
    let mut task = Some(Task::Open);
    loop {
        match task {
            Some(Task::Send(slot)) => {
                let was_open = connection.is_some();
                lanes.exchange(index, slot, &mut connection).await;
                lane.connected.set(connection.is_some());
                // One that was open and is not any more is opened again before the next request asks for it.
                if was_open && connection.is_none() {
                    reopen(&lanes, lane, &mut connection).await;
                }
            }
            Some(Task::Open) => {
                reopen(&lanes, lane, &mut connection).await;
                lanes.opening.set(lanes.opening.get() - 1);
                lanes.changed.notify_one();
            }
            None => {
                connection = None;
                reopen(&lanes, lane, &mut connection).await;
            }
        }
        task = lanes.next_task(index, &mut connection).await;
    }
}

async fn reopen(lanes: &Lanes, lane: &Lane, connection: &mut Option<Connection>) {
    let Ok(_permit) = lanes.permits.acquire().await else { return };
    let opened = timeout(OPENING_TIMEOUT, lanes.open_one()).await.unwrap_or_else(|_| {
        Err((FailureKind::TimedOut, format!("no connection within {OPENING_TIMEOUT:?}")))
    });
    match opened {
        Ok(opened) => *connection = Some(opened),
        Err(failure) => {
            lanes.first_failure.borrow_mut().get_or_insert(failure);
        }
    }
    lane.connected.set(connection.is_some());
}
