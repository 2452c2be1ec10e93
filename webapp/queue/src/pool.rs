//! A pool of connections of fixed size: a caller gets a free one at once, or waits in order until one is given back.
//!
//! It is the second bottleneck of a replica with a dependency. As [`Station`](crate::Station) it holds no clock: the
//! caller says what happened when, so a live replica and a simulation wait for connections by the same rules.

use alloc::collections::VecDeque;
use core::num::NonZero;
use core::time::Duration;

use crate::counts::PoolCounts;
use crate::invariants::{borrowings_are_conserved, no_caller_waits_for_a_free_connection};

/// A connection that a caller has got; it goes back with [`Pool::give_back`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a connection that is not given back is lost to the pool"]
pub struct Grant<C> {
    /// The caller.
    pub caller: C,
    /// When it asked.
    pub asked_at: Duration,
    /// When it got the connection, not before it asked.
    pub granted_at: Duration,
}

impl<C> Grant<C> {
    /// How long the caller waited.
    pub const fn waited(&self) -> Duration {
        self.granted_at.saturating_sub(self.asked_at)
    }
}

/// The place of a waiting caller: with it, the caller can stop waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(u64);

/// The answer to a caller that asks for a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a granted connection has to be given back"]
pub enum Asked<C> {
    /// A connection was free.
    Granted(Grant<C>),
    /// All are in use; a later [`Pool::give_back`] returns the caller.
    Waits(Ticket),
}

/// Connections that are lent to one caller each, first come first served.
///
/// All times are durations since one origin that the caller chose. The order of calls is the order of events; a time
/// that lies before an earlier one makes no wait negative.
#[derive(Clone, Debug)]
pub struct Pool<C> {
    size: u32,
    in_use: u32,
    waiting: VecDeque<WaitingCaller<C>>,
    next_ticket: u64,
    counts: PoolCounts,
}

#[derive(Clone, Debug)]
struct WaitingCaller<C> {
    caller: C,
    ticket: Ticket,
    asked_at: Duration,
}

impl<C> Pool<C> {
    /// A pool of `size` free connections.
    ///
    /// Any number of callers may wait, each costing memory; bound them where they come from (a replica has no more
    /// callers than workers).
    pub fn new(size: NonZero<u32>) -> Self {
        Self {
            size: size.get(),
            in_use: 0,
            waiting: VecDeque::new(),
            next_ticket: 0,
            counts: PoolCounts::default(),
        }
    }

    /// A caller asks for a connection at `now`.
    pub fn ask(&mut self, now: Duration, caller: C) -> Asked<C> {
        self.counts.asked += 1;
        let asked = if self.in_use < self.size {
            self.in_use += 1;
            Asked::Granted(self.grant(now, now, caller))
        } else {
            let ticket = Ticket(self.next_ticket);
            self.next_ticket += 1;
            self.waiting.push_back(WaitingCaller { caller, ticket, asked_at: now });
            Asked::Waits(ticket)
        };
        self.assert_invariants();
        asked
    }

    /// A caller gives its connection back at `now`; returns the caller that gets it, which is the one that has waited
    /// longest. `None` where none waits: the connection is free.
    ///
    /// To give back more connections than were lent is a mistake of the caller: asserted in debug builds, else without
    /// effect.
    #[must_use = "the next caller has got the connection and has to be told"]
    pub fn give_back(&mut self, now: Duration) -> Option<Grant<C>> {
        if self.in_use == 0 {
            debug_assert!(false, "a connection is given back, but none is in use");
            return None;
        }
        self.counts.given_back += 1;
        let next = self.waiting.pop_front().map(|waiting| {
            self.counts.granted_after_wait += 1;
            self.grant(waiting.asked_at, now, waiting.caller)
        });
        if next.is_none() {
            self.in_use -= 1;
        }
        self.assert_invariants();
        next
    }

    /// A waiting caller stops waiting, and comes back. `None` where it waits no longer, because it got its connection
    /// or had left before. Takes time in proportion to the callers that wait.
    pub fn leave(&mut self, ticket: Ticket) -> Option<C> {
        // Tickets grow from front to back.
        let place = self.waiting.binary_search_by_key(&ticket, |waiting| waiting.ticket).ok()?;
        let left = self.waiting.remove(place)?;
        self.counts.left += 1;
        self.assert_invariants();
        Some(left.caller)
    }

    /// How many connections there are.
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// How many connections are lent.
    pub const fn in_use(&self) -> u32 {
        self.in_use
    }

    /// How many callers wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// What was lent and waited for so far.
    pub const fn counts(&self) -> PoolCounts {
        self.counts
    }

    fn grant(&mut self, asked_at: Duration, now: Duration, caller: C) -> Grant<C> {
        let grant = Grant { caller, asked_at, granted_at: now.max(asked_at) };
        let waited = grant.waited();
        self.counts.granted += 1;
        self.counts.waited = self.counts.waited.saturating_add(waited);
        self.counts.longest_wait = self.counts.longest_wait.max(waited);
        grant
    }

    fn assert_invariants(&self) {
        debug_assert!(no_caller_waits_for_a_free_connection(self.waiting.len(), self.in_use, self.size));
        debug_assert!(borrowings_are_conserved(self.counts, self.waiting.len(), self.in_use));
    }
}

#[cfg(test)]
mod tests;
