//! The pool of [`webapp_queue`] for tasks: one that finds no free connection sleeps until one is handed to it.
//!
//! A task that is dropped while it waits gives up its place, and one that is dropped with a connection gives that back,
//! so no cancelled call can shrink the pool.

use std::num::NonZero;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::oneshot;
use webapp_queue::{Asked, Pool, Ticket};

use crate::clock::RunClock;

/// Hands a connection to a waiting task.
type Waiter = oneshot::Sender<Connection>;

/// The connections of one replica to its dependency.
#[derive(Clone, Debug)]
pub(super) struct Connections {
    pool: Arc<Mutex<Pool<Waiter>>>,
    clock: RunClock,
}

impl Connections {
    pub(super) fn new(size: NonZero<u32>, clock: RunClock) -> Self {
        Self { pool: Arc::new(Mutex::new(Pool::new(size))), clock }
    }

    /// A free connection, or a place in the line of those that wait.
    pub(super) fn ask(&self) -> Result<Connection, Wait> {
        let now = self.clock.now();
        let (waiter, handed) = oneshot::channel();
        let asked = self.pool.lock().ask(now, waiter);
        match asked {
            Asked::Granted(_) => Ok(Connection { connections: self.clone(), asked_at: now }),
            Asked::Waits(ticket) => Err(Wait { connections: self.clone(), ticket, handed }),
        }
    }

    pub(super) fn size(&self) -> u32 {
        self.pool.lock().size()
    }

    pub(super) fn in_use(&self) -> u32 {
        self.pool.lock().in_use()
    }

    /// The next in line gets the connection.
    fn give_back(&self) {
        // The guard must be gone before a connection that nobody takes is dropped, and so given back, below.
        let next = self.pool.lock().give_back(self.clock.now());
        if let Some(next) = next {
            let connection = Connection { connections: self.clone(), asked_at: next.asked_at };
            // A task that is gone leaves it here, and dropping it hands it on.
            let _task_gone = next.caller.send(connection);
        }
    }
}

/// A connection in use; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Connection {
    connections: Connections,
    asked_at: Duration,
}

impl Connection {
    /// When it was asked for; run time.
    pub(super) fn asked_at(&self) -> Duration {
        self.asked_at
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.give_back();
    }
}

/// A place in the line: resolves to the connection when it is this one's turn; dropping it leaves the line.
#[derive(Debug)]
pub(super) struct Wait {
    connections: Connections,
    ticket: Ticket,
    handed: oneshot::Receiver<Connection>,
}

impl Future for Wait {
    type Output = Connection;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Connection> {
        let handed = ready!(Pin::new(&mut self.handed).poll(context));
        Poll::Ready(handed.expect("the pool keeps each waiter until it hands a connection to it"))
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        // The guard must be gone before the waiter is dropped. One that has got its connection has left the line.
        let waiter = self.connections.pool.lock().leave(self.ticket);
        drop(waiter);
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZero;
    use std::time::Duration;

    use super::{Connection, Connections};
    use crate::clock::RunClock;

    const CALL: Duration = Duration::from_millis(20);

    fn connections(size: u32) -> Connections {
        Connections::new(NonZero::new(size).unwrap(), RunClock::start())
    }

    async fn connection(connections: &Connections) -> Connection {
        match connections.ask() {
            Ok(connection) => connection,
            Err(wait) => wait.await,
        }
    }

    #[tokio::test]
    async fn tasks_wait_in_order_for_a_connection_that_is_given_back() {
        let connections = connections(1);
        let call = async || {
            let connection = connection(&connections).await;
            tokio::time::sleep(CALL).await;
            drop(connection);
            connections.clock.now()
        };
        let (first, second, third) = tokio::join!(call(), call(), call());
        assert!(
            first >= CALL && second >= first + CALL && third >= second + CALL,
            "{first:?} {second:?} {third:?}"
        );
        assert_eq!(connections.in_use(), 0);
        let counts = connections.pool.lock().counts();
        assert_eq!((counts.granted, counts.granted_after_wait), (3, 2));
        assert!(counts.waited >= 3 * CALL && counts.longest_wait >= 2 * CALL, "{counts:?}");
    }

    #[test]
    fn a_cancelled_task_takes_no_connection_with_it() {
        let connections = connections(1);
        let first = connections.ask().expect("a connection is free");
        let waits = connections.ask().expect_err("none is free");
        let handed = connections.ask().expect_err("none is free");
        drop(waits);
        assert_eq!(connections.pool.lock().waiting(), 1, "a dropped wait kept its place");
        drop(first);
        assert_eq!(connections.in_use(), 1, "the next in line has it");
        drop(handed);
        assert_eq!(connections.in_use(), 0, "a connection that was handed to a dropped task is lost");
        assert!(connections.ask().is_ok());
    }
}
