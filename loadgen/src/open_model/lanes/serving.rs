//! A connection's life: it is opened, sends what is due, and is opened again when it has ended.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::StatusCode;
use loadgen_baseline::measurement::tally::Ended;
use loadgen_baseline::{FailureKind, RequestOutcome};
use tokio::time::timeout;

use super::{Due, GivenUp, InFlight, Lane, Lanes, Task};
use crate::open_model::connection::{Connection, Done, Lost};
use crate::open_model::schedule::Slot;
use crate::open_model::target::{CheckedTarget, EncodedRequest};
use crate::redirect::{MOST_REDIRECTS, Redirect, redirect};
use crate::stream::{Dialer, NoConnection};

/// Longest that opening a connection outside of a request may take.
const OPENING_TIMEOUT: Duration = Duration::from_secs(5);

/// Starts the target's connections as lanes on the current local runtime; each begins by opening its connection.
pub(crate) fn start(target: CheckedTarget, dialer: Dialer, addresses: Vec<SocketAddr>) -> Rc<Lanes> {
    let lanes = Rc::new(Lanes::new(target, dialer, addresses));
    for index in 0..lanes.each.len() {
        tokio::task::spawn_local(serve(Rc::clone(&lanes), index));
    }
    lanes
}

/// A lane's life: keeps its connection open and sends what it is handed.
async fn serve(lanes: Rc<Lanes>, index: usize) {
    let lane = &lanes.each[index];
    let mut connection = None;
    let mut task = Some(Task::Open);
    loop {
        match task {
            Some(Task::Send(due)) => {
                let was_open = connection.is_some();
                lanes.exchange(index, due, &mut connection).await;
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
        Err(NoConnection {
            kind: FailureKind::TimedOut,
            reason: format!("no connection within {OPENING_TIMEOUT:?}"),
            exhausted: false,
        })
    });
    match opened {
        Ok(opened) => *connection = Some(opened),
        Err(failure) => {
            lanes.first_failure.borrow_mut().get_or_insert(failure);
        }
    }
    lane.connected.set(connection.is_some());
}

impl Lanes {
    async fn open_one(&self) -> Result<Connection, NoConnection> {
        let stream = self.dialer.connect(&self.addresses).await?;
        Ok(Connection::new(stream, self.buffer.clone()))
    }

    /// Sends the request of a slot over `connection`, opening it where it is closed.
    async fn exchange(&self, index: usize, due: Due, connection: &mut Option<Connection>) {
        let Due { slot, waited_for_connection } = due;
        let lane = &self.each[index];
        let sent = self.with_level(|level| {
            let sent = level.origin.elapsed();
            level.tally.sent(slot.intended, sent, waited_for_connection);
            sent
        });
        let Some(sent) = sent else { return };
        lane.in_flight.set(Some(InFlight { sent, given_up: None }));
        self.in_flight.set(self.in_flight.get() + 1);

        let outcome = {
            let mut exchange = pin!(self.send(slot, connection));
            poll_fn(|context| {
                if let Poll::Ready(outcome) = exchange.as_mut().poll(context) {
                    return Poll::Ready(Some(outcome.unwrap_or_else(RequestOutcome::Failed)));
                }
                match lane.in_flight.get().and_then(|in_flight| in_flight.given_up) {
                    Some(GivenUp::TimedOut) => {
                        Poll::Ready(Some(RequestOutcome::Failed(FailureKind::TimedOut)))
                    }
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
            let Slot { intended, request } = slot;
            level.tally.ended(&Ended { intended, sent, at, request, outcome });
        });
        lane.in_flight.set(None);
        self.in_flight.set(self.in_flight.get() - 1);
        // While a level goes on, its clock has no reason to look, and each look costs a system call.
        if self.draining.get() && self.are_done() {
            self.changed.notify_one();
        }
        // What is left of an exchange that did not end well would be taken for the next answer.
        connection.take_if(|connection| !connection.is_reusable());
    }

    /// Sends the request of a slot and follows redirects.
    async fn send(
        &self,
        slot: Slot,
        connection: &mut Option<Connection>,
    ) -> Result<RequestOutcome, FailureKind> {
        let mut done = self.send_once(&self.requests[slot.request], slot, connection).await?;
        let mut before = &self.requests[slot.request].prepared;
        let mut next;
        let mut redirects = 0;
        while let Some(location) = done.location.take() {
            let status = StatusCode::from_u16(done.status).unwrap_or_default();
            match redirect(before, status, Some(&location), &self.service) {
                Redirect::None => break,
                Redirect::Wrong(kind, _) => return Ok(RequestOutcome::Failed(kind)),
                Redirect::Follow(_) if redirects == MOST_REDIRECTS => {
                    return Ok(RequestOutcome::Failed(FailureKind::RedirectLoop));
                }
                Redirect::Follow(prepared) => {
                    redirects += 1;
                    next = EncodedRequest::new(*prepared, &self.service);
                    connection.take_if(|connection| !connection.is_reusable());
                    done = self.send_once(&next, slot, connection).await?;
                    before = &next.prepared;
                }
            }
        }
        Ok(done.outcome)
    }

    /// Sends one request over `connection`, opening it where it is closed; once more over a new one where one
    /// that was open before ended without a byte of an answer and the request may be sent twice.
    async fn send_once(
        &self,
        request: &EncodedRequest,
        slot: Slot,
        connection: &mut Option<Connection>,
    ) -> Result<Done, FailureKind> {
        let was_open = connection.is_some();
        let open = match connection.as_mut() {
            Some(open) => open,
            None => connection.insert(self.open_one().await.map_err(|failure| failure.kind)?),
        };
        let had_served = open.has_served();
        let mut answered = open.exchange(request).await;
        if answered == Err(Lost::BeforeFirstByte) && was_open && request.is_idempotent {
            self.with_level(|level| level.tally.repeated(slot.intended));
            let open = connection.insert(self.open_one().await.map_err(|failure| failure.kind)?);
            answered = open.exchange(request).await;
        }
        answered.map_err(|lost| match lost {
            Lost::BeforeFirstByte if had_served && !request.is_idempotent => {
                FailureKind::ReusedConnectionClosed
            }
            Lost::BeforeFirstByte | Lost::BrokeOff => FailureKind::BrokeOff,
            Lost::NotHttp => FailureKind::NotHttp,
        })
    }

    /// Waits until there is something to do; the connection may be closed by the other side meanwhile.
    async fn next_task(&self, index: usize, connection: &mut Option<Connection>) -> Option<Task> {
        if let Some(due) = self.take_due() {
            return Some(Task::Send(due));
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
                self.note_shortage();
                return Poll::Ready(None);
            }
            lane.wait(context.waker());
            if !idle {
                idle = true;
                self.rest(index);
            }
            Poll::Pending
        })
        .await
    }
}
