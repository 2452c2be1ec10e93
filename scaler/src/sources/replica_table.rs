//! Remembers who was in the gateway's list, for as long as what they did may still lie in the window.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Endpoint, EndpointState};

/// Replicas by their URL, each with what a source itself knows of it.
#[derive(Debug)]
pub(super) struct ReplicaTable<T> {
    known: BTreeMap<String, Known<T>>,
}

/// A replica that is or was in the list.
#[derive(Debug)]
pub(super) struct Known<T> {
    /// Its state in the list; none once it is not listed any more.
    pub(super) state: Option<EndpointState>,
    /// When it was first listed as one that may have served (run time).
    pub(super) since: Duration,
    /// When it was last listed (run time).
    pub(super) listed_at: Duration,
    /// What the source knows of it.
    pub(super) own: T,
}

impl<T> Default for ReplicaTable<T> {
    fn default() -> Self {
        Self { known: BTreeMap::new() }
    }
}

impl<T> ReplicaTable<T> {
    /// Takes over a list that was given just now; forgets who left it longer than `reach` ago.
    pub(super) fn follow(
        &mut self,
        endpoints: &[Endpoint],
        now: Duration,
        reach: Duration,
        new: impl Fn(&Endpoint) -> T,
    ) {
        for known in self.known.values_mut() {
            known.state = None;
        }
        for endpoint in endpoints {
            let state = Some(endpoint.state);
            if let Some(known) = self.known.get_mut(&endpoint.url) {
                (known.state, known.listed_at) = (state, now);
            } else if endpoint.state != EndpointState::Starting {
                // One that never served need not be able to answer yet.
                let known = Known { state, since: now, listed_at: now, own: new(endpoint) };
                self.known.insert(endpoint.url.clone(), known);
            }
        }
        let start = now.saturating_sub(reach);
        self.known.retain(|_, known| known.listed_at > start);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(super) fn urls(&self) -> impl Iterator<Item = &str> {
        self.known.keys().map(String::as_str)
    }

    pub(super) fn get(&self, url: &str) -> Option<&Known<T>> {
        self.known.get(url)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &Known<T>)> {
        self.known.iter().map(|(url, known)| (url.as_str(), known))
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Known<T>)> {
        self.known.iter_mut().map(|(url, known)| (url.as_str(), known))
    }

    /// What the replicas agree on within a second or two, such as the load factor; until then the newest sample of a
    /// ready one tells. `read` gives a value and when it was sampled.
    pub(super) fn newest_of_ready(&self, read: impl Fn(&str, &T) -> Option<(Duration, f64)>) -> Option<f64> {
        let ready = self.iter().filter(|(_, known)| known.state == Some(EndpointState::Ready));
        ready
            .filter_map(|(url, known)| read(url, &known.own))
            .max_by_key(|(at, _)| *at)
            .map(|(_, value)| value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(url: &str, state: EndpointState) -> Endpoint {
        Endpoint { url: url.to_owned(), state, in_flight: 0, ewma_ms: None, pid: None }
    }

    fn seconds(value: u64) -> Duration {
        Duration::from_secs(value)
    }

    #[test]
    fn who_left_stays_for_as_long_as_the_window_reaches() {
        let mut table = ReplicaTable::default();
        let mut follow = |at: u64, endpoints: &[Endpoint]| {
            table.follow(endpoints, seconds(at), seconds(30), |_| ());
            table.iter().map(|(url, known)| (url.to_owned(), known.state)).collect::<Vec<_>>()
        };
        let (a, b) = (endpoint("a", EndpointState::Ready), endpoint("b", EndpointState::Starting));
        assert_eq!(follow(10, &[a.clone(), b]), [("a".to_owned(), Some(EndpointState::Ready))]);
        let b = endpoint("b", EndpointState::Ready);
        assert_eq!(follow(20, &[a, b.clone()]).len(), 2);
        assert_eq!(follow(49, std::slice::from_ref(&b))[0], ("a".to_owned(), None));
        assert_eq!(follow(50, std::slice::from_ref(&b)), [("b".to_owned(), Some(EndpointState::Ready))]);
        let again = endpoint("b", EndpointState::Starting);
        assert_eq!(follow(51, &[again]), [("b".to_owned(), Some(EndpointState::Starting))]);
        assert_eq!(table.get("b").unwrap().since, seconds(20));
    }

    #[test]
    fn the_newest_sample_of_a_ready_one_tells() {
        let mut table = ReplicaTable::default();
        let endpoints = [
            endpoint("a", EndpointState::Ready),
            endpoint("b", EndpointState::Ready),
            endpoint("c", EndpointState::Draining),
        ];
        table.follow(&endpoints, seconds(1), seconds(30), |_| ());
        let read = |url: &str, (): &()| match url {
            "a" => Some((seconds(3), 1.0)),
            "b" => Some((seconds(4), 5.0)),
            _ => Some((seconds(9), 9.0)),
        };
        assert_eq!(table.newest_of_ready(read), Some(5.0));
        assert_eq!(table.newest_of_ready(|_, ()| None), None);
    }
}
