//! What happens to replicas: they start, are admitted, leave, and die.

use std::cmp::Reverse;
use std::time::Duration;

use scaler_engine::Policy;

use super::World;
use crate::control::Event;
use crate::observer::Observer;
use crate::replica::{Attempt, Life, Replica, admitted_after};
use crate::time::{Nanoseconds, nanoseconds_of, seconds_of};

impl<P: Policy, O: Observer> World<'_, P, O> {
    /// Adds a replica that begins to start; returns its place.
    pub(super) fn add_replica(&mut self, now: Nanoseconds) -> u32 {
        let place = u32::try_from(self.replicas.len()).expect("fewer replicas than 2^32 are ever started");
        let mut replica = Replica::new(place + 1, &self.model.service, now);
        replica.endpoint = self.routing.as_mut().map(|routing| routing.put(now, place));
        self.replicas.push(replica);
        self.existing.push(place);
        place
    }

    /// Says when a replica that starts `now` will be admitted.
    fn expect_admission(&mut self, now: Nanoseconds, place: u32) {
        let start_up = self.model.service.start_up.draw(&mut self.streams.starts);
        let at = now + nanoseconds_of(admitted_after(Duration::from_nanos(start_up)));
        self.control.add(at, Event::Admit { replica: place, started_at: now });
    }

    /// A replica enters the rotation.
    pub(super) fn admit(&mut self, now: Nanoseconds, place: u32) {
        let replica = &mut self.replicas[place as usize];
        replica.life = Life::Ready;
        replica.readiness_changed_at = Some(now);
        if let (Some(routing), Some(endpoint)) = (&mut self.routing, replica.endpoint) {
            routing.admit(now, endpoint);
        }
        self.note_ready(now);
    }

    /// Starts or removes replicas until so many stay. Removed are the newest, as the live actuator does.
    pub(super) fn scale_to(&mut self, now: Nanoseconds, asked: u32) {
        let mut staying: Vec<u32> =
            self.existing.iter().copied().filter(|place| self.stays(*place)).collect();
        let surplus = staying.len().saturating_sub(asked as usize);
        for _ in staying.len()..asked as usize {
            let place = self.add_replica(now);
            self.expect_admission(now, place);
        }
        staying.sort_by_key(|place| Reverse((self.replicas[*place as usize].started_at, *place)));
        for place in staying.into_iter().take(surplus) {
            self.begin_to_leave(now, place);
        }
        self.note_ready(now);
    }

    fn begin_to_leave(&mut self, now: Nanoseconds, place: u32) {
        let replica = &mut self.replicas[place as usize];
        let was_ready = replica.life == Life::Ready;
        replica.life = Life::Draining;
        if was_ready {
            replica.readiness_changed_at = Some(now);
        }
        let done_at = replica.attempts.back().map_or(now, |last| last.ends_at);
        if let Some(routing) = &mut self.routing {
            routing.drain(now, place, was_ready);
        }
        let limit = nanoseconds_of(self.model.gateway.drain_limit);
        self.control.add(done_at.min(now + limit), Event::Gone { replica: place });
    }

    /// A draining replica ends; what it has not finished by then is lost.
    pub(super) fn leave(&mut self, now: Nanoseconds, place: u32) {
        let replica = &mut self.replicas[place as usize];
        if replica.life != Life::Draining {
            return;
        }
        let unfinished: Vec<Attempt> = std::mem::take(&mut replica.attempts).into();
        self.lose_all(now, place, unfinished);
        self.account_until(now);
        let replica = &mut self.replicas[place as usize];
        self.account.busy_seconds += seconds_of(replica.workers.busy_time(now));
        replica.life = Life::Gone;
        if let (Some(routing), Some(endpoint)) = (&mut self.routing, replica.endpoint) {
            routing.remove(endpoint);
        }
        self.existing.retain(|existing| *existing != place);
    }

    /// The ready replica at this place among them dies. Its supervisor takes it out of rotation and starts it again.
    pub(super) fn die(&mut self, now: Nanoseconds, place: u32) {
        let ready: Vec<u32> = self
            .existing
            .iter()
            .copied()
            .filter(|existing| self.replicas[*existing as usize].life == Life::Ready)
            .collect();
        let Some(index) = (place as usize).checked_rem(ready.len()) else { return };
        let place = ready[index];
        let replica = &mut self.replicas[place as usize];
        let endpoint = replica.endpoint;
        self.account.busy_seconds += seconds_of(replica.workers.busy_time(now));
        let lost: Vec<Attempt> = replica.restart(&self.model.service, now).into();
        replica.endpoint = endpoint;
        if let Some(routing) = &mut self.routing {
            routing.drain(now, place, true);
        }
        self.lose_all(now, place, lost);
        if let (Some(routing), Some(endpoint)) = (&mut self.routing, endpoint) {
            routing.remove(endpoint);
            self.replicas[place as usize].endpoint = Some(routing.put(now, place));
        }
        self.expect_admission(now, place);
        self.note_ready(now);
    }

    fn stays(&self, place: u32) -> bool {
        matches!(self.replicas[place as usize].life, Life::Starting | Life::Ready)
    }

    /// Replicas that exist and are not leaving, and how many of them are ready.
    pub(super) fn counts(&self) -> (u32, u32) {
        let count_of = |is_counted: fn(Life) -> bool| {
            let lives = self.existing.iter().map(|place| self.replicas[*place as usize].life);
            u32::try_from(lives.filter(|life| is_counted(*life)).count()).unwrap_or(u32::MAX)
        };
        let current = count_of(|life| matches!(life, Life::Starting | Life::Ready));
        (current, count_of(|life| life == Life::Ready))
    }

    fn note_ready(&mut self, now: Nanoseconds) {
        let (_, ready) = self.counts();
        let changes = &mut self.account.ready_changes;
        if changes.last().is_none_or(|(_, before)| *before != ready) {
            changes.push((seconds_of(now), ready));
        }
    }

    /// Counts what the existing replicas have cost up to `now`; to be called before their number changes.
    pub(super) fn account_until(&mut self, now: Nanoseconds) {
        let span = now.saturating_sub(self.account.counted_until);
        self.account.replica_seconds += seconds_of(span) * self.existing.len() as f64;
        self.account.counted_until = now;
    }
}
