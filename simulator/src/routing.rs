//! The live gateway's balancer, asked in virtual time.
//!
//! The balancer must know of every request that has ended at an endpoint before it compares it. Requests are not events
//! here, so a pick has two halves: it draws two endpoints, the kernel brings these up to date, and it compares them.

use std::time::Duration;

use gateway_balancer::{Candidates, EndpointId, Outcome, ProbeAnswer, Rotation};

use crate::random::FastStream;
use crate::time::Nanoseconds;

/// A rotation whose endpoints are replicas.
#[derive(Debug, Default)]
pub(crate) struct Routing {
    rotation: Rotation,
    /// The replica at each place of the rotation.
    replicas: Vec<u32>,
    /// Endpoints that are, or but for their ejection would be, in rotation.
    admitted: usize,
}

impl Routing {
    /// Announces a replica.
    pub(crate) fn put(&mut self, now: Nanoseconds, replica: u32) -> EndpointId {
        let id = self.rotation.put(at(now), &format!("replica-{replica}")).id;
        if id.place() == self.replicas.len() {
            self.replicas.push(replica);
        } else {
            self.replicas[id.place()] = replica;
        }
        id
    }

    /// A probe finds the replica up.
    pub(crate) fn admit(&mut self, now: Nanoseconds, endpoint: EndpointId) {
        self.rotation.record_probe(at(now), endpoint, ProbeAnswer::Ready);
        self.admitted += 1;
    }

    /// Takes a replica out of rotation, which was in it or not.
    pub(crate) fn drain(&mut self, now: Nanoseconds, replica: u32, was_ready: bool) {
        self.rotation.drain(at(now), &format!("replica-{replica}"));
        self.admitted -= usize::from(was_ready);
    }

    /// Forgets a drained endpoint.
    pub(crate) fn remove(&mut self, endpoint: EndpointId) {
        self.rotation.remove(endpoint);
    }

    /// Whether an endpoint is ejected: its return asks for the latency of others, so all must be up to date.
    #[inline]
    pub(crate) fn has_ejected(&self) -> bool {
        self.rotation.ready_count() < self.admitted
    }

    /// Draws candidates for a request, not `but`; they must be brought up to date before [`Routing::pick_of`].
    #[inline]
    pub(crate) fn draw(
        &mut self,
        now: Nanoseconds,
        stream: &mut FastStream,
        but: Option<EndpointId>,
    ) -> Candidates {
        self.rotation.draw(at(now), &mut stream.0, but.as_slice())
    }

    /// The replica at a place of the rotation.
    #[inline]
    pub(crate) fn replica_at(&self, place: usize) -> u32 {
        self.replicas[place]
    }

    /// Picks the replica whose request is in flight from now on; none if none is in rotation.
    #[inline]
    pub(crate) fn pick_of(&mut self, now: Nanoseconds, candidates: Candidates) -> Option<u32> {
        let picked = self.rotation.pick_of(at(now), candidates).endpoint()?;
        Some(self.replicas[picked.place()])
    }

    /// An attempt has ended, and the gateway waited for it.
    #[inline]
    pub(crate) fn end(&mut self, now: Nanoseconds, endpoint: EndpointId, outcome: Outcome) {
        self.rotation.record(at(now), endpoint, outcome);
        self.rotation.release(endpoint);
    }
}

#[inline]
fn at(now: Nanoseconds) -> Duration {
    Duration::from_nanos(now)
}
