//! A 95 % band holds the truth in 95 % of all runs.

use std::thread;
use std::time::Duration;

use loadgen_baseline::fit::LatencyFit;
use loadgen_baseline::{Allowance, Curve, Rates, SearchPlan, Slo};
use statrs::distribution::{Binomial, DiscreteCDF};

use crate::capacity::search;
use crate::theory;
use crate::virtual_service::VirtualService;

const RUNS: u64 = 200;

/// Shares of the four workers' capacity.
const UTILIZATIONS: [f64; 8] = [0.2, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85];

/// Where the band is looked at.
const RATES: [f64; 4] = [20.0, 44.0, 58.0, 66.0];

fn fit(seed: u64) -> LatencyFit {
    let service = VirtualService { seed, queue: 10_000, ..VirtualService::default() };
    let plan = SearchPlan {
        slo: Slo { at_most: Duration::from_secs(10), ..Slo::default() },
        rates: Rates::Listed(UTILIZATIONS.map(|share| share * 80.0).to_vec()),
        warm_up: Duration::from_secs(10),
        hold: Duration::from_secs(180),
        longest_hold: Duration::from_secs(180),
        allowance: Allowance { connections: 100_000, lateness: Duration::ZERO },
    };
    let (outcome, search) = search(plan, &service);
    let curve = Curve::new(1, None, outcome, search.into_levels(), seed);
    curve.latency_fit.unwrap_or_else(|| panic!("seed {seed}: {:?}", curve.latency_fit_refused))
}

/// For each of [`RATES`], in how many runs the band held the truth; and the same of the mean service time.
fn hits(seeds: impl Iterator<Item = u64>) -> [u64; 5] {
    let mut hits = [0; 5];
    for seed in seeds {
        let fit = fit(seed);
        for (hit, rate) in hits.iter_mut().zip(RATES) {
            let band = fit.mean_seconds(rate).expect("within the data");
            *hit += u64::from(band.contains(theory::mean_seconds(4, 0.05, rate)));
        }
        hits[4] += u64::from(fit.mean_service_seconds.contains(0.05));
    }
    hits
}

#[test]
fn the_band_of_the_latency_fit_holds_the_truth_as_often_as_it_says() {
    let (left, right) = thread::scope(|scope| {
        let left = scope.spawn(|| hits((1..=RUNS).step_by(2)));
        let right = scope.spawn(|| hits((2..=RUNS).step_by(2)));
        (left.join().expect("no panic"), right.join().expect("no panic"))
    });
    let binomial = Binomial::new(0.95, RUNS).expect("a share");
    let hits: Vec<u64> = left.iter().zip(right).map(|(left, right)| left + right).collect();
    println!("the truth was held, of {RUNS}: {hits:?}");
    for (index, hits) in hits.into_iter().enumerate() {
        let (too_few, too_many) = (binomial.cdf(hits), binomial.sf(hits.saturating_sub(1)));
        assert!(too_few > 0.005 && too_many > 0.005, "band {index} held the truth {hits} times of {RUNS}");
    }
}
