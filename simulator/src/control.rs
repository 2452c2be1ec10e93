//! The few events that happen at a time of their own; requests are not among them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::time::Nanoseconds;

/// What happens. Of events at the same time the one that stands first here comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Event {
    /// A replica dies: the one at this place among the ready ones.
    Fault { place: u32 },
    /// The process of a replica is up, and a probe finds it. The process is known by when it started.
    Admit { replica: u32, started_at: Nanoseconds },
    /// A draining replica has nothing left, or its time is over.
    Gone { replica: u32 },
    /// The gateway stops waiting for an attempt.
    TimedOut { replica: u32, number: u64, sent_at: Nanoseconds },
    /// A step of the tally ends.
    Step,
    /// A minute of the tally ends.
    Minute,
    /// A point of the time line ends.
    Point,
    /// Replicas are scraped.
    Scrape,
    /// The policy is asked.
    Check,
}

/// Events in the order of time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Control {
    events: BinaryHeap<Reverse<(Nanoseconds, Event)>>,
}

impl Control {
    pub(crate) fn add(&mut self, at: Nanoseconds, event: Event) {
        self.events.push(Reverse((at, event)));
    }

    /// When the next event happens; at the end of all time if there is none.
    #[inline]
    pub(crate) fn next_at(&self) -> Nanoseconds {
        self.events.peek().map_or(Nanoseconds::MAX, |Reverse((at, _))| *at)
    }

    pub(crate) fn pop(&mut self) -> Option<(Nanoseconds, Event)> {
        self.events.pop().map(|Reverse(next)| next)
    }

    /// Drops what happens only while requests arrive: what is left concerns requests in flight.
    pub(crate) fn keep_what_ends_requests(&mut self) {
        self.events.retain(|Reverse((_, event))| matches!(event, Event::TimedOut { .. }));
    }
}
