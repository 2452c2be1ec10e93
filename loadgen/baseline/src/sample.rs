//! Measurements for tests, which agree with themselves: response times spread evenly from half the mean to half again.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;

// By the crate's name, because tests of the crate `loadgen` include this file, too.
use loadgen_baseline::{
    Allowance, Baseline, Curve, Environment, Level, Measurement, MeasurementPart, Outcome, PlannedLevel,
    Rates, SIGNIFICANT_DIGITS, Search, SearchPlan, Settings, Slo, Step, TargetDescription,
};

/// Ten seconds at a rate.
pub(crate) fn sample(rate_rps: f64, mean_ms: f64) -> Measurement {
    sample_of(rate_rps, mean_ms, Duration::from_secs(10))
}

/// A level at a rate.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
pub(crate) fn sample_of(rate_rps: f64, mean_ms: f64, measured: Duration) -> Measurement {
    let answered = (rate_rps * measured.as_secs_f64()).round().max(10.0) as u64;
    let mean_micros = mean_ms * 1000.0;
    let mut times = Histogram::new(SIGNIFICANT_DIGITS).unwrap();
    for index in 0..answered {
        let place = (index as f64 + 0.5) / answered as f64;
        times.record((mean_micros * (0.5 + place)) as u64).unwrap();
    }
    let mut lateness = Histogram::new(SIGNIFICANT_DIGITS).unwrap();
    lateness.record_n(100, answered).unwrap();
    let parts = (0..10)
        .map(|index| MeasurementPart {
            answered: answered / 10,
            mean_from_intended_micros: mean_micros * if index % 2 == 0 { 0.98 } else { 1.02 },
        })
        .collect();
    Measurement {
        offered_rps: rate_rps,
        measured,
        scheduled: answered,
        sent: answered,
        unsent: 0,
        unsent_by_generator: 0,
        succeeded: answered,
        refused: 0,
        failures: BTreeMap::new(),
        ended_late: 0,
        late_errors: 0,
        errors_by_request: BTreeMap::new(),
        repeated: 0,
        from_intended_micros: times.clone(),
        from_sent_micros: times,
        send_lateness_micros: lateness.clone(),
        generator_lateness_micros: lateness,
        mean_in_flight: answered as f64 / measured.as_secs_f64() * mean_ms / 1000.0,
        mean_refused_in_flight: 0.0,
        parts,
        generator_cpu_cores: Some(0.1),
    }
}

/// A search from 10/s up with an SLO of 250 ms.
pub(crate) fn plan() -> SearchPlan {
    SearchPlan {
        slo: Slo::default(),
        rates: Rates::Searched { start_rps: 10.0, most_rps: 1000.0, resolution: 0.05 },
        warm_up: Duration::from_secs(1),
        hold: Duration::from_secs(10),
        longest_hold: Duration::from_secs(40),
        allowance: Allowance { connections: 1000, lateness: Duration::from_millis(5) },
    }
}

/// A service that slows down towards 80/s, serves no more than that, and refuses the rest.
pub(crate) fn service(level: &PlannedLevel) -> Measurement {
    const CAPACITY_RPS: f64 = 80.0;
    let load = level.rate_rps / CAPACITY_RPS;
    if load < 1.0 {
        return sample_of(level.rate_rps, (50.0 / (1.0 - load)).min(1000.0), level.hold);
    }
    let mut measurement = sample_of(CAPACITY_RPS, 1000.0, level.hold);
    measurement.offered_rps = level.rate_rps;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small numbers")]
    let scheduled = (level.rate_rps * level.hold.as_secs_f64()).round() as u64;
    (measurement.scheduled, measurement.sent) = (scheduled, scheduled);
    measurement.refused = scheduled - measurement.succeeded;
    measurement
}

/// Searches to the end.
pub(crate) fn run(plan: SearchPlan, service: impl Fn(&PlannedLevel) -> Measurement) -> (Outcome, Vec<Level>) {
    let mut search = Search::new(plan);
    for _ in 0..100 {
        match search.next_step() {
            Step::Finished(outcome) => return (outcome, search.into_levels()),
            Step::Measure(level) => search.record(service(&level)),
        };
    }
    panic!("the search does not end");
}

/// A curve of that service.
pub(crate) fn curve() -> Curve {
    let (outcome, levels) = run(plan(), service);
    Curve::new(1, Some(0.25), outcome, levels, 1)
}

/// A baseline of that curve.
pub(crate) fn baseline() -> Baseline {
    let target = TargetDescription { requests: vec!["1 GET /".to_owned()], ..TargetDescription::default() };
    let settings = Settings::new(&plan(), "poisson", 10.0);
    let created_at = "2026-01-01T00:00:00Z".to_owned();
    Baseline::new("0.1.0", created_at, 1, target, Environment::default(), settings, None, vec![curve()])
}
