//! Compares the kernel with a slow twin that takes every start and end of a request as an event, request by request.
//!
//! The twin has the live replica's queue ([`webapp_queue::Station`]) and the live gateway's balancer, told of each end when
//! it happens. So it also shows that the kernel's balancer, which learns of ends only when it looks, picks the same.

#[path = "twin/event_driven.rs"]
mod event_driven;

use std::num::NonZero;
use std::time::Duration;

use event_driven::Twin;
use scaler_engine::AnyPolicy;
use simulator::{
    Fault, GatewayModel, Model, Observer, ReplicaRange, RequestEnd, RequestOutcome, Scaling, Service,
    ServiceModel, SignalPath, SloTarget, Workload, simulate,
};
use workload::{Arrivals, ServiceTimeDistribution, Shape, Spike};

fn model() -> Model {
    let lognormal = ServiceTimeDistribution::Lognormal;
    Model {
        duration: Duration::from_mins(5),
        service: Service {
            workers: NonZero::new(4).expect("four is not zero"),
            service_time: ServiceModel::new(lognormal, Duration::from_millis(50), 0.5).expect("a valid law"),
            queue_capacity: 20,
            start_up: ServiceModel::new(lognormal, Duration::from_secs(2), 0.3).expect("a valid law"),
        },
        workload: Workload {
            shape: Shape::try_from(Spike { base: 1.0, peak: 5.0, hold_seconds: 120.0, ramp_seconds: 30.0 })
                .expect("a valid shape"),
            base_rate_per_second: 60.0,
            arrivals: Arrivals::Poisson,
        },
        slo: SloTarget { quantile: 0.95, response_time: Duration::from_millis(250), errors: 0.001 },
        signals: SignalPath {
            scrape_interval: Duration::from_secs(1),
            delay: Duration::ZERO,
            cpu_per_worker: 0.25,
        },
        replicas: ReplicaRange { initial: 1, max: 10 },
        gateway: GatewayModel::DEFAULT,
        faults: Vec::new(),
    }
}

/// Replicas asked for, in seconds since the beginning.
fn plan(counts: &[(u64, u32)]) -> Vec<(Duration, u32)> {
    counts.iter().map(|(seconds, count)| (Duration::from_secs(*seconds), *count)).collect()
}

#[derive(Default)]
struct Ends(Vec<RequestEnd>);

impl Observer for Ends {
    fn on_request(&mut self, end: &RequestEnd) {
        self.0.push(*end);
    }
}

/// Plays both, compares each request, and returns how many ended in each way.
fn compare(
    model: &Model,
    counts: Vec<(Duration, u32)>,
    seed: u64,
) -> impl Fn(RequestOutcome) -> usize + use<> {
    let mut ends = Ends::default();
    let scaling = Scaling::<AnyPolicy>::Plan(counts.clone());
    let run = simulate(model, scaling, seed, &mut ends).expect("nothing ends it early");
    let mut twin = Twin::new(model, counts, seed).play();
    ends.0.sort_by_key(|end| end.number);
    twin.sort_by_key(|end| end.number);
    assert_eq!(run.totals.requests, twin.len() as u64);
    for (found, expected) in ends.0.iter().zip(&twin) {
        assert_eq!(found, expected, "seed {seed}");
    }
    assert_eq!(ends.0.len(), twin.len());
    move |outcome| twin.iter().filter(|end| end.outcome == outcome).count()
}

#[test]
fn replicas_that_come_and_go_serve_refuse_and_drain_alike() {
    for seed in 1..=5 {
        let count_of =
            compare(&model(), plan(&[(0, 1), (60, 3), (65, 6), (100, 2), (200, 4), (240, 1)]), seed);
        assert!(count_of(RequestOutcome::Served) > 10_000);
        assert!(count_of(RequestOutcome::Refused) > 100, "one replica cannot carry the peak");
    }
}

#[test]
fn attempts_that_time_out_are_tried_elsewhere_alike() {
    let mut model = model();
    model.gateway.attempt_timeout = Duration::from_millis(220);
    model.gateway.retries = 2;
    model.service.queue_capacity = 60;
    for seed in 1..=5 {
        let count_of = compare(&model, plan(&[(0, 2), (30, 4), (170, 3)]), seed);
        assert!(count_of(RequestOutcome::TimedOut) > 10);
    }
}

#[test]
fn replicas_that_die_lose_the_same_requests() {
    let mut model = model();
    let fault = |seconds, replica| Fault { at: Duration::from_secs(seconds), replica };
    model.faults = vec![fault(20, 0), fault(50, 1), fault(51, 1), fault(90, 2), fault(90, 0), fault(250, 0)];
    model.gateway.drain_limit = Duration::from_millis(100);
    for seed in 1..=5 {
        let count_of = compare(&model, plan(&[(0, 3), (80, 5), (130, 2), (200, 1)]), seed);
        assert!(count_of(RequestOutcome::NoReplica) > 10, "the only replica died at 250 s");
        assert!(count_of(RequestOutcome::ReplicaDied) > 0, "with nowhere to go");
    }
}

#[test]
fn one_replica_alone_is_the_same_without_a_balancer() {
    let mut model = model();
    model.service.queue_capacity = 200;
    model.gateway.attempt_timeout = Duration::from_secs(1);
    let mut ends = Ends::default();
    simulate(&model, Scaling::<AnyPolicy>::Fixed(1), 9, &mut ends).expect("nothing ends it early");
    ends.0.sort_by_key(|end| end.number);
    model.gateway.retries = 0;
    let mut twin = Twin::new(&model, plan(&[(0, 1)]), 9).play();
    twin.sort_by_key(|end| end.number);
    assert!(twin.iter().any(|end| end.outcome == RequestOutcome::TimedOut));
    assert!(twin.iter().any(|end| end.outcome == RequestOutcome::Refused));
    assert_eq!(ends.0, twin);
}
