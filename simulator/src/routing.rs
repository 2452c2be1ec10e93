//! The live gateway's balancer, asked in virtual time.
//!
//! The balancer must know of every request that has ended before it compares endpoints. Requests are not events here, so
//! the caller brings the replicas up to date before a pick.

use std::time::Duration;

use gateway_balancer::{EndpointId, Outcome, ProbeAnswer, Rotation};

use crate::random::FastStream;
use crate::time::Nanoseconds;

/// A rotation whose endpoints are replicas.
#[derive(Debug)]
pub(crate) struct Routing {
    rotation: Rotation,
    /// The replica of each endpoint; endpoints only grow.
    replicas: Vec<(EndpointId, u32)>,
}

impl Routing {
    pub(crate) fn new() -> Self {
        Self { rotation: Rotation::new(), replicas: Vec::new() }
    }

    /// Announces a replica.
    pub(crate) fn put(&mut self, now: Nanoseconds, replica: u32) -> EndpointId {
        let put = self.rotation.put(at(now), &format!("replica-{replica}"));
        self.replicas.push((put.id, replica));
        put.id
    }

    /// A probe finds the replica up.
    pub(crate) fn admit(&mut self, now: Nanoseconds, endpoint: EndpointId) {
        self.rotation.record_probe(at(now), endpoint, ProbeAnswer::Ready);
    }

    /// Takes a replica out of rotation.
    pub(crate) fn drain(&mut self, now: Nanoseconds, replica: u32) {
        self.rotation.drain(at(now), &format!("replica-{replica}"));
    }

    /// Forgets a drained endpoint.
    pub(crate) fn remove(&mut self, endpoint: EndpointId) {
        self.rotation.remove(endpoint);
        if let Ok(place) = self.replicas.binary_search_by_key(&endpoint, |known| known.0) {
            self.replicas.remove(place);
        }
    }

    /// Picks a replica, not `but`, whose request is in flight from now on; none if none is in rotation.
    #[inline]
    pub(crate) fn pick(
        &mut self,
        now: Nanoseconds,
        stream: &mut FastStream,
        but: Option<EndpointId>,
    ) -> Option<u32> {
        let picked = self.rotation.pick(at(now), &mut stream.0, but.as_slice())?;
        let place = self.replicas.binary_search_by_key(&picked, |known| known.0).ok()?;
        Some(self.replicas[place].1)
    }

    /// An attempt has ended, and the gateway waited for it.
    #[inline]
    pub(crate) fn end(&mut self, now: Nanoseconds, endpoint: EndpointId, outcome: Outcome) {
        self.rotation.record(at(now), endpoint, outcome);
        self.rotation.release(endpoint);
    }
}

#[inline]
pub(crate) fn at(now: Nanoseconds) -> Duration {
    Duration::from_nanos(now)
}
