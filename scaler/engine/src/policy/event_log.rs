//! Keeps what a policy told of lately, equal events counted together.

use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

/// Different events that are kept.
const EVENTS_MAX: usize = 20;

/// Something that a policy tells of, as often as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyEvent {
    /// Whether something went wrong.
    pub is_warning: bool,
    /// What happened, in one word.
    pub reason: String,
    /// What happened, in a sentence.
    pub message: String,
    /// How often.
    pub count: u32,
    /// When first (run time).
    pub first_at: Duration,
    /// When last (run time).
    pub last_at: Duration,
}

/// The last events of a policy, at most 20 different ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventLog {
    /// In the order in which they last happened.
    events: Vec<PolicyEvent>,
}

impl EventLog {
    /// Adds something ordinary.
    pub fn tell(&mut self, at: Duration, reason: impl Into<String>, message: impl Into<String>) {
        self.add(at, false, reason.into(), message.into());
    }

    /// Adds something that went wrong.
    pub fn warn(&mut self, at: Duration, reason: impl Into<String>, message: impl Into<String>) {
        self.add(at, true, reason.into(), message.into());
    }

    /// The events, in the order in which they last happened.
    pub fn events(&self) -> &[PolicyEvent] {
        &self.events
    }

    fn add(&mut self, at: Duration, is_warning: bool, reason: String, message: String) {
        let is_same = |event: &PolicyEvent| event.reason == reason && event.message == message;
        let event = match self.events.iter().position(is_same) {
            Some(place) => {
                let before = self.events.remove(place);
                PolicyEvent { count: before.count.saturating_add(1), last_at: at, ..before }
            }
            None => PolicyEvent { is_warning, reason, message, count: 1, first_at: at, last_at: at },
        };
        if self.events.len() >= EVENTS_MAX {
            self.events.remove(0);
        }
        self.events.push(event);
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn equal_events_are_counted_and_the_oldest_give_way() {
        let mut log = EventLog::default();
        for second in 0..25 {
            log.tell(Duration::from_secs(second), "Rescaled", format!("size {second}"));
            log.warn(Duration::from_secs(second), "Failed", "no data");
        }
        assert_eq!(log.events().len(), EVENTS_MAX);
        let last = log.events().last().unwrap();
        assert_eq!(
            (last.count, last.is_warning, last.first_at.as_secs(), last.last_at.as_secs()),
            (25, true, 0, 24)
        );
        assert_eq!(log.events()[0].message, "size 6");
    }
}
