//! The station: waiting, refusals, throughput, and late timers.

use std::num::NonZero;
use std::time::Duration;

use webapp_queue::{Arrival, Start, Station};
use workload::queueing::{Mg1, Mmc, MmcK};
use workload::{Arrivals, ServiceTime, ServiceTimeDistribution, Streams};

use crate::theory::{assert_within, seeds};

const MEAN_SERVICE: Duration = Duration::from_millis(50);

/// One point: a load on a station.
struct Point {
    workers: u32,
    queue_capacity: usize,
    distribution: ServiceTimeDistribution,
    /// The offered load per worker.
    utilization: f64,
    jobs: u64,
    /// How much later than intended each end of a job is noticed.
    lateness: Duration,
}

/// A point of four workers and exponential service, as in the formulas for M/M/4.
const M_M_4: Point = Point {
    workers: 4,
    queue_capacity: usize::MAX,
    distribution: ServiceTimeDistribution::Exponential,
    utilization: 0.0,
    jobs: 500_000,
    lateness: Duration::ZERO,
};

/// What a simulation saw.
struct Outcome {
    mean_wait_seconds: f64,
    refused_share: f64,
    throughput_per_second: f64,
    utilization: f64,
}

impl Point {
    fn servers(&self) -> NonZero<u32> {
        NonZero::new(self.workers).expect("a point has workers")
    }

    fn arrivals_per_second(&self) -> f64 {
        self.utilization * f64::from(self.workers) / MEAN_SERVICE.as_secs_f64()
    }

    fn mmck(&self) -> MmcK {
        MmcK {
            arrivals_per_second: self.arrivals_per_second(),
            mean_service_seconds: MEAN_SERVICE.as_secs_f64(),
            servers: self.servers(),
            waiting_places: u32::try_from(self.queue_capacity).expect("the formula needs a bounded queue"),
        }
    }

    /// Arrivals and noticed ends in the order of time, until `jobs` have arrived.
    fn simulate(&self, seed: u64) -> Outcome {
        let streams = Streams::from_seed(seed);
        let (mut arrivals, mut services) = (streams.stream("arrivals"), streams.stream("service_times"));
        let service_time = ServiceTime::new(self.distribution, MEAN_SERVICE, 0.5)
            .expect("every distribution has this spread");
        let mut station = Station::new(self.servers(), self.queue_capacity);
        let mut running: Vec<(Duration, Start<()>)> = Vec::new();
        let (mut waited_seconds, mut now) = (0.0, Duration::ZERO);
        let mut begin = |start: Start<()>, running: &mut Vec<(Duration, Start<()>)>| {
            waited_seconds += start.waited().as_secs_f64();
            running.push((start.started_at + service_time.draw(&mut services), start));
        };
        for _ in 0..self.jobs {
            now += Arrivals::Poisson
                .next_gap(self.arrivals_per_second(), &mut arrivals)
                .expect("the rate is positive");
            while let Some(first) = (0..running.len()).min_by_key(|index| running[*index].0)
                && running[first].0 + self.lateness <= now
            {
                let (ended_at, ended) = running.swap_remove(first);
                if let Some(start) = station.complete(ended.worker, ended_at) {
                    begin(start, &mut running);
                }
            }
            if let Arrival::Started(start) = station.arrive(now, ()) {
                begin(start, &mut running);
            }
        }
        let counts = station.counts();
        let elapsed_seconds = now.as_secs_f64();
        Outcome {
            mean_wait_seconds: waited_seconds / counts.started as f64,
            refused_share: counts.refused as f64 / counts.arrived as f64,
            throughput_per_second: counts.completed as f64 / elapsed_seconds,
            utilization: station.busy_seconds(now) / elapsed_seconds / f64::from(self.workers),
        }
    }
}

fn check_mean_wait(utilization: f64, jobs: u64, seed: u64) {
    let point = Point { utilization, jobs, ..M_M_4 };
    let theory = Mmc {
        arrivals_per_second: point.arrivals_per_second(),
        mean_service_seconds: MEAN_SERVICE.as_secs_f64(),
        servers: point.servers(),
    };
    let outcome = point.simulate(seed);
    let what = format!("mean wait at ρ = {utilization}, seed {seed}");
    assert_within(0.05, outcome.mean_wait_seconds, theory.mean_wait_seconds(), &what);
    assert_within(
        0.02,
        outcome.utilization,
        utilization,
        &format!("utilisation at ρ = {utilization}, seed {seed}"),
    );
}

fn check_overload(utilization: f64, queue_capacity: usize, seed: u64) {
    let point = Point { queue_capacity, utilization, ..M_M_4 };
    let outcome = point.simulate(seed);
    let what = format!("ρ = {utilization}, queue of {queue_capacity}, seed {seed}");
    let (found, expected) = (outcome.refused_share, point.mmck().blocking_probability());
    println!("refused share at {what}: {found:.5}, theory {expected:.5}");
    assert!((found - expected).abs() <= 0.01, "refused share at {what}: {found}, expected {expected}");
    let throughput = outcome.throughput_per_second;
    assert_within(0.01, throughput, point.mmck().throughput_per_second(), &format!("throughput at {what}"));
    assert_within(
        0.03,
        outcome.mean_wait_seconds,
        point.mmck().mean_wait_seconds(),
        &format!("mean wait at {what}"),
    );
}

/// The same random numbers with and without late timers, so that the difference is the lateness alone.
fn check_lateness(seed: u64) {
    let punctual = Point {
        utilization: 2.5,
        queue_capacity: 100,
        distribution: ServiceTimeDistribution::Lognormal,
        ..M_M_4
    };
    let late = Point { lateness: Duration::from_micros(1100), ..punctual };
    let (punctual, late) = (punctual.simulate(seed), late.simulate(seed));
    let capacity_per_second = 4.0 / MEAN_SERVICE.as_secs_f64();
    let what = format!("throughput with timers 1.1 ms late, seed {seed}");
    assert_within(0.001, late.throughput_per_second, punctual.throughput_per_second, &what);
    assert_within(
        0.01,
        late.throughput_per_second,
        capacity_per_second,
        &format!("{what}, against capacity"),
    );
}

fn check_one_worker(utilization: f64, seed: u64) {
    let distribution = ServiceTimeDistribution::Lognormal;
    let point = Point { workers: 1, utilization, distribution, ..M_M_4 };
    let service_time =
        ServiceTime::new(distribution, MEAN_SERVICE, 0.5).expect("every distribution has this spread");
    let theory = Mg1 {
        arrivals_per_second: point.arrivals_per_second(),
        mean_service_seconds: MEAN_SERVICE.as_secs_f64(),
        second_moment_seconds_squared: service_time.second_moment_seconds_squared(),
    };
    let what = format!("mean wait of M/G/1 at ρ = {utilization}, seed {seed}");
    assert_within(0.05, point.simulate(seed).mean_wait_seconds, theory.mean_wait_seconds(), &what);
}

// At low load few jobs wait at all, at high load their waits hang together: both need more jobs for the same
// error.

#[test]
fn mean_wait_at_low_load_is_erlang_c() {
    seeds().for_each(|seed| check_mean_wait(0.3, 1_600_000, seed));
}

#[test]
fn mean_wait_at_medium_load_is_erlang_c() {
    seeds().for_each(|seed| check_mean_wait(0.6, 800_000, seed));
}

#[test]
fn mean_wait_at_high_load_is_erlang_c() {
    seeds().for_each(|seed| check_mean_wait(0.8, 1_000_000, seed));
}

#[test]
fn refusals_at_overload_are_those_of_a_finite_queue() {
    seeds().for_each(|seed| check_overload(1.25, 100, seed));
    seeds().for_each(|seed| check_overload(2.5, 100, seed));
}

#[test]
fn refusals_of_a_short_queue_are_those_of_a_finite_queue() {
    seeds().for_each(|seed| check_overload(1.25, 3, seed));
    seeds().for_each(|seed| check_overload(0.8, 0, seed));
}

#[test]
fn late_timers_cost_no_throughput() {
    seeds().for_each(check_lateness);
}

#[test]
fn mean_wait_of_one_worker_is_that_of_pollaczek_and_khinchine() {
    seeds().for_each(|seed| check_one_worker(0.6, seed));
}
