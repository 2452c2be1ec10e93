//! The twin: one queue of events, each start and end of a request among them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::time::Duration;

use gateway_balancer::{EndpointId, Outcome, ProbeAnswer, Rotation};
use simulator::{Model, RequestEnd, RequestOutcome, RunDraws, admitted_after};
use webapp_queue::{Arrival, Start, Station, WorkerId};

/// At the same time, what stands first comes first. A replica is known by its place and its process's start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    End { replica: usize, born: Duration, worker: u32 },
    Die { place: u32 },
    Admit { replica: usize, born: Duration },
    DrainOver { replica: usize },
    TimeOut { job: Job, replica: usize },
    Plan { count: u32 },
    Arrive { job: Job },
}

/// One attempt at a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Job {
    sent_at: Duration,
    number: u64,
    arrived_at: Duration,
    service: Duration,
    retries_left: u32,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum Life {
    Starting,
    Ready,
    Draining,
    Gone,
}

struct Replica {
    station: Station<Job>,
    /// What each busy worker works on.
    at_work: BTreeMap<u32, (WorkerId, Job)>,
    /// Attempts that the gateway waits for.
    outstanding: BTreeSet<Job>,
    endpoint: EndpointId,
    born: Duration,
    life: Life,
}

pub(crate) struct Twin<'a> {
    model: &'a Model,
    draws: RunDraws<'a>,
    rotation: Rotation,
    replicas: Vec<Replica>,
    events: BinaryHeap<Reverse<(Duration, Event)>>,
    ends: Vec<RequestEnd>,
}

impl<'a> Twin<'a> {
    pub(crate) fn new(model: &'a Model, plan: Vec<(Duration, u32)>, seed: u64) -> Self {
        let mut twin = Self {
            model,
            draws: RunDraws::new(model, seed),
            rotation: Rotation::default(),
            replicas: Vec::new(),
            events: BinaryHeap::new(),
            ends: Vec::new(),
        };
        for _ in 0..plan[0].1 {
            let replica = twin.add(Duration::ZERO);
            twin.admit(Duration::ZERO, replica);
        }
        for (at, count) in plan.into_iter().skip(1) {
            twin.at(at, Event::Plan { count });
        }
        for fault in &model.faults {
            twin.at(fault.at, Event::Die { place: fault.replica });
        }
        twin
    }

    fn at(&mut self, at: Duration, event: Event) {
        self.events.push(Reverse((at, event)));
    }

    pub(crate) fn play(mut self) -> Vec<RequestEnd> {
        let mut number = 0;
        while let Some((arrived_at, service)) = self.draws.next_request() {
            number += 1;
            let retries_left = self.model.gateway.retries;
            let job = Job { sent_at: arrived_at, number, arrived_at, service, retries_left };
            self.at(arrived_at, Event::Arrive { job });
        }
        while let Some(Reverse((now, event))) = self.events.pop() {
            let is_over = now >= self.model.duration;
            match event {
                Event::End { replica, born, worker } => self.end(now, replica, born, worker),
                Event::TimeOut { job, replica } => {
                    if self.replicas[replica].outstanding.remove(&job) {
                        self.lose(now, replica, job, RequestOutcome::TimedOut);
                    }
                }
                Event::Arrive { job } => match self.rotation.pick(now, self.draws.routes(), &[]).endpoint() {
                    Some(endpoint) => self.send(now, self.replica_of(endpoint), job),
                    None => self.tell(now, job, None, RequestOutcome::NoReplica),
                },
                // Replicas stay as they are once requests stop.
                _ if is_over => {}
                Event::Die { place } => self.die(now, place),
                Event::Admit { replica, born } => {
                    let admitted = &self.replicas[replica];
                    if admitted.born == born && admitted.life == Life::Starting {
                        self.admit(now, replica);
                    }
                }
                Event::DrainOver { replica } => self.leave(now, replica),
                Event::Plan { count } => self.scale(now, count as usize),
            }
        }
        self.ends
    }

    fn replica_of(&self, endpoint: EndpointId) -> usize {
        self.replicas.iter().position(|replica| replica.endpoint == endpoint).expect("it was put")
    }

    fn station(&self) -> Station<Job> {
        Station::new(self.model.service.workers, self.model.service.queue_capacity)
    }

    fn add(&mut self, now: Duration) -> usize {
        let replica = self.replicas.len();
        let endpoint = self.rotation.put(now, &replica.to_string()).id;
        let (station, at_work, outstanding) = (self.station(), BTreeMap::new(), BTreeSet::new());
        self.replicas.push(Replica {
            station,
            at_work,
            outstanding,
            endpoint,
            born: now,
            life: Life::Starting,
        });
        replica
    }

    fn start_up(&mut self, now: Duration, replica: usize) {
        let up_at = now + admitted_after(self.draws.next_start_up());
        self.at(up_at, Event::Admit { replica, born: now });
    }

    fn admit(&mut self, now: Duration, replica: usize) {
        self.replicas[replica].life = Life::Ready;
        self.rotation.record_probe(now, self.replicas[replica].endpoint, ProbeAnswer::Ready);
    }

    fn send(&mut self, now: Duration, replica: usize, job: Job) {
        match self.replicas[replica].station.arrive(now, job) {
            Arrival::Refused(job) => {
                self.close(now, replica, Outcome::Refused);
                self.tell(now, job, Some(replica), RequestOutcome::Refused);
                return;
            }
            Arrival::Started(start) => self.start(replica, &start),
            Arrival::Queued => {}
        }
        self.replicas[replica].outstanding.insert(job);
        self.at(now + self.model.gateway.attempt_timeout, Event::TimeOut { job, replica });
    }

    fn start(&mut self, replica: usize, start: &Start<Job>) {
        let worker = start.worker.index();
        self.replicas[replica].at_work.insert(worker, (start.worker, start.job));
        let born = self.replicas[replica].born;
        self.at(start.started_at + start.job.service, Event::End { replica, born, worker });
    }

    fn end(&mut self, now: Duration, replica: usize, born: Duration, worker: u32) {
        let own = &mut self.replicas[replica];
        if own.born != born || own.life == Life::Gone {
            return;
        }
        let (worker, job) = own.at_work.remove(&worker).expect("the worker is busy");
        let is_waited_for = own.outstanding.remove(&job);
        let next = own.station.complete(worker, now);
        let is_idle = next.is_none() && own.at_work.is_empty();
        if let Some(start) = next {
            self.start(replica, &start);
        }
        if is_waited_for {
            self.close(now, replica, Outcome::Success { latency: now.saturating_sub(job.sent_at) });
            self.tell(now, job, Some(replica), RequestOutcome::Served);
        }
        if is_idle && self.replicas[replica].life == Life::Draining {
            self.leave(now, replica);
        }
    }

    fn close(&mut self, now: Duration, replica: usize, outcome: Outcome) {
        self.rotation.record(now, self.replicas[replica].endpoint, outcome);
        self.rotation.release(self.replicas[replica].endpoint);
    }

    fn lose(&mut self, now: Duration, replica: usize, job: Job, outcome: RequestOutcome) {
        self.close(now, replica, Outcome::Failed { after: now.saturating_sub(job.sent_at) });
        let but = [self.replicas[replica].endpoint];
        let next = if job.retries_left > 0 {
            self.rotation.pick(now, self.draws.routes(), &but).endpoint()
        } else {
            None
        };
        let Some(endpoint) = next else { return self.tell(now, job, Some(replica), outcome) };
        let service = self.draws.next_retry();
        let again = Job { sent_at: now, service, retries_left: job.retries_left - 1, ..job };
        self.send(now, self.replica_of(endpoint), again);
    }

    fn tell(&mut self, now: Duration, job: Job, replica: Option<usize>, outcome: RequestOutcome) {
        let replica = replica.map(|replica| u32::try_from(replica).expect("few replicas") + 1);
        let (number, arrived_at) = (job.number, job.arrived_at);
        self.ends.push(RequestEnd { number, arrived_at, ended_at: now, replica, outcome });
    }

    fn scale(&mut self, now: Duration, count: usize) {
        let stays = |replica: &Replica| matches!(replica.life, Life::Starting | Life::Ready);
        let mut staying: Vec<usize> =
            (0..self.replicas.len()).filter(|replica| stays(&self.replicas[*replica])).collect();
        staying.sort_by_key(|replica| Reverse((self.replicas[*replica].born, *replica)));
        for _ in staying.len()..count {
            let replica = self.add(now);
            self.start_up(now, replica);
        }
        let surplus = staying.len().saturating_sub(count);
        for replica in staying.into_iter().take(surplus) {
            self.replicas[replica].life = Life::Draining;
            self.rotation.drain(now, &replica.to_string());
            let is_idle = self.replicas[replica].at_work.is_empty();
            let limit = if is_idle { Duration::ZERO } else { self.model.gateway.drain_limit };
            self.at(now + limit, Event::DrainOver { replica });
        }
    }

    fn leave(&mut self, now: Duration, replica: usize) {
        if self.replicas[replica].life == Life::Draining {
            self.replicas[replica].life = Life::Gone;
            self.lose_all(now, replica);
            self.rotation.remove(self.replicas[replica].endpoint);
        }
    }

    fn lose_all(&mut self, now: Duration, replica: usize) {
        for job in std::mem::take(&mut self.replicas[replica].outstanding) {
            self.lose(now, replica, job, RequestOutcome::ReplicaDied);
        }
    }

    fn die(&mut self, now: Duration, place: u32) {
        let ready: Vec<usize> =
            (0..self.replicas.len()).filter(|replica| self.replicas[*replica].life == Life::Ready).collect();
        let Some(index) = (place as usize).checked_rem(ready.len()) else { return };
        let replica = ready[index];
        self.rotation.drain(now, &replica.to_string());
        (self.replicas[replica].station, self.replicas[replica].born) = (self.station(), now);
        self.replicas[replica].at_work.clear();
        self.replicas[replica].life = Life::Starting;
        self.lose_all(now, replica);
        self.rotation.remove(self.replicas[replica].endpoint);
        self.replicas[replica].endpoint = self.rotation.put(now, &replica.to_string()).id;
        self.start_up(now, replica);
    }
}
