//! Lets as many users act as the load wants at a time; the others wait.
//!
//! Goose starts all users that will ever be needed, and here they are let in and held back: it would change their number
//! only in straight lines and by the half second.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use crate::users::phase::{Phase, Phases};

/// One gate for each user, in the order in which they are let in.
#[derive(Debug)]
pub(crate) struct Gates {
    open: AtomicUsize,
    users: Vec<Notify>,
}

impl Gates {
    /// All closed.
    pub(crate) fn new(users: usize) -> Self {
        Self { open: AtomicUsize::new(0), users: std::iter::repeat_with(Notify::new).take(users).collect() }
    }

    /// Lets the first `users` act; the others finish their task and wait.
    pub(crate) fn open(&self, users: usize) {
        let users = users.min(self.users.len());
        let before = self.open.swap(users, Ordering::AcqRel);
        for user in self.users.get(before..users).unwrap_or_default() {
            user.notify_one();
        }
    }

    /// How many may act.
    pub(crate) fn count(&self) -> usize {
        self.open.load(Ordering::Acquire)
    }

    /// Waits until the user with this place, counted from 0, may act; false where the run is over before.
    pub(crate) async fn wait(&self, place: usize, phases: &mut Phases) -> bool {
        loop {
            if phases.is_over() {
                return false;
            }
            let Some(gate) = self.users.get(place).filter(|_| place >= self.count()) else { return true };
            tokio::select! {
                () = gate.notified() => {}
                () = phases.reach(Phase::Over) => return false,
            }
        }
    }
}
