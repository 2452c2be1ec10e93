//! A service in virtual time: endpoints with a behaviour each, requests, retries, probes and changes of the membership.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::time::Duration;

use gateway_balancer::{EndpointId, Outcome, ProbeAnswer, Rotation, State};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// How an endpoint answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behaviour {
    /// Around 50 ms.
    Steady,
    /// Exactly 50 ms.
    Constant,
    /// Around 250 ms.
    Slow,
    /// Fails each request at once.
    Fails,
    /// Fails 9 in 10 for seven of every 20 s, some of them late.
    FailsAtTimes,
    /// Refuses all at once.
    Refuses,
    /// Answers all with a 4xx after 1 ms.
    Rejects,
    /// Answers one in five with a 4xx after 1 ms.
    RejectsSometimes,
    /// Its probes fail for four of every 15 s, with refusals and another replica's answers in between.
    UnreadyAtTimes,
}

/// A service, its clients, and the digest of all that was seen.
pub(super) struct World {
    rotation: Rotation,
    picks: ChaCha8Rng,
    /// Latencies and changes; apart from the draws of the picks.
    fate: ChaCha8Rng,
    now: Duration,
    /// The behaviour by the address's number.
    behaviours: Vec<Behaviour>,
    numbers: BTreeMap<EndpointId, usize>,
    ends: BinaryHeap<Reverse<(Duration, u64)>>,
    in_flight: BTreeMap<u64, (EndpointId, Outcome, bool)>,
    stays: u64,
    churn_each: Option<u64>,
    digest: u64,
}

fn url(number: usize) -> String {
    format!("http://replica-{number}")
}

impl World {
    pub(super) fn new(behaviours: &[(Behaviour, usize)], churn_each: Option<u64>, seed: u64) -> Self {
        let mut world = Self {
            rotation: Rotation::default(),
            picks: ChaCha8Rng::seed_from_u64(seed),
            fate: ChaCha8Rng::seed_from_u64(seed + 1_000_000),
            now: Duration::ZERO,
            behaviours: behaviours.iter().flat_map(|&(kind, count)| vec![kind; count]).collect(),
            numbers: BTreeMap::new(),
            ends: BinaryHeap::new(),
            in_flight: BTreeMap::new(),
            stays: 0,
            churn_each,
            // The offset basis of FNV-1a.
            digest: 0xcbf2_9ce4_8422_2325,
        };
        for number in 0..world.behaviours.len() {
            world.put(number);
        }
        world
    }

    pub(super) fn run(&mut self, requests: u64, gap_micros: u64) {
        for request in 0..requests {
            self.finish_due();
            self.probe_due();
            if self.churn_each.is_some_and(|each| request % each == each - 1) {
                self.change_membership();
            }
            self.send();
            self.now += Duration::from_micros(gap_micros / 2 + u64::from(self.fate.next_u32()) % gap_micros);
        }
    }

    /// FNV-1a of all picks, ejections and the last states.
    pub(super) fn digest(&mut self) -> u64 {
        let views: Vec<String> = self
            .rotation
            .endpoints(self.now)
            .map(|view| {
                format!(
                    "{} {} {} {:.9} {} {:?} {}",
                    view.url,
                    view.state.name(),
                    view.in_flight,
                    view.ewma_seconds,
                    view.picked,
                    view.answers,
                    view.ejections
                )
            })
            .collect();
        for byte in views.concat().bytes() {
            self.note(u64::from(byte));
        }
        self.digest
    }

    fn note(&mut self, value: u64) {
        for byte in value.to_le_bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn put(&mut self, number: usize) {
        let id = self.rotation.put(self.now, &url(number)).id;
        self.numbers.insert(id, number);
    }

    /// One request with up to two repetitions elsewhere.
    fn send(&mut self) {
        let mut tried = Vec::new();
        while tried.len() < 3 {
            let picked = self.pick(&tried);
            self.note(picked.map_or(u64::MAX, |id| self.numbers[&id] as u64));
            let Some(id) = picked else { return };
            let (after, outcome) = self.answer(id);
            // One client in fifty goes away: released without a record.
            let is_recorded = !self.fate.next_u32().is_multiple_of(50);
            if after.is_zero() && matches!(outcome, Outcome::Failed { .. }) {
                self.end(id, outcome, is_recorded);
                tried.push(id);
                continue;
            }
            self.stays += 1;
            self.in_flight.insert(self.stays, (id, outcome, is_recorded));
            self.ends.push(Reverse((self.now + after, self.stays)));
            return;
        }
    }

    fn pick(&mut self, tried: &[EndpointId]) -> Option<EndpointId> {
        self.rotation.pick(self.now, &mut self.picks, tried).endpoint()
    }

    fn answer(&mut self, id: EndpointId) -> (Duration, Outcome) {
        let behaviour = self.behaviours[self.numbers[&id]];
        let draw = self.fate.next_u32();
        let around = |millis: u32| Duration::from_micros(u64::from(draw % (millis * 1_000) + millis * 500));
        let second = self.now.as_secs();
        let success = |latency| (latency, Outcome::Success { latency });
        let rejected = Duration::from_millis(1);
        match behaviour {
            Behaviour::Constant => success(Duration::from_millis(50)),
            Behaviour::Slow => success(around(250)),
            Behaviour::Refuses => (Duration::ZERO, Outcome::Refused),
            Behaviour::Fails => (Duration::ZERO, Outcome::Failed { after: Duration::ZERO }),
            Behaviour::FailsAtTimes if second % 20 < 7 && draw % 10 < 9 => {
                let after = if draw.is_multiple_of(4) { around(400) } else { Duration::ZERO };
                (after, Outcome::Failed { after })
            }
            Behaviour::RejectsSometimes if draw.is_multiple_of(5) => {
                (rejected, Outcome::ClientError { latency: rejected })
            }
            Behaviour::Rejects => (rejected, Outcome::ClientError { latency: rejected }),
            Behaviour::Steady
            | Behaviour::UnreadyAtTimes
            | Behaviour::FailsAtTimes
            | Behaviour::RejectsSometimes => success(around(50)),
        }
    }

    fn finish_due(&mut self) {
        while let Some(&Reverse((end, stay))) = self.ends.peek() {
            if end > self.now {
                break;
            }
            self.ends.pop();
            let (id, outcome, is_recorded) = self.in_flight.remove(&stay).expect("each stay has an outcome");
            let now = self.now;
            self.now = end;
            self.end(id, outcome, is_recorded);
            self.now = now;
        }
    }

    fn end(&mut self, id: EndpointId, outcome: Outcome, is_recorded: bool) {
        let ejected = is_recorded && self.rotation.record(self.now, id, outcome);
        self.note(u64::from(ejected));
        self.rotation.release(id);
    }

    fn probe_due(&mut self) {
        while self.rotation.next_probe_at().is_some_and(|at| at <= self.now) {
            while let Some(id) = self.rotation.begin_probe(self.now) {
                let answer = self.probe_answer(id);
                self.rotation.record_probe(self.now, id, answer);
            }
        }
    }

    fn probe_answer(&self, id: EndpointId) -> ProbeAnswer {
        let (number, second) = (self.numbers[&id] as u64, self.now.as_secs());
        match self.behaviours[self.numbers[&id]] {
            Behaviour::UnreadyAtTimes if (second + number) % 15 < 4 => match (second + number) % 7 {
                0 => ProbeAnswer::Busy,
                1 => ProbeAnswer::OtherReplica,
                _ => ProbeAnswer::NotReady,
            },
            _ => ProbeAnswer::Ready,
        }
    }

    /// Puts, drains, forgets, restarts, or takes in an answer of DNS.
    fn change_membership(&mut self) {
        let number = self.fate.next_u32() as usize % (self.behaviours.len() + 4);
        let address = url(number);
        if number >= self.behaviours.len() {
            self.sync_dns();
            return;
        }
        let known = self.rotation.endpoints(self.now).find(|view| view.url == address);
        match known.map(|view| (view.id, view.state)) {
            None => self.put(number),
            Some((_, State::Draining)) if self.fate.next_u32().is_multiple_of(3) => self.put(number),
            Some((id, State::Draining)) => drop(self.rotation.remove(id)),
            Some((id, _)) if self.fate.next_u32().is_multiple_of(3) => self.rotation.restart(self.now, id),
            Some(_) => drop(self.rotation.drain(self.now, &address)),
        }
    }

    /// An answer that names about nine of ten addresses, and three further ones.
    fn sync_dns(&mut self) {
        let known = self.behaviours.len();
        self.behaviours.resize((known + 1).min(known.next_multiple_of(8) + 3), Behaviour::Steady);
        let mut named: Vec<usize> = (0..self.behaviours.len()).collect();
        named.retain(|_| !self.fate.next_u32().is_multiple_of(10));
        let urls: Vec<String> = named.iter().map(|&number| url(number)).collect();
        let discovered = self.rotation.sync_discovered(self.now, &urls);
        for id in discovered.added {
            let view = self.rotation.endpoint(self.now, id).expect("just added");
            let number = view.url.trim_start_matches("http://replica-").parse().expect("a number");
            self.numbers.insert(id, number);
        }
        self.note(discovered.absent.len() as u64);
    }
}
