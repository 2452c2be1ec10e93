//! What happens to requests: they arrive, are sent to a replica, are refused, answered, given up, or tried again.

use std::time::Duration;

use gateway_balancer::{EndpointId, Outcome};
use scaler_engine::Policy;

use super::World;
use crate::control::Event;
use crate::histogram::bucket_of;
use crate::observer::{Observer, RequestEnd, RequestOutcome};
use crate::replica::{Attempt, Life};
use crate::time::Nanoseconds;

/// A request on its way to a replica.
#[derive(Clone, Copy, Debug)]
struct Sent {
    now: Nanoseconds,
    arrived_at: Nanoseconds,
    number: u64,
    service: Nanoseconds,
    retries_left: u32,
}

impl<P: Policy, O: Observer> World<'_, P, O> {
    /// Takes the arrivals before `until`, or before an event that one of them brings about.
    pub(super) fn arrive_until(&mut self, until: Nanoseconds) {
        while self.next_arrival < until.min(self.control.next_at()) {
            let now = self.next_arrival;
            self.next_arrival = self.arrivals.next();
            self.requests += 1;
            let number = self.requests;
            let service = self.model.service.service_time.draw(&mut self.streams.service_times);
            let Some(place) = self.pick(now, None) else {
                self.fail(now, now, number, None, RequestOutcome::NoReplica);
                continue;
            };
            let retries_left = self.model.gateway.retries;
            self.send(place, Sent { now, arrived_at: now, number, service, retries_left });
        }
    }

    /// The same where one replica serves for good: what ends before `until` is settled at once.
    pub(super) fn arrive_alone_until(&mut self, mut until: Nanoseconds) {
        while self.next_arrival < until {
            let now = self.next_arrival;
            self.next_arrival = self.arrivals.next();
            self.requests += 1;
            let number = self.requests;
            let service = self.model.service.service_time.draw(&mut self.streams.service_times);
            let replica = &mut self.replicas[0];
            replica.counters.arrived += 1;
            let Some(ends_at) = replica.workers.admit(now, service) else {
                replica.counters.refused += 1;
                self.refuse(0, now, now, number);
                continue;
            };
            let attempt = Attempt {
                ends_at,
                sent_at: now,
                arrived_at: now,
                number,
                retries_left: 0,
                is_abandoned: false,
            };
            if ends_at - now > self.attempt_timeout {
                let at = now + self.attempt_timeout;
                self.control.add(at, Event::TimedOut { replica: 0, number, sent_at: now });
                until = until.min(at);
            }
            if ends_at <= until {
                self.settle(0, &attempt);
            } else {
                self.replicas[0].take(attempt);
            }
        }
    }

    /// Sends a request to the replica that was picked for it.
    fn send(&mut self, place: u32, sent: Sent) {
        let Sent { now, arrived_at, number, service, retries_left } = sent;
        let replica = &mut self.replicas[place as usize];
        replica.counters.arrived += 1;
        let Some(ends_at) = replica.workers.admit(now, service) else {
            replica.counters.refused += 1;
            let endpoint = replica.endpoint;
            if let (Some(routing), Some(endpoint)) = (&mut self.routing, endpoint) {
                routing.end(now, endpoint, Outcome::Refused);
            }
            self.refuse(place, now, arrived_at, number);
            return;
        };
        replica.take(Attempt {
            ends_at,
            sent_at: now,
            arrived_at,
            number,
            retries_left,
            is_abandoned: false,
        });
        if ends_at - now > self.attempt_timeout {
            let event = Event::TimedOut { replica: place, number, sent_at: now };
            self.control.add(now + self.attempt_timeout, event);
        }
    }

    /// Picks a replica for a request, not `but`; none if none is in rotation.
    #[inline]
    fn pick(&mut self, now: Nanoseconds, but: Option<EndpointId>) -> Option<u32> {
        if self.routing.as_ref()?.has_ejected() {
            self.settle_all(now);
        }
        let routing = self.routing.as_mut()?;
        let candidates = routing.draw(now, &mut self.streams.routes, but);
        for place in candidates.places() {
            let place = self.routing.as_ref()?.replica_at(place);
            self.settle_one(now, place);
        }
        self.routing.as_mut()?.pick_of(now, candidates)
    }

    /// Settles everything that has ended by `now`.
    pub(super) fn settle_all(&mut self, now: Nanoseconds) {
        for index in 0..self.existing.len() {
            self.settle_one(now, self.existing[index]);
        }
    }

    /// Settles what one replica has ended by `now`.
    #[inline]
    pub(super) fn settle_one(&mut self, now: Nanoseconds, place: u32) {
        while let Some(attempt) = self.replicas[place as usize].pop_ended(now) {
            self.settle(place, &attempt);
        }
    }

    /// An attempt has been worked on.
    #[inline]
    fn settle(&mut self, place: u32, attempt: &Attempt) {
        let replica = &mut self.replicas[place as usize];
        let response_time = attempt.ends_at - attempt.sent_at;
        let mut bucket = replica.counters.complete(response_time, &self.table);
        if attempt.is_abandoned {
            return;
        }
        if let (Some(routing), Some(endpoint)) = (&mut self.routing, replica.endpoint) {
            let latency = Duration::from_nanos(response_time);
            routing.end(attempt.ends_at, endpoint, Outcome::Success { latency });
        }
        let time = attempt.ends_at - attempt.arrived_at;
        if attempt.arrived_at != attempt.sent_at {
            bucket = bucket_of(time);
        }
        self.tally.serve(time, bucket);
        self.observer.on_request(&RequestEnd {
            number: attempt.number,
            arrived_at: Duration::from_nanos(attempt.arrived_at),
            ended_at: Duration::from_nanos(attempt.ends_at),
            replica: Some(replica.number),
            outcome: RequestOutcome::Served,
        });
    }

    /// The gateway stops waiting for an attempt, if it is still there.
    pub(super) fn time_out(&mut self, now: Nanoseconds, place: u32, number: u64, sent_at: Nanoseconds) {
        let replica = &mut self.replicas[place as usize];
        let is_it = |attempt: &&mut Attempt| {
            attempt.number == number && attempt.sent_at == sent_at && !attempt.is_abandoned
        };
        let Some(attempt) = replica.attempts.iter_mut().find(is_it) else { return };
        attempt.is_abandoned = true;
        let attempt = *attempt;
        self.lose(now, place, &attempt, RequestOutcome::TimedOut);
    }

    /// The gateway learns that an attempt brings no answer, and tries elsewhere if it may.
    pub(super) fn lose(&mut self, now: Nanoseconds, place: u32, attempt: &Attempt, outcome: RequestOutcome) {
        let endpoint = self.replicas[place as usize].endpoint;
        if let (Some(routing), Some(endpoint)) = (&mut self.routing, endpoint) {
            let after = Duration::from_nanos(now - attempt.sent_at);
            routing.end(now, endpoint, Outcome::Failed { after });
        }
        let next = if attempt.retries_left > 0 { self.pick(now, endpoint) } else { None };
        let Some(next) = next else {
            let replica = Some(self.replicas[place as usize].number);
            self.fail(now, attempt.arrived_at, attempt.number, replica, outcome);
            return;
        };
        let service = self.model.service.service_time.draw(&mut self.streams.retries);
        self.send(
            next,
            Sent {
                now,
                arrived_at: attempt.arrived_at,
                number: attempt.number,
                service,
                retries_left: attempt.retries_left - 1,
            },
        );
    }

    /// All that a replica works on is lost, in the order in which it was sent.
    pub(super) fn lose_all(&mut self, now: Nanoseconds, place: u32, mut attempts: Vec<Attempt>) {
        debug_assert!(self.replicas[place as usize].life != Life::Ready, "it gets no request again");
        attempts.retain(|attempt| !attempt.is_abandoned);
        attempts.sort_by_key(|attempt| (attempt.sent_at, attempt.number));
        for attempt in &attempts {
            self.lose(now, place, attempt, RequestOutcome::ReplicaDied);
        }
    }

    fn refuse(&mut self, place: u32, now: Nanoseconds, arrived_at: Nanoseconds, number: u64) {
        self.tally.refuse();
        self.tell(
            now,
            arrived_at,
            number,
            Some(self.replicas[place as usize].number),
            RequestOutcome::Refused,
        );
    }

    fn fail(
        &mut self,
        now: Nanoseconds,
        arrived_at: Nanoseconds,
        number: u64,
        replica: Option<u32>,
        outcome: RequestOutcome,
    ) {
        self.tally.fail();
        self.tell(now, arrived_at, number, replica, outcome);
    }

    fn tell(
        &mut self,
        now: Nanoseconds,
        arrived_at: Nanoseconds,
        number: u64,
        replica: Option<u32>,
        outcome: RequestOutcome,
    ) {
        self.observer.on_request(&RequestEnd {
            number,
            arrived_at: Duration::from_nanos(arrived_at),
            ended_at: Duration::from_nanos(now),
            replica,
            outcome,
        });
    }
}
