//! Prints how many events, arrivals and completions, of a replica's station one core carries in virtual time.
//!
//! Four workers with service times between 25 and 75 ms are offered 72 requests/s, nine tenths of what they can do, so
//! that jobs wait as they do in a simulation. The best of several rounds is printed, because other work on the machine
//! can only make a round slower.
#![expect(clippy::print_stdout, reason = "the figure is what it is run for")]

use std::num::NonZero;
use std::time::{Duration, Instant};

use webapp_queue::{Arrival, Start, Station, WorkerId};

const ROUNDS: usize = 10;
const ARRIVALS_PER_ROUND: u32 = 1_000_000;
const WORKERS: NonZero<u32> = NonZero::new(4).expect("four is not zero");
const QUEUE_CAPACITY: usize = 100;
const GAP_MEAN_MICROS: u64 = 13_889;

/// Evenly spread numbers at next to no cost, by a Weyl sequence whose bits are mixed.
struct Draws(u64);

impl Draws {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 32).wrapping_mul(0xD6E8_FEB8_6659_FD93);
        ((mixed >> 32) * bound) >> 32
    }
}

struct Replica {
    station: Station<u32>,
    /// The ends of the jobs at work, by worker.
    ends: [Option<(Duration, WorkerId)>; 4],
    draws: Draws,
    now: Duration,
    events: u64,
}

impl Replica {
    fn new() -> Self {
        Self {
            station: Station::new(WORKERS, QUEUE_CAPACITY),
            ends: [None; 4],
            draws: Draws(1),
            now: Duration::ZERO,
            events: 0,
        }
    }

    fn begin(&mut self, start: &Start<u32>) {
        let service = Duration::from_micros(25_000 + self.draws.below(50_000));
        let free = self.ends.iter_mut().find(|end| end.is_none()).expect("a worker was free");
        *free = Some((start.started_at + service, start.worker));
    }

    fn arrive(&mut self, number: u32) {
        self.now += Duration::from_micros(self.draws.below(2 * GAP_MEAN_MICROS));
        while let Some((end, worker)) = self.take_end() {
            self.events += 1;
            if let Some(next) = self.station.complete(worker, end) {
                self.begin(&next);
            }
        }
        self.events += 1;
        if let Arrival::Started(start) = self.station.arrive(self.now, number) {
            self.begin(&start);
        }
    }

    /// Takes the earliest end that is due.
    fn take_end(&mut self) -> Option<(Duration, WorkerId)> {
        let earliest = self.ends.iter_mut().filter(|end| end.is_some_and(|(at, _)| at <= self.now));
        earliest.min_by_key(|end| end.map(|(at, _)| at)).and_then(Option::take)
    }
}

fn main() {
    let mut replica = Replica::new();
    let mut best_per_second = 0.0_f64;
    for _ in 0..ROUNDS {
        let (began, events) = (Instant::now(), replica.events);
        for number in 0..ARRIVALS_PER_ROUND {
            replica.arrive(number);
        }
        let in_round = (replica.events - events) as f64;
        best_per_second = best_per_second.max(in_round / began.elapsed().as_secs_f64());
    }
    let counts = replica.station.counts();
    println!(
        "one replica: {:.1} million queue events/s (best of {ROUNDS} rounds; {} of {} jobs refused)",
        best_per_second / 1e6,
        counts.refused,
        counts.arrived
    );
}
