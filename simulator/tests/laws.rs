//! Holds the kernel against queueing theory, each law within 1 % at 10⁷ requests.
#![expect(
    clippy::print_stdout,
    reason = "how far a law is from what was found is worth reading with --nocapture"
)]

use std::num::NonZero;
use std::time::Duration;

use scaler_engine::AnyPolicy;
use simulator::{
    GatewayModel, Model, Observer, ReplicaRange, RequestEnd, Run, Scaling, Service, ServiceModel, SignalPath,
    SloTarget, Unobserved, Workload, simulate,
};
use workload::queueing::{Mg1, Mmc, MmcK, erlang_b};
use workload::{Arrivals, ServiceTimeDistribution, Shape};

const REQUESTS: f64 = 1e7;
const SERVICE: Duration = Duration::from_millis(50);
const ENDLESS: usize = usize::MAX;

/// One replica of `workers` at utilisation `load` plays ten million requests.
fn play(distribution: ServiceTimeDistribution, cv: f64, workers: u32, load: f64, queue: usize) -> Run {
    play_seed(distribution, cv, workers, load, queue, 1)
}

/// The same with other draws.
fn play_seed(
    distribution: ServiceTimeDistribution,
    cv: f64,
    workers: u32,
    load: f64,
    queue: usize,
    seed: u64,
) -> Run {
    play_watched(distribution, cv, workers, load, (queue, seed), &mut Unobserved)
}

fn play_watched(
    distribution: ServiceTimeDistribution,
    cv: f64,
    workers: u32,
    load: f64,
    (queue, seed): (usize, u64),
    observer: &mut impl Observer,
) -> Run {
    let rate = load * f64::from(workers) / SERVICE.as_secs_f64();
    let constant = ServiceTimeDistribution::Constant;
    let model = Model {
        duration: Duration::from_secs_f64(REQUESTS / rate),
        service: Service {
            workers: NonZero::new(workers).expect("there are workers"),
            service_time: ServiceModel::new(distribution, SERVICE, cv).expect("a valid law"),
            queue_capacity: queue,
            start_up: ServiceModel::new(constant, Duration::ZERO, 0.0).expect("a valid law"),
        },
        workload: Workload {
            shape: Shape::steady(1.0).expect("a valid level"),
            base_rate_per_second: rate,
            arrivals: Arrivals::Poisson,
        },
        slo: SloTarget { quantile: 0.95, response_time: Duration::from_millis(250), errors: 0.001 },
        signals: SignalPath {
            scrape_interval: Duration::from_secs(1),
            delay: Duration::ZERO,
            cpu_per_worker: 0.25,
        },
        replicas: ReplicaRange { initial: 1, max: 1 },
        gateway: GatewayModel { attempt_timeout: Duration::from_hours(24), ..GatewayModel::DEFAULT },
        faults: Vec::new(),
    };
    simulate(&model, Scaling::<AnyPolicy>::Fixed(1), seed, observer).expect("nothing ends it early")
}

fn assert_within(share: f64, found: f64, expected: f64, what: &str) {
    let off = (found / expected - 1.0).abs();
    println!("{what}: {found:.6}, theory {expected:.6}, {:.2} % off", off * 100.0);
    assert!(off < share, "{what}: {found}, expected {expected}, {:.2} % off", off * 100.0);
}

/// Response time less the service time that was drawn, which chance lets differ from its law by as much as some waiting is
/// long.
fn mean_wait_seconds(run: &Run) -> f64 {
    run.totals.mean_ms.expect("requests were served") / 1e3 - run.busy_seconds / run.totals.served as f64
}

#[test]
fn waiting_in_m_m_c_is_that_of_erlang_c() {
    for (workers, load) in [(1, 0.5), (1, 0.8), (4, 0.5), (4, 0.8), (16, 0.8)] {
        let run = play(ServiceTimeDistribution::Exponential, 1.0, workers, load, ENDLESS);
        let law = Mmc {
            arrivals_per_second: load * f64::from(workers) / SERVICE.as_secs_f64(),
            mean_service_seconds: SERVICE.as_secs_f64(),
            servers: NonZero::new(workers).expect("there are workers"),
        };
        let (found, expected) = (mean_wait_seconds(&run), law.mean_wait_seconds());
        let mean = run.totals.mean_ms.expect("requests were served") / 1e3;
        assert_within(
            0.01,
            mean,
            law.mean_response_seconds(),
            &format!("response in M/M/{workers}, ρ {load}"),
        );
        // Waiting by itself where it is long, which at ρ 0.5 it is not.
        if load >= 0.8 && workers <= 4 {
            assert_within(0.01, found, expected, &format!("waiting in M/M/{workers}, ρ {load}"));
        }
    }
}

/// The standard error of the wait at 16 workers and ten million requests is near 1 %, so it takes eight times as many.
#[test]
fn waiting_at_m_m_16_is_that_of_erlang_c() {
    let seeds = 1..=8;
    let law = Mmc {
        arrivals_per_second: 0.8 * 16.0 / SERVICE.as_secs_f64(),
        mean_service_seconds: SERVICE.as_secs_f64(),
        servers: const { NonZero::new(16).unwrap() },
    };
    let waits: Vec<f64> = seeds
        .map(|seed| {
            let run = play_seed(ServiceTimeDistribution::Exponential, 1.0, 16, 0.8, ENDLESS, seed);
            mean_wait_seconds(&run)
        })
        .collect();
    println!("{waits:?}");
    let mean = waits.iter().sum::<f64>() / waits.len() as f64;
    assert_within(0.01, mean, law.mean_wait_seconds(), "waiting in M/M/16, ρ 0.8, eight seeds");
}

#[test]
fn waiting_at_m_m_4_is_the_published_one() {
    let run = play(ServiceTimeDistribution::Exponential, 1.0, 4, 0.8, ENDLESS);
    assert_within(0.01, mean_wait_seconds(&run) / SERVICE.as_secs_f64(), 0.7455, "waiting in service times");
}

#[test]
fn waiting_in_m_g_1_is_that_of_pollaczek_and_khinchine() {
    for (distribution, cv) in [
        (ServiceTimeDistribution::Constant, 0.0),
        (ServiceTimeDistribution::Lognormal, 0.5),
        (ServiceTimeDistribution::Bimodal, 2.0),
    ] {
        let run = play(distribution, cv, 1, 0.8, ENDLESS);
        let mean = SERVICE.as_secs_f64();
        let law = Mg1 {
            arrivals_per_second: 0.8 / mean,
            mean_service_seconds: mean,
            second_moment_seconds_squared: mean * mean * (1.0 + cv * cv),
        };
        let what = format!("waiting in M/G/1 with {distribution} service, cv {cv}");
        assert_within(0.01, mean_wait_seconds(&run), law.mean_wait_seconds(), &what);
    }
}

#[test]
fn refusals_are_those_of_m_m_c_k_and_of_erlang_b() {
    for (workers, load, queue) in [(4, 0.8, 4), (4, 1.5, 10), (4, 0.8, 0), (10, 1.2, 0)] {
        let run = play(ServiceTimeDistribution::Exponential, 1.0, workers, load, queue);
        let servers = NonZero::new(workers).expect("there are workers");
        let law = MmcK {
            arrivals_per_second: load * f64::from(workers) / SERVICE.as_secs_f64(),
            mean_service_seconds: SERVICE.as_secs_f64(),
            servers,
            waiting_places: u32::try_from(queue).expect("a short queue"),
        };
        let what = format!("{workers} workers, ρ {load}, {queue} may wait");
        let refused = run.totals.refused as f64 / run.totals.requests as f64;
        assert_within(0.01, refused, law.blocking_probability(), &format!("refusals: {what}"));
        if queue == 0 {
            assert_within(0.01, refused, erlang_b(load * f64::from(workers), servers), "Erlang B");
        } else {
            assert_within(
                0.01,
                mean_wait_seconds(&run),
                law.mean_wait_seconds(),
                &format!("waiting: {what}"),
            );
        }
        let served = run.totals.served as f64 / run.duration_seconds;
        assert_within(0.01, served, law.throughput_per_second(), &format!("throughput: {what}"));
    }
}

#[test]
fn workers_are_busy_for_the_offered_load() {
    for load in [0.3, 0.8] {
        let run = play(ServiceTimeDistribution::Lognormal, 0.5, 4, load, ENDLESS);
        assert_within(0.01, run.busy_seconds / run.duration_seconds / 4.0, load, "utilisation");
    }
}

#[test]
fn quantiles_of_m_m_1_are_those_of_its_exponential_response_time() {
    let run = play(ServiceTimeDistribution::Exponential, 1.0, 1, 0.5, ENDLESS);
    let mean_ms = 100.0;
    for (found, share) in [(run.totals.p50_ms, 0.5), (run.totals.p95_ms, 0.95), (run.totals.p99_ms, 0.99)] {
        assert_within(
            0.005,
            found.expect("requests were served"),
            -mean_ms * f64::ln(1.0 - share),
            &format!("quantile {share}"),
        );
    }
}

/// Counts the requests in the system at evenly spaced times.
#[derive(Default)]
struct Sampled {
    present: u64,
    time_sum: Duration,
    requests: u64,
}

const SAMPLE_EVERY: Duration = Duration::from_millis(7);

impl Observer for Sampled {
    fn on_request(&mut self, end: &RequestEnd) {
        let samples_before = |at: Duration| at.as_nanos().div_ceil(SAMPLE_EVERY.as_nanos());
        let seen = samples_before(end.ended_at) - samples_before(end.arrived_at);
        self.present += u64::try_from(seen).expect("a request is short");
        self.time_sum += end.ended_at.saturating_sub(end.arrived_at);
        self.requests += 1;
    }
}

#[test]
fn requests_present_are_arrivals_times_their_response_time() {
    let mut seen = Sampled::default();
    let run = play_watched(ServiceTimeDistribution::Lognormal, 0.5, 4, 0.8, (ENDLESS, 1), &mut seen);
    assert_eq!(seen.requests, run.totals.requests);
    let samples = run.duration_seconds / SAMPLE_EVERY.as_secs_f64();
    let arrivals_per_second = 0.8 * 4.0 / SERVICE.as_secs_f64();
    let mean_seconds = seen.time_sum.as_secs_f64() / seen.requests as f64;
    assert_within(0.01, seen.present as f64 / samples, arrivals_per_second * mean_seconds, "Little's law");
}
