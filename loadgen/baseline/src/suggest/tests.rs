//! A suggestion is the measured capacity less the headroom, with every assumption said.

use super::*;
use crate::SyntheticDemand;
use crate::sample::baseline;

fn suggestion(baseline: &Baseline, slo: Option<&str>, headroom: f64) -> Result<Suggestion, SuggestError> {
    let slo = slo.map(|text| Slo::try_from(vec![text.parse().expect(text)]).expect(text));
    suggest(baseline, &SuggestionSettings { slo, headroom })
}

#[test]
fn it_leaves_headroom_and_never_flaps_between_two_and_one() {
    let baseline = baseline();
    let suggested = suggestion(&baseline, None, 0.2).unwrap();
    let capacity = baseline.capacity_per_replica_rps.unwrap();
    assert!((suggested.capacity_per_replica_rps - capacity).abs() < 1e-9);
    assert!((suggested.scale_up_rps / capacity - 0.8).abs() < 0.01, "{suggested:?}");
    assert!(2.0 * suggested.scale_down_rps < suggested.scale_up_rps);
    assert!(suggested.assumptions.iter().any(|assumption| assumption.contains("250 ms")), "start-up time");
}

#[test]
fn another_slo_is_judged_by_the_levels() {
    let baseline = baseline();
    // p95 is 1.45 means: 145 ms at a mean of 100 ms, which is at 40/s.
    let tighter = suggestion(&baseline, Some("p95=146ms"), 0.0).unwrap();
    assert!((tighter.capacity_per_replica_rps - 40.0).abs() < 1.0, "{tighter:?}");
    assert!(tighter.assumptions.iter().any(|assumption| assumption.contains("judged again")));
    assert!(matches!(suggestion(&baseline, Some("p95=1ms"), 0.2), Err(SuggestError::NoCapacity(_))));
}

#[test]
fn synthetic_demand_is_part_of_what_the_signal_counts() {
    let mut baseline = baseline();
    let without = suggestion(&baseline, None, 0.2).unwrap();
    baseline.synthetic_demand = Some(SyntheticDemand {
        before_rps: 40.0,
        after_rps: 40.0,
        ready_replicas: 2,
        capacity_is_net_of_it: true,
    });
    let with = suggestion(&baseline, None, 0.2).unwrap();
    assert!((with.capacity_per_replica_rps - without.capacity_per_replica_rps - 20.0).abs() < 1e-9);
}

#[test]
fn headroom_that_leaves_nothing_is_refused() {
    for headroom in [1.0, -0.1, f64::NAN] {
        assert!(matches!(suggestion(&baseline(), None, headroom), Err(SuggestError::Headroom(_))));
    }
}
