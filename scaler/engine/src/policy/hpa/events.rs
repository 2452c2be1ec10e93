//! Remembers changes of the count, which the rates of a behavior are measured against.

use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::policy::age::Age;

/// A change of the count in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleEvent {
    /// By how many replicas.
    pub change: u32,
    /// When, counted from the origin of the run.
    pub at: Duration,
    /// Whether no policy needs it any more, so that its place may be taken.
    pub outdated: bool,
}

/// The sum of the changes that are strictly younger than a period.
///
/// Source: `horizontal.go`, `getReplicasChangePerPeriod`.
pub fn change_in_period(now: Duration, period: Duration, events: &[ScaleEvent]) -> i64 {
    events
        .iter()
        .filter(|event| Age::between(now, event.at).is_below(period))
        .fold(0, |sum, event| sum.saturating_add(i64::from(event.change)))
}

/// Stores a change. Events strictly older than the longest period of a policy become outdated, and the last of
/// those gives its place away.
///
/// Source: `horizontal.go`, `storeScaleEvent` and `markScaleEventsOutdated`.
pub fn store_scale_event(now: Duration, change: u32, longest_period: Duration, events: &mut Vec<ScaleEvent>) {
    for event in events.iter_mut() {
        event.outdated |= Age::between(now, event.at).is_above(longest_period);
    }
    let new = ScaleEvent { change, at: now, outdated: false };
    match events.iter_mut().rev().find(|event| event.outdated) {
        Some(place) => *place = new,
        None => events.push(new),
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn event(change: u32, at_seconds: u64) -> ScaleEvent {
        ScaleEvent { change, at: Duration::from_secs(at_seconds), outdated: false }
    }

    #[test]
    fn an_event_of_exactly_one_period_ago_neither_counts_nor_is_outdated() {
        let now = Duration::from_secs(100);
        let mut events = vec![event(7, 40)];
        assert_eq!(change_in_period(now, MINUTE, &events), 0);
        store_scale_event(now, 1, MINUTE, &mut events);
        assert_eq!(events, [event(7, 40), event(1, 100)]);
    }

    #[test]
    fn the_last_outdated_event_gives_its_place() {
        let now = Duration::from_secs(1_000);
        let mut events = vec![event(1, 1), event(2, 2), event(3, 990)];
        store_scale_event(now, 4, MINUTE, &mut events);
        let outdated = ScaleEvent { outdated: true, ..event(1, 1) };
        assert_eq!(events, [outdated, event(4, 1_000), event(3, 990)]);
    }

    #[test]
    fn what_was_outdated_stays_so() {
        let mut events = vec![ScaleEvent { outdated: true, ..event(1, 99) }];
        store_scale_event(Duration::from_secs(100), 2, MINUTE, &mut events);
        assert_eq!(events, [event(2, 100)]);
    }

    #[test]
    fn changes_beyond_the_range_saturate() {
        let events = vec![event(u32::MAX, 0); 3];
        assert_eq!(change_in_period(Duration::ZERO, MINUTE, &events), 3 * i64::from(u32::MAX));
    }
}
