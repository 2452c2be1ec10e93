//! Tells the generator's part of a wait from the service's: while no connection is free, it is the service that keeps a
//! request from being sent.
//!
//! One instant is enough for that: a connection that comes free takes what is due before it counts as free, so nothing
//! that is due outlives a shortage, and a wait can overlap with the present one only.

use std::time::Duration;

/// Since when no connection has been free, if none is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Shortage {
    since: Option<Duration>,
}

impl Shortage {
    /// One that began at this instant.
    pub fn begun_at(since: Duration) -> Self {
        Self { since: Some(since) }
    }

    /// The last free connection has got something to do; where there was none before, nothing changes.
    pub fn begin(&mut self, now: Duration) {
        self.since.get_or_insert(now);
    }

    /// A connection is free, and nothing is due.
    pub fn end(&mut self) {
        self.since = None;
    }

    /// How long no connection was free between `intended` and `now`.
    pub fn within(self, intended: Duration, now: Duration) -> Duration {
        self.since.map_or(Duration::ZERO, |since| now.saturating_sub(since.max(intended)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_wait_with_free_connections_is_no_shortage() {
        assert_eq!(Shortage::default().within(ms(10), ms(50)), ms(0));
        let mut over = Shortage::begun_at(ms(0));
        over.end();
        assert_eq!(over.within(ms(10), ms(50)), ms(0));
    }

    #[test]
    fn only_the_wait_after_the_last_connection_was_taken_is_one() {
        let mut shortage = Shortage::default();
        shortage.begin(ms(20));
        // The connections that come free meanwhile are taken at once.
        shortage.begin(ms(30));
        assert_eq!(shortage.within(ms(10), ms(50)), ms(30), "10 ms long a connection was free");
        assert_eq!(shortage.within(ms(40), ms(50)), ms(10));
        assert_eq!(shortage.within(ms(5), ms(20)), ms(0), "asked for an instant before it");
    }
}
