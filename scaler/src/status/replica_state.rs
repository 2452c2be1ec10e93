//! Judges what a replica is doing, from what the gateway lists now and what was seen of it before.
//!
//! The gateway calls every endpoint that is not admitted `starting`; whether one starts or broke only its past tells.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;

use crate::sighting::Sighting;
use crate::sources::{Endpoint, EndpointState};

/// Looks in a row without an answer after which a replica counts as not responding: one slow answer is no outage.
const SILENT_LOOKS: u32 = 2;

/// A replica that was never seen ready and is older than this does not start any more.
const START_LIMIT: Duration = Duration::from_mins(1);

/// What a replica is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReplicaState {
    /// Not ready yet.
    Starting,
    /// In the gateway's rotation, and answering.
    Ready,
    /// It was ready, answers, and says that it is not ready any more.
    NotReady,
    /// It was ready and does not answer any more.
    NotResponding,
    /// Being taken out: it finishes what it has.
    Draining,
    /// Out of rotation for its failures.
    Ejected,
    /// The gateway does not say, or says what this version does not know.
    Unknown,
}

/// What was seen of the replicas in the gateway's list, by their URL.
#[derive(Debug, Default)]
pub(crate) struct ReplicaStates(BTreeMap<String, Seen>);

#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    was_ready: bool,
    /// Looks in a row in which it did not answer.
    silent_looks: u32,
}

impl ReplicaStates {
    /// Takes note of one look.
    pub(crate) fn notice(&mut self, seen: &Sighting) {
        let silent: BTreeSet<&str> = seen.sample.silent.iter().map(|replica| replica.url.as_str()).collect();
        let endpoints = &seen.sample.endpoints;
        self.0.retain(|url, _| endpoints.iter().any(|endpoint| endpoint.url == *url));
        for endpoint in endpoints {
            let known = self.0.entry(endpoint.url.clone()).or_default();
            known.was_ready |= endpoint.state == EndpointState::Ready;
            let is_silent = silent.contains(endpoint.url.as_str());
            known.silent_looks = if is_silent { known.silent_looks.saturating_add(1) } else { 0 };
        }
    }

    /// What the replica behind an endpoint of this age is doing.
    pub(super) fn of(&self, endpoint: &Endpoint, age: Option<Duration>) -> ReplicaState {
        let seen = self.0.get(&endpoint.url).copied().unwrap_or_default();
        let is_silent = seen.silent_looks >= SILENT_LOOKS;
        match endpoint.state {
            EndpointState::Ready | EndpointState::Starting if is_silent => ReplicaState::NotResponding,
            EndpointState::Ready => ReplicaState::Ready,
            EndpointState::Starting if seen.was_ready || age.is_some_and(|age| age > START_LIMIT) => {
                ReplicaState::NotReady
            }
            EndpointState::Starting => ReplicaState::Starting,
            EndpointState::Draining => ReplicaState::Draining,
            EndpointState::Ejected => ReplicaState::Ejected,
            EndpointState::Unknown => ReplicaState::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actuators::Listing;
    use crate::sources::{ReplicaProblem, Sample};

    const URL: &str = "http://127.0.0.1:33655";

    fn endpoint(state: EndpointState) -> Endpoint {
        Endpoint { url: URL.to_owned(), state, in_flight: 0, ewma_ms: None, pid: None }
    }

    fn look(state: EndpointState, answers: bool) -> Sighting {
        let problem = ReplicaProblem { url: URL.to_owned(), predicate: "did not answer".to_owned() };
        let silent = if answers { Vec::new() } else { vec![problem] };
        Sighting {
            began_at: Duration::ZERO,
            sample: Sample { endpoints: vec![endpoint(state)], silent, ..Sample::default() },
            listed: Ok(Listing::default()),
            news: Vec::new(),
        }
    }

    /// The state after each look.
    fn states(looks: &[(EndpointState, bool)]) -> Vec<ReplicaState> {
        let mut states = ReplicaStates::default();
        let after = |(state, answers): &(EndpointState, bool)| {
            states.notice(&look(*state, *answers));
            states.of(&endpoint(*state), None)
        };
        looks.iter().map(after).collect()
    }

    #[test]
    fn a_frozen_replica_does_not_respond_before_and_after_the_gateway_took_it_out() {
        use EndpointState::{Ready, Starting};
        let seen = states(&[
            (Starting, true),
            (Ready, true),
            (Ready, false),
            (Ready, false),
            (Starting, false),
            (Starting, true),
            (Ready, true),
        ]);
        let expected = [
            ReplicaState::Starting,
            ReplicaState::Ready,
            ReplicaState::Ready,
            ReplicaState::NotResponding,
            ReplicaState::NotResponding,
            ReplicaState::NotReady,
            ReplicaState::Ready,
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn one_that_answers_but_left_the_rotation_is_not_ready() {
        use EndpointState::{Ready, Starting};
        assert_eq!(states(&[(Ready, true), (Starting, true)])[1], ReplicaState::NotReady);
    }

    #[test]
    fn one_that_never_became_ready_starts_for_a_minute_at_most() {
        let states = ReplicaStates::default();
        let starting = endpoint(EndpointState::Starting);
        assert_eq!(states.of(&starting, Some(Duration::from_secs(59))), ReplicaState::Starting);
        assert_eq!(states.of(&starting, Some(Duration::from_secs(61))), ReplicaState::NotReady);
        assert_eq!(states.of(&starting, None), ReplicaState::Starting);
    }

    #[test]
    fn an_address_that_left_the_list_starts_afresh() {
        let mut states = ReplicaStates::default();
        states.notice(&look(EndpointState::Ready, true));
        states.notice(&Sighting { sample: Sample::default(), ..look(EndpointState::Ready, true) });
        states.notice(&look(EndpointState::Starting, true));
        assert_eq!(states.of(&endpoint(EndpointState::Starting), None), ReplicaState::Starting);
    }
}
