//! Decides whether a request whose try failed is sent to another endpoint.
//!
//! ## The rule
//!
//! A request of which nothing was sent can go anywhere, and is tried at a few endpoints. A request that was sent, and not
//! answered, may have taken effect: it is repeated only if it is safe to repeat, and only once. What the client did wrong
//! would happen again elsewhere.

use alloc::vec::Vec;

use crate::endpoint::EndpointId;
use crate::settings::RetrySettings;

/// How a try ended that brought no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryFailure {
    /// Nothing was sent.
    NotSent,
    /// It was sent, at least in part, and the endpoint gave no answer that can be passed on.
    Unanswered,
    /// What happened says nothing of the endpoint, or another one would not change it: the client broke off, or the end
    /// of a kept connection left open what became of the request.
    Final,
}

/// The tries of one request so far.
#[derive(Debug, Clone)]
pub struct Tries {
    settings: RetrySettings,
    failed: Vec<EndpointId>,
    repetitions: u32,
}

impl Tries {
    /// A request that was not tried yet.
    pub const fn new(settings: RetrySettings) -> Self {
        Self { settings, failed: Vec::new(), repetitions: 0 }
    }

    /// Takes in that the try at `endpoint` failed, and says whether another endpoint may be tried. `is_repeatable` says
    /// whether the request may take effect twice.
    pub fn may_go_on(&mut self, endpoint: EndpointId, failure: TryFailure, is_repeatable: bool) -> bool {
        self.failed.push(endpoint);
        match failure {
            TryFailure::NotSent => self.failed.len() < self.settings.unsent_tries_max as usize,
            TryFailure::Unanswered if is_repeatable && self.repetitions < self.settings.repetitions_max => {
                self.repetitions += 1;
                true
            }
            TryFailure::Unanswered | TryFailure::Final => false,
        }
    }

    /// The endpoints that failed, for [`Rotation::pick`](crate::Rotation::pick) to leave out.
    pub fn failed(&self) -> &[EndpointId] {
        &self.failed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTINGS: RetrySettings = RetrySettings::DEFAULT;

    /// Plays the failures of a request and returns after how many the rule ended it; none if it never did.
    fn ended_after(settings: RetrySettings, failures: &[TryFailure], is_repeatable: bool) -> Option<usize> {
        let mut tries = Tries::new(settings);
        let ended = (1..).zip(failures).find(|&(number, &failure)| {
            !tries.may_go_on(EndpointId::for_test(number), failure, is_repeatable)
        });
        ended.map(|(number, _)| usize::try_from(number).expect("few tries"))
    }

    #[test]
    fn what_was_not_sent_goes_to_three_endpoints_whatever_it_is() {
        for is_repeatable in [false, true] {
            assert_eq!(ended_after(SETTINGS, &[TryFailure::NotSent; 5], is_repeatable), Some(3));
        }
    }

    #[test]
    fn what_was_sent_is_repeated_once_and_only_if_that_is_safe() {
        use TryFailure::{NotSent, Unanswered};
        assert_eq!(ended_after(SETTINGS, &[Unanswered; 3], false), Some(1));
        assert_eq!(ended_after(SETTINGS, &[Unanswered; 3], true), Some(2));
        assert_eq!(ended_after(SETTINGS, &[NotSent, Unanswered, Unanswered], true), Some(3));
        assert_eq!(ended_after(SETTINGS, &[Unanswered, NotSent, NotSent], true), Some(3));
        let never = RetrySettings { repetitions_max: 0, ..SETTINGS };
        assert_eq!(ended_after(never, &[Unanswered], true), Some(1));
    }

    #[test]
    fn what_the_client_did_ends_it() {
        assert_eq!(ended_after(SETTINGS, &[TryFailure::Final], true), Some(1));
    }

    #[test]
    fn failed_endpoints_are_named_in_their_order() {
        let mut tries = Tries::new(SETTINGS);
        let [first, second] = [1, 2].map(EndpointId::for_test);
        assert!(tries.may_go_on(first, TryFailure::NotSent, false));
        assert!(tries.may_go_on(second, TryFailure::NotSent, false));
        assert_eq!(tries.failed(), [first, second]);
    }
}
