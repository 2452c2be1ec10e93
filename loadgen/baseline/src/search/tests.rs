//! The search against services that answer as they are told.

use std::time::Duration;

use super::*;
use crate::sample::{plan, run, sample_of, service};

fn at_rate(levels: &[Level], rate: f64) -> usize {
    at(levels, rate).count()
}

#[test]
fn it_brackets_the_rate_and_believes_a_breach_only_twice() {
    let (outcome, levels) = run(plan(), service);
    // p95 is 1.45 means: 250 ms at a mean of 172 ms, which is at 56.8/s.
    let (within, beyond) = (outcome.highest_within_slo_rps.unwrap(), outcome.lowest_beyond_slo_rps.unwrap());
    assert!(within <= 56.8 && 56.8 <= beyond && beyond <= 1.05 * within, "{outcome:?}");
    assert_eq!(outcome.end, End::Slo);
    assert_eq!(at_rate(&levels, beyond), 2, "a breach is repeated");
    assert_eq!(at_rate(&levels, within), 1, "what holds is not");
    assert!((outcome.plateau_rps.unwrap() - 80.0).abs() < 0.5, "{outcome:?}");
    assert!(outcome.knee_rps.is_some_and(|knee| (30.0..50.0).contains(&knee)), "{outcome:?}");
}

#[test]
fn one_slow_level_among_fast_ones_is_no_breach() {
    let (outcome, levels) = run(plan(), |level| {
        if level.number == 2 { sample_of(level.rate_rps, 900.0, level.hold) } else { service(level) }
    });
    assert!(outcome.highest_within_slo_rps.is_some_and(|rate| rate > 50.0), "{outcome:?}");
    assert_eq!(at_rate(&levels, 20.0), 3, "the third decides");
}

#[test]
fn where_the_first_rate_is_too_much_it_goes_down() {
    let rates = Rates::Searched { start_rps: 70.0, most_rps: 1000.0, resolution: 0.05 };
    let (outcome, _) = run(SearchPlan { rates, ..plan() }, service);
    assert!(outcome.highest_within_slo_rps.is_some_and(|rate| rate > 50.0 && rate < 57.0), "{outcome:?}");
    let (outcome, levels) = run(plan(), |level| sample_of(level.rate_rps, 900.0, level.hold));
    assert_eq!((outcome.end, outcome.highest_within_slo_rps), (End::Slo, None));
    assert!(levels.len() < 40, "{} levels", levels.len());
}

#[test]
fn a_generator_that_is_late_is_the_limit() {
    let late_from = |rate: f64| {
        move |level: &PlannedLevel| {
            let mut measurement = service(level);
            if level.rate_rps > rate {
                measurement.generator_lateness_micros.record_n(50_000, measurement.sent).unwrap();
            }
            measurement
        }
    };
    let (outcome, levels) = run(plan(), late_from(30.0));
    assert_eq!(outcome.end, End::GeneratorLimited, "{outcome:?}");
    assert!(outcome.highest_within_slo_rps.is_some_and(|rate| rate > 27.0 && rate <= 30.0), "{outcome:?}");
    assert!(levels.iter().all(|level| level.offered_rps() <= 40.0), "nothing is offered that cannot be sent");
    let (outcome, levels) = run(plan(), late_from(0.0));
    assert_eq!((outcome.end, outcome.highest_within_slo_rps), (End::GeneratorLimited, None));
    assert_eq!(levels.len(), 2, "a lower rate would not help");
}

#[test]
fn a_level_that_does_not_settle_gets_more_time_and_is_then_not_within() {
    let drifting = |level: &PlannedLevel| {
        let mut measurement = service(level);
        if level.rate_rps > 35.0 {
            for (index, part) in measurement.parts.iter_mut().enumerate() {
                part.mean_from_intended_micros *= 1.0 + 0.2 * index as f64;
            }
        }
        measurement
    };
    let (outcome, levels) = run(plan(), drifting);
    assert!(outcome.highest_within_slo_rps.is_some_and(|rate| rate > 33.0 && rate < 35.0), "{outcome:?}");
    let holds: Vec<u64> = at(&levels, 40.0).map(|level| level.measurement.measured.as_secs()).collect();
    assert_eq!(holds, [10, 20, 40]);
}

#[test]
fn listed_rates_are_all_measured() {
    let rates = Rates::Listed(vec![20.0, 40.0, 70.0, 75.0]);
    let (outcome, levels) = run(SearchPlan { rates, ..plan() }, service);
    assert_eq!((outcome.highest_within_slo_rps, outcome.lowest_beyond_slo_rps), (Some(40.0), Some(70.0)));
    assert_eq!(levels.len(), 6);
}

#[test]
fn stopped_early_it_says_what_it_knows() {
    let mut search = Search::new(plan());
    assert_eq!(search.stop().end, End::Stopped);
    for _ in 0..2 {
        let Step::Measure(level) = search.next_step() else { panic!("it has only begun") };
        search.record(service(&level));
    }
    let outcome = search.stop();
    assert_eq!((outcome.end, outcome.highest_within_slo_rps), (End::Stopped, Some(20.0)));
    assert_eq!(Duration::from_secs(10), search.plan().hold);
}
