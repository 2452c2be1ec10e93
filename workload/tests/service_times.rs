//! Service times: their draws have the mean and the spread that were asked for.

use std::time::Duration;

use proptest::prelude::*;
use workload::{ServiceTime, ServiceTimeDistribution, Streams};

const MEAN: Duration = Duration::from_millis(50);

/// Mean in seconds and coefficient of variation of many draws.
fn moments(service_time: &ServiceTime, draws: u32, seed: u64) -> (f64, f64) {
    let mut stream = Streams::from_seed(seed).stream("service_times");
    let (mut sum, mut sum_of_squares) = (0.0, 0.0);
    for _ in 0..draws {
        let seconds = service_time.draw(&mut stream).as_secs_f64();
        sum += seconds;
        sum_of_squares += seconds * seconds;
    }
    let mean = sum / f64::from(draws);
    (mean, (sum_of_squares / f64::from(draws) - mean * mean).max(0.0).sqrt() / mean)
}

#[test]
fn draws_have_the_mean_and_spread_asked_for() {
    let cases = [
        (ServiceTimeDistribution::Constant, 0.5, 0.0),
        (ServiceTimeDistribution::Exponential, 0.5, 1.0),
        (ServiceTimeDistribution::Lognormal, 0.0, 0.0),
        (ServiceTimeDistribution::Lognormal, 0.5, 0.5),
        (ServiceTimeDistribution::Lognormal, 1.0, 1.0),
        (ServiceTimeDistribution::Bimodal, 0.5, 0.5),
        (ServiceTimeDistribution::Bimodal, 3.0, 3.0),
    ];
    for (distribution, asked, expected) in cases {
        let service_time = ServiceTime::new(distribution, MEAN, asked).unwrap();
        assert_eq!(service_time.mean(), MEAN, "{distribution}");
        assert!((service_time.coefficient_of_variation() - expected).abs() < 1e-12, "{distribution}");
        let (mean, variation) = moments(&service_time, 100_000, 3);
        // Five standard errors of the mean; 3 % for the spread, whose own error depends on the fourth moment.
        let mean_tolerance = 0.05 * 5.0 * expected / 316.0 + 1e-9;
        assert!((mean - 0.05).abs() < mean_tolerance, "{distribution}, cv {asked}: mean {mean}");
        assert!(
            (variation - expected).abs() <= 0.03 * expected + 1e-4,
            "{distribution}, cv {asked}: {variation}"
        );
    }
}

#[test]
fn recorded_draws_stay_the_same_for_good() {
    // Whoever repeats a published run gets these very nanoseconds, on every machine: never update these
    // numbers.
    let recorded = [
        (ServiceTimeDistribution::Lognormal, [31_004_643, 79_603_194, 60_874_395]),
        (ServiceTimeDistribution::Exponential, [62_133_823, 20_161_891, 71_110_734]),
        (ServiceTimeDistribution::Bimodal, [41_666_667, 41_666_667, 41_666_667]),
    ];
    for (distribution, expected) in recorded {
        let service_time = ServiceTime::new(distribution, MEAN, 0.5).unwrap();
        let mut stream = Streams::from_seed(42).stream("service_times");
        let draws = expected.map(|_| service_time.draw(&mut stream).as_nanos());
        assert_eq!(draws, expected, "{distribution}");
    }
}

#[test]
fn a_bimodal_time_is_fast_nine_times_in_ten() {
    let service_time = ServiceTime::new(ServiceTimeDistribution::Bimodal, MEAN, 1.5).unwrap();
    let mut stream = Streams::from_seed(1).stream("service_times");
    let draws: Vec<Duration> = (0..10_000).map(|_| service_time.draw(&mut stream)).collect();
    let fast = draws.iter().filter(|draw| **draw == Duration::from_millis(25)).count();
    let slow = draws.iter().filter(|draw| **draw == Duration::from_millis(275)).count();
    assert_eq!(fast + slow, draws.len(), "there are two times only");
    assert!(slow.abs_diff(1000) < 150, "{slow} of 10,000 are slow");
}

#[test]
fn measured_times_are_drawn_as_they_were() {
    let service_time = ServiceTime::empirical([0.01, 0.02, 0.06]).unwrap();
    assert_eq!(service_time.mean(), Duration::from_millis(30));
    let expected_variation = (0.0014_f64 / 3.0).sqrt() / 0.03;
    assert!((service_time.coefficient_of_variation() - expected_variation).abs() < 1e-12);
    assert!((service_time.second_moment_seconds_squared() - 0.0041 / 3.0).abs() < 1e-12);
    let (mean, variation) = moments(&service_time, 100_000, 8);
    assert!((mean - 0.03).abs() < 0.0004, "mean {mean}");
    assert!((variation - expected_variation).abs() < 0.02, "coefficient of variation {variation}");
}

#[test]
fn a_mean_of_zero_gives_zero() {
    let mut stream = Streams::from_seed(1).stream("service_times");
    for distribution in ServiceTimeDistribution::ALL {
        let service_time = ServiceTime::new(distribution, Duration::ZERO, 0.5).unwrap();
        assert_eq!(service_time.draw(&mut stream), Duration::ZERO, "{distribution}");
        assert!(service_time.coefficient_of_variation().abs() < f64::EPSILON, "{distribution}");
    }
}

#[test]
fn what_cannot_be_had_is_refused_by_name() {
    let refused = |distribution, mean, variation| {
        ServiceTime::new(distribution, mean, variation).expect_err("out of range").to_string()
    };
    assert_eq!(
        refused(ServiceTimeDistribution::Bimodal, MEAN, 3.5),
        "coefficient of variation of a bimodal service time is 3.5, expected from 0 to 3 (standard deviation ÷ mean)"
    );
    for variation in [-0.1, 100.1, f64::NAN, f64::INFINITY] {
        let message = refused(ServiceTimeDistribution::Lognormal, MEAN, variation);
        assert!(message.contains("lognormal"), "{message}");
    }
    assert_eq!(
        refused(ServiceTimeDistribution::Constant, Duration::from_secs(86_401), 0.0),
        "mean service time is 86401 s, expected at most 86400 s"
    );
    assert_eq!(
        ServiceTime::empirical([]).unwrap_err().to_string(),
        "service time samples are empty, expected at least one"
    );
    assert_eq!(
        ServiceTime::empirical([0.1, -2.0]).unwrap_err().to_string(),
        "service time sample 1 is -2, expected seconds from 0 to 86400"
    );
}

#[test]
fn names_are_read_and_written() {
    for distribution in ServiceTimeDistribution::ALL {
        assert_eq!(distribution.to_string().parse(), Ok(distribution));
        assert_eq!(serde_json::to_string(&distribution).unwrap(), format!("\"{distribution}\""));
    }
    let error = "normal".parse::<ServiceTimeDistribution>().unwrap_err();
    assert!(error.to_string().contains("`normal`, expected `lognormal`"), "{error}");
}

proptest! {
    #[test]
    fn any_accepted_parameters_give_draws(
        mean_micros in 0..86_400_000_000_u64,
        variation in 0.0..3.0_f64,
        seed: u64,
    ) {
        let mean = Duration::from_micros(mean_micros);
        let mut stream = Streams::from_seed(seed).stream("service_times");
        for distribution in ServiceTimeDistribution::ALL {
            let service_time = ServiceTime::new(distribution, mean, variation).unwrap();
            prop_assert!(service_time.draw(&mut stream) < Duration::MAX, "{}", distribution);
            prop_assert_eq!(service_time.mean().as_micros(), mean.as_micros());
        }
    }

    #[test]
    fn a_measured_time_is_one_of_the_samples(
        samples in prop::collection::vec(0..1_000_000_u32, 1..50),
        seed: u64,
    ) {
        let seconds = samples.iter().map(|micros| f64::from(*micros) / 1e6);
        let service_time = ServiceTime::empirical(seconds.clone()).unwrap();
        let draw = service_time.draw(&mut Streams::from_seed(seed).stream("service_times"));
        prop_assert!(seconds.map(Duration::from_secs_f64).any(|sample| sample == draw));
    }
}
