//! Prints how many requests per second of one core the rotation carries: a pick, a stay, a record and a release each.
//!
//! Runs in virtual time: 40 requests/s per endpoint with latencies between 25 and 75 ms, and so two in flight at each. In
//! the second case of each size one answer in fifty is a 4xx and one a refusal, which every comparison then weighs.
//! The best of several rounds is printed, because other work on the machine can only make a round slower.
#![expect(clippy::print_stdout, reason = "the figures are what it is run for")]

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use gateway_balancer::{EndpointId, Outcome, ProbeAnswer, Rotation};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

const ROUNDS: usize = 10;
const PICKS_PER_ROUND: u32 = 1_000_000;
const REQUESTS_PER_ENDPOINT_AND_SECOND: u64 = 40;

struct Service {
    rotation: Rotation,
    picks: Xoshiro256PlusPlus,
    latencies: Xoshiro256PlusPlus,
    in_flight: VecDeque<(EndpointId, Duration)>,
    now: Duration,
    gap: Duration,
    is_troubled: bool,
}

impl Service {
    fn new(endpoints: u32, is_troubled: bool) -> Self {
        let mut service = Self {
            rotation: Rotation::default(),
            is_troubled,
            picks: Xoshiro256PlusPlus::seed_from_u64(1),
            latencies: Xoshiro256PlusPlus::seed_from_u64(2),
            in_flight: VecDeque::new(),
            now: Duration::ZERO,
            gap: Duration::from_nanos(
                1_000_000_000 / (REQUESTS_PER_ENDPOINT_AND_SECOND * u64::from(endpoints)),
            ),
        };
        for number in 0..endpoints {
            service.rotation.put(service.now, &format!("http://replica-{number}"));
        }
        while let Some(id) = service.rotation.begin_probe(service.now) {
            service.rotation.record_probe(service.now, id, ProbeAnswer::Ready);
        }
        for _ in 0..2 * endpoints {
            service.start();
        }
        service
    }

    fn start(&mut self) {
        self.now += self.gap;
        let id = self.rotation.pick(self.now, &mut self.picks, &[]).endpoint().expect("all are ready");
        let latency = Duration::from_nanos(25_000_000 + u64::from(self.latencies.next_u32()) % 50_000_000);
        self.in_flight.push_back((id, latency));
    }

    fn finish(&mut self) {
        let (id, latency) = self.in_flight.pop_front().expect("as many are finished as started");
        let outcome = match latency.subsec_micros() % 50 {
            0 if self.is_troubled => Outcome::ClientError { latency },
            1 if self.is_troubled => Outcome::Refused,
            _ => Outcome::Success { latency },
        };
        self.rotation.record(self.now, id, outcome);
        self.rotation.release(id);
    }
}

fn main() {
    for (endpoints, is_troubled) in [(100, false), (100, true), (10_000, false), (10_000, true)] {
        let began = Instant::now();
        let mut service = Service::new(endpoints, is_troubled);
        let admission_ms = began.elapsed().as_secs_f64() * 1e3;
        let mut best_per_second = 0.0_f64;
        for _ in 0..ROUNDS {
            let began = Instant::now();
            for _ in 0..PICKS_PER_ROUND {
                service.start();
                service.finish();
            }
            best_per_second = best_per_second.max(f64::from(PICKS_PER_ROUND) / began.elapsed().as_secs_f64());
        }
        let answers = if is_troubled { "4 % 4xx and refusals" } else { "all served" };
        println!(
            "{endpoints:>6} endpoints, {answers}: {:.2} million picks/s (best of {ROUNDS} rounds), \
             all admitted in {admission_ms:.1} ms",
            best_per_second / 1e6
        );
    }
}
