//! Arrival processes: the right number, in the right places, at fixed and at varying rates.

use std::time::Duration;

use proptest::prelude::*;
use workload::{Arrivals, LevelPoint, Ramp, RandomWalk, Replay, Shape, Sine, Spike, Steps, Streams};

/// All arrivals before `end`, in seconds.
fn arrivals_before(end: Duration, arrivals: Arrivals, shape: &Shape, base_rate: f64, seed: u64) -> Vec<f64> {
    let mut stream = Streams::from_seed(seed).stream("arrivals");
    let mut times = Vec::new();
    let mut now = Duration::ZERO;
    while let Some(next) = arrivals.next_arrival(now, shape, base_rate, &mut stream) {
        assert!(next >= now, "arrivals never go back");
        if next >= end {
            break;
        }
        times.push(next.as_secs_f64());
        now = next;
    }
    times
}

fn steps(levels: &[(f64, f64)]) -> Shape {
    let steps = levels.iter().map(|&(at_seconds, level)| LevelPoint { at_seconds, level }).collect();
    Shape::try_from(Steps { steps }).expect("the steps are in order")
}

/// Counts must lie within five standard deviations of a Poisson variable's mean.
fn assert_poisson_count(count: usize, expected: f64, what: &str) {
    let deviation = (count as f64 - expected) / expected.sqrt();
    assert!(deviation.abs() < 5.0, "{what}: {count} arrivals, expected about {expected:.0}");
}

#[test]
fn gaps_have_the_mean_and_spread_of_their_process() {
    let mut stream = Streams::from_seed(5).stream("arrivals");
    let count = 100_000;
    let gaps: Vec<f64> =
        (0..count).map(|_| Arrivals::Poisson.next_gap(40.0, &mut stream).unwrap().as_secs_f64()).collect();
    let mean = gaps.iter().sum::<f64>() / f64::from(count);
    let variance = gaps.iter().map(|gap| (gap - mean) * (gap - mean)).sum::<f64>() / f64::from(count);
    // Five standard errors: 1/√n of the mean, √8/√n of the variance.
    assert!((mean * 40.0 - 1.0).abs() < 0.0159, "mean gap {mean}");
    assert!((variance * 1600.0 - 1.0).abs() < 0.0448, "variance of gaps {variance}");
}

#[test]
fn nothing_arrives_at_a_rate_that_is_none() {
    let mut stream = Streams::from_seed(1).stream("arrivals");
    for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE] {
            assert_eq!(arrivals.next_gap(rate, &mut stream), None, "{arrivals} gap at {rate}/s");
            let next = arrivals.next_arrival(Duration::ZERO, &Shape::default(), rate, &mut stream);
            assert_eq!(next, None, "{arrivals} arrival at {rate}/s");
        }
    }
}

#[test]
fn nothing_arrives_once_the_level_stays_at_zero() {
    let trace = Replay { points: vec![LevelPoint { at_seconds: 0.0, level: 10.0 }], end_seconds: 5.0 };
    let still = RandomWalk { start: 0.0, step: 1.0, min: 0.0, max: 0.0, every_seconds: 1.0, seed: 1 };
    let shapes = [
        (Shape::try_from(trace).unwrap(), 50),
        (Shape::try_from(Sine { mean: 0.0, amplitude: 0.0, period_seconds: 1.0 }).unwrap(), 0),
        (Shape::try_from(still).unwrap(), 0),
        (Shape::try_from(Ramp { from: 20.0, to: 0.0, over_seconds: 5.0 }).unwrap(), 50),
    ];
    for (shape, expected) in shapes {
        let times = arrivals_before(Duration::MAX, Arrivals::Constant, &shape, 1.0, 1);
        // The last one may fall on the very end, or be lost to rounding there.
        assert!(times.len().abs_diff(expected) <= 1, "{shape:?} has {} arrivals", times.len());
        let times = arrivals_before(Duration::MAX, Arrivals::Poisson, &shape, 1.0, 1);
        assert!(times.iter().all(|time| *time <= 5.0), "{shape:?}");
    }
}

#[test]
fn a_search_that_would_never_end_ends() {
    // A level so low that a million holds bring no arrival.
    let walk = RandomWalk { start: 1e-9, step: 1e-9, min: 0.0, max: 1e-9, every_seconds: 0.001, seed: 1 };
    let mut stream = Streams::from_seed(1).stream("arrivals");
    let next =
        Arrivals::Constant.next_arrival(Duration::ZERO, &Shape::try_from(walk).unwrap(), 1.0, &mut stream);
    assert_eq!(next, None);
}

#[test]
fn spans_without_load_are_passed_over() {
    let shape = steps(&[(0.0, 0.0), (100.0, 1.0), (101.0, 0.0), (5000.0, 1.0)]);
    for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
        let times = arrivals_before(Duration::from_secs(5001), arrivals, &shape, 1000.0, 3);
        let (bursts, quiet): (Vec<f64>, Vec<f64>) =
            times.into_iter().partition(|time| (100.0..=101.0).contains(time) || *time >= 5000.0);
        assert!(quiet.is_empty(), "{arrivals} arrivals at {quiet:?} while the level is 0");
        assert_poisson_count(bursts.len(), 2000.0, "bursts");
    }
}

#[test]
fn even_arrivals_are_spaced_by_the_integrated_rate() {
    // From 2/s the rate falls to 1/s after 2.25 s, in the middle of a gap: half a request is still missing,
    // so half a second.
    let shape = steps(&[(0.0, 2.0), (2.25, 1.0)]);
    let times = arrivals_before(Duration::from_secs(5), Arrivals::Constant, &shape, 1.0, 1);
    let expected = [0.5, 1.0, 1.5, 2.0, 2.75, 3.75, 4.75];
    assert_eq!(times.len(), expected.len(), "{times:?}");
    for (time, expected) in times.iter().zip(expected) {
        assert!((time - expected).abs() < 1e-8, "{time} instead of {expected}");
    }
    // A ramp from 0 to 8/s over 4 s: the integral t² reaches n at √n.
    let ramp = Shape::try_from(Ramp { from: 0.0, to: 8.0, over_seconds: 4.0 }).unwrap();
    for (number, time) in
        (1..=15).zip(arrivals_before(Duration::from_secs(4), Arrivals::Constant, &ramp, 1.0, 1))
    {
        assert!((time - f64::from(number).sqrt()).abs() < 1e-7, "arrival {number} at {time}");
    }
}

#[test]
fn poisson_arrivals_follow_the_shape() {
    // A sine from 0 to 200/s over 100 s: the rising half holds 100 × 50 + 100 × 100/π arrivals, the falling
    // half the rest.
    let sine = Shape::try_from(Sine { mean: 1.0, amplitude: 1.0, period_seconds: 100.0 }).unwrap();
    let times = arrivals_before(Duration::from_secs(1000), Arrivals::Poisson, &sine, 100.0, 9);
    let upper = times.iter().filter(|time| **time % 100.0 < 50.0).count();
    let swing = 100.0 * 100.0 / std::f64::consts::PI;
    assert_poisson_count(upper, 10.0 * (5000.0 + swing), "upper half waves");
    assert_poisson_count(times.len() - upper, 10.0 * (5000.0 - swing), "lower half waves");

    let spike =
        Shape::try_from(Spike { base: 1.0, peak: 5.0, hold_seconds: 120.0, ramp_seconds: 30.0 }).unwrap();
    let times = arrivals_before(Duration::from_secs(300), Arrivals::Poisson, &spike, 40.0, 9);
    let between = |from: f64, to: f64| times.iter().filter(|time| (from..to).contains(*time)).count();
    assert_poisson_count(between(0.0, 120.0), 24_000.0, "peak");
    assert_poisson_count(between(120.0, 135.0), 15.0 * 160.0, "first half of the way back");
    assert_poisson_count(between(135.0, 150.0), 15.0 * 80.0, "second half of the way back");
    assert_poisson_count(between(150.0, 300.0), 150.0 * 40.0, "base");
}

#[test]
fn poisson_counts_vary_as_much_as_their_mean() {
    // The index of dispersion of counts over whole periods is 1 for a Poisson process, 0 for an even one.
    let sine = Shape::try_from(Sine { mean: 1.0, amplitude: 1.0, period_seconds: 1.0 }).unwrap();
    let periods = 2000_u16;
    let times = arrivals_before(Duration::from_secs(periods.into()), Arrivals::Poisson, &sine, 20.0, 4);
    let counts: Vec<usize> = (1..=periods)
        .scan(0, |before, period| {
            let up_to = times.partition_point(|time| *time < f64::from(period));
            Some(up_to - std::mem::replace(before, up_to))
        })
        .collect();
    let mean = times.len() as f64 / f64::from(periods);
    let squares = counts.iter().map(|count| (*count as f64 - mean) * (*count as f64 - mean));
    let dispersion = squares.sum::<f64>() / f64::from(periods) / mean;
    // Five standard errors of √(2/n).
    assert!((dispersion - 1.0).abs() < 0.158, "index of dispersion {dispersion}");
}

#[test]
fn names_are_read_and_written() {
    for arrivals in [Arrivals::Constant, Arrivals::Poisson] {
        assert_eq!(arrivals.to_string().parse(), Ok(arrivals));
        assert_eq!(serde_json::to_string(&arrivals).unwrap(), format!("\"{arrivals}\""));
    }
    let error = "bursty".parse::<Arrivals>().unwrap_err();
    assert_eq!(error.to_string(), "arrivals are `bursty`, expected `constant` or `poisson`");
}

proptest! {
    #[test]
    fn the_same_seed_gives_the_same_arrivals(seed: u64, rate in 1.0..1000.0_f64) {
        let walk = RandomWalk { start: 1.0, step: 0.3, min: 0.0, max: 2.0, every_seconds: 0.1, seed };
        let shape = Shape::try_from(walk).unwrap();
        let times = || arrivals_before(Duration::from_secs(1), Arrivals::Poisson, &shape, rate, seed);
        prop_assert_eq!(times(), times());
    }

    #[test]
    fn any_rate_and_time_is_survived(after_seconds: u64, rate: f64, seed: u64) {
        let mut stream = Streams::from_seed(seed).stream("arrivals");
        let after = Duration::from_secs(after_seconds);
        let spike = Spike { base: 0.0, peak: 5.0, hold_seconds: 1e9, ramp_seconds: 1e9 };
        for shape in [Shape::default(), Shape::try_from(spike).unwrap()] {
            if let Some(next) = Arrivals::Poisson.next_arrival(after, &shape, rate, &mut stream) {
                prop_assert!(next >= after);
            }
        }
    }
}
