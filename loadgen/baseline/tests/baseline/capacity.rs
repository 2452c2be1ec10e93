//! What the search finds is what the formulas say.

use std::time::Duration;

use loadgen_baseline::fit::{ScalingPoint, fit_scaling};
use loadgen_baseline::{Allowance, Curve, End, Outcome, Rates, Search, SearchPlan, Slo, Step};
use workload::ServiceTimeDistribution;

use crate::theory;
use crate::virtual_service::VirtualService;

fn slo(milliseconds: u64) -> Slo {
    // A queue of 100 refuses hardly anybody at these rates, but one in a thousand is soon reached.
    Slo { at_most: Duration::from_millis(milliseconds), errors_at_most: 0.01, ..Slo::default() }
}

fn plan(slo: Slo, hold_seconds: u64) -> SearchPlan {
    SearchPlan {
        slo,
        rates: Rates::Searched { start_rps: 10.0, most_rps: 10_000.0, resolution: 0.02 },
        warm_up: Duration::from_secs(hold_seconds / 10),
        hold: Duration::from_secs(hold_seconds),
        longest_hold: Duration::from_secs(4 * hold_seconds),
        allowance: Allowance { connections: 100_000, lateness: Duration::ZERO },
    }
}

/// Searches to the end, with a bound on how long that may take.
pub(crate) fn search(plan: SearchPlan, service: &VirtualService) -> (Outcome, Search) {
    let mut search = Search::new(plan);
    for _ in 0..60 {
        match search.next_step() {
            Step::Measure(level) => {
                search.record(service.run(&level));
            }
            Step::Finished(outcome) => return (outcome, search),
        }
    }
    panic!("60 levels were not enough: {:?}", search.stop());
}

/// The rate within the SLO is 3 % from the formula's at most, whatever the number of workers and the seed.
#[test]
fn the_rate_within_the_slo_is_that_of_the_formula() {
    for (workers, milliseconds, seed) in [(1, 400, 1), (4, 250, 2), (4, 250, 3), (4, 400, 4), (16, 200, 5)] {
        let service = VirtualService { workers, seed, ..VirtualService::default() };
        let (outcome, _) = search(plan(slo(milliseconds), 600), &service);
        let truth = theory::rate_at_p95(workers, 0.05, milliseconds as f64 / 1000.0);
        let found = outcome.highest_within_slo_rps.expect("some rate is within");
        println!(
            "{workers} workers, p95 of {milliseconds} ms: {found:.2}/s, formula {truth:.2}/s, {outcome:?}"
        );
        assert!((found / truth - 1.0).abs() <= 0.03, "{found} is not within 3 % of {truth}");
        assert!(matches!(outcome.end, End::Slo), "{outcome:?}");
        let plateau = outcome.plateau_rps.expect("it was overloaded");
        let capacity = f64::from(workers) * 20.0;
        assert!((plateau / capacity - 1.0).abs() <= 0.03, "plateau {plateau}, capacity {capacity}");
    }
}

/// The most that replicas can do, as the plateau of each number of them.
fn scaling(database: Option<(u32, Duration)>) -> loadgen_baseline::fit::ScalingFit {
    let points: Vec<ScalingPoint> = (1..=8)
        .map(|replicas| {
            let service = VirtualService { replicas, database, ..VirtualService::default() };
            let rates = Rates::Listed([120.0, 160.0].map(|rate| rate * replicas as f64).to_vec());
            let (outcome, search) = search(SearchPlan { rates, ..plan(slo(250), 60) }, &service);
            let replicas = u32::try_from(replicas).expect("a few");
            let curve = Curve::new(replicas, None, outcome, search.into_levels(), 1);
            let (capacity_rps, standard_error_rps) = curve.plateau().expect("it was overloaded");
            println!("{replicas} replicas: {capacity_rps:.1}/s ± {standard_error_rps:.1}");
            ScalingPoint { replicas, capacity_rps, standard_error_rps }
        })
        .collect();
    let fit = fit_scaling(&points, 1).expect("eight points are enough");
    println!("{fit}");
    fit
}

#[test]
fn independent_replicas_have_no_contention() {
    let fit = scaling(None);
    assert!(!fit.has_contention() && !fit.has_coherency_cost(), "{fit}");
    assert!(fit.contention.contains(0.0), "{fit}");
    assert!((fit.one_replica_rps.estimate / 80.0 - 1.0).abs() < 0.03, "{fit}");
    assert!(fit.efficiencies().iter().all(|(_, efficiency)| (efficiency - 1.0).abs() < 0.03), "{fit:?}");
}

#[test]
fn a_shared_database_is_found_as_contention() {
    // 400/s for all, of which eight replicas could use 457.
    let fit = scaling(Some((8, Duration::from_millis(20))));
    assert!(fit.has_contention() || fit.has_coherency_cost(), "{fit}");
    let (_, efficiency) = *fit.efficiencies().last().expect("eight points");
    assert!(efficiency < 0.95, "eight replicas share one database: {efficiency}");
}

#[test]
fn an_slo_that_is_never_breached_is_not_reached_and_a_service_that_cannot_is_a_plateau() {
    let service = VirtualService::default();
    let rates = Rates::Searched { start_rps: 10.0, most_rps: 40.0, resolution: 0.05 };
    let (outcome, _) = search(SearchPlan { rates, ..plan(slo(250), 60) }, &service);
    assert_eq!((outcome.end, outcome.highest_within_slo_rps), (End::NotReached, Some(40.0)), "{outcome:?}");
    let patient = Slo { at_most: Duration::from_secs(60), errors_at_most: 1.0, ..Slo::default() };
    let (outcome, _) = search(plan(patient, 60), &service);
    assert_eq!(outcome.end, End::Plateau, "{outcome:?}");
}

#[test]
fn a_full_queue_is_errors_where_latency_may_be_long() {
    let service = VirtualService { queue: 2, ..VirtualService::default() };
    let (outcome, _) = search(plan(slo(2_000), 120), &service);
    assert_eq!(outcome.end, End::Errors, "{outcome:?}");
}

/// Lognormal service has no formula for p95, but the lab's own defaults are worth a look at the plateau and the knee.
#[test]
fn the_webapps_defaults_have_a_knee_below_saturation() {
    let service = VirtualService {
        distribution: ServiceTimeDistribution::Lognormal,
        service_cv: 0.5,
        ..VirtualService::default()
    };
    let (outcome, _) = search(plan(slo(250), 120), &service);
    println!("{outcome:?}");
    let (knee, rate) = (outcome.knee_rps.expect("a knee"), outcome.highest_within_slo_rps.expect("a rate"));
    assert!((40.0..80.0).contains(&knee), "the knee is at {knee}/s");
    assert!((70.0..80.0).contains(&rate), "the SLO ends at {rate}/s");
}
