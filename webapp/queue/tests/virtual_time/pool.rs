//! The pool: callers that arrive at random and keep a connection for an exponential time wait as long as M/M/c says.

use std::num::NonZero;
use std::time::Duration;

use webapp_queue::{Asked, Pool, PoolCounts};
use workload::queueing::Mmc;
use workload::{Arrivals, ServiceTime, ServiceTimeDistribution, Streams};

use crate::theory::{assert_within, seeds};

const MEAN_CALL: Duration = Duration::from_millis(20);

/// What a simulation saw.
struct Outcome {
    counts: PoolCounts,
    /// Connections in use on average, as a share of all.
    utilization: f64,
}

/// Callers ask at random; each keeps its connection for the time of one call. Gives back in the order of time.
fn simulate(theory: &Mmc, calls: u64, seed: u64) -> Outcome {
    let streams = Streams::from_seed(seed);
    let (mut arrivals, mut call_times) = (streams.stream("arrivals"), streams.stream("service_times"));
    let call_time = ServiceTime::new(ServiceTimeDistribution::Exponential, MEAN_CALL, 0.5)
        .expect("an exponential time needs no spread");
    let mut pool = Pool::new(theory.servers);
    let mut ends: Vec<Duration> = Vec::new();
    let (mut now, mut in_use_seconds) = (Duration::ZERO, 0.0);
    let mut call = |granted_at: Duration, ends: &mut Vec<Duration>| {
        let takes = call_time.draw(&mut call_times);
        in_use_seconds += takes.as_secs_f64();
        ends.push(granted_at + takes);
    };
    for _ in 0..calls {
        now += Arrivals::Poisson
            .next_gap(theory.arrivals_per_second, &mut arrivals)
            .expect("the rate is positive");
        while let Some(first) = (0..ends.len()).min_by_key(|index| ends[*index])
            && ends[first] <= now
        {
            let ended_at = ends.swap_remove(first);
            if let Some(next) = pool.give_back(ended_at) {
                call(next.granted_at, &mut ends);
            }
        }
        if let Asked::Granted(grant) = pool.ask(now, ()) {
            call(grant.granted_at, &mut ends);
        }
    }
    let connection_seconds = now.as_secs_f64() * f64::from(pool.size());
    Outcome { counts: pool.counts(), utilization: in_use_seconds / connection_seconds }
}

fn check(connections: u32, utilization: f64, calls: u64, seed: u64) {
    let connections = NonZero::new(connections).expect("a pool has connections");
    let mean_service_seconds = MEAN_CALL.as_secs_f64();
    let arrivals_per_second = utilization * f64::from(connections.get()) / mean_service_seconds;
    let theory = Mmc { arrivals_per_second, mean_service_seconds, servers: connections };
    let Outcome { counts, utilization: found } = simulate(&theory, calls, seed);
    let at = format!("{connections} connections at ρ = {utilization}, seed {seed}");
    assert_within(0.02, found, utilization, &format!("utilisation of {at}"));
    assert_within(
        0.05,
        counts.mean_wait_seconds(),
        theory.mean_wait_seconds(),
        &format!("mean wait of {at}"),
    );
    let waiting_share = counts.granted_after_wait as f64 / counts.granted as f64;
    assert_within(0.05, waiting_share, theory.waiting_probability(), &format!("share that waits of {at}"));
    assert!(counts.longest_wait > counts.waited.div_f64(counts.granted as f64), "{counts:?}");
}

#[test]
fn the_default_pool_at_low_load_waits_as_erlang_c_says() {
    seeds().for_each(|seed| check(8, 0.5, 1_600_000, seed));
}

#[test]
fn the_default_pool_at_high_load_waits_as_erlang_c_says() {
    seeds().for_each(|seed| check(8, 0.8, 1_600_000, seed));
}

#[test]
fn a_pool_of_one_waits_as_one_server_does() {
    seeds().for_each(|seed| check(1, 0.7, 1_000_000, seed));
}
