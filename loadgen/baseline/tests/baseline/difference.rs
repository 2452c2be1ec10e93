//! Two baselines of the same service are rarely called different, a slower service nearly always.

use std::thread;
use std::time::Duration;

use loadgen_baseline::diff::{Diff, DiffSettings, Verdict};
use loadgen_baseline::{Allowance, Level, PlannedLevel, Slo};
use workload::ServiceTimeDistribution;

use crate::virtual_service::VirtualService;

const RUNS: u64 = 200;

/// From a quarter used to nearly saturated, where response times hang together over seconds.
const RATES: [f64; 5] = [20.0, 40.0, 56.0, 64.0, 72.0];

fn levels(service_time: Duration, seed: u64) -> Vec<Level> {
    let service = VirtualService {
        service_time,
        distribution: ServiceTimeDistribution::Lognormal,
        service_cv: 0.5,
        seed,
        ..VirtualService::default()
    };
    let (warm_up, hold) = (Duration::from_secs(10), Duration::from_secs(60));
    let allowance = Allowance { connections: 100_000, lateness: Duration::ZERO };
    (1..)
        .zip(RATES)
        .map(|(number, rate_rps)| {
            let measurement = service.run(&PlannedLevel { number, rate_rps, warm_up, hold });
            Level::judge(number, warm_up, measurement, &Slo::default(), allowance)
        })
        .collect()
}

/// For each run the verdicts of its levels.
fn verdicts(after: Duration) -> Vec<Vec<(f64, Verdict)>> {
    let run = |seed: u64| {
        let before = levels(Duration::from_millis(50), 2 * seed);
        let after = levels(after, 2 * seed + 1);
        let diff =
            Diff::of_levels(&before, &after, &Slo::default(), &DiffSettings::default()).expect("same rates");
        diff.levels.iter().map(|level| (level.offered_rps, level.verdict)).collect()
    };
    thread::scope(|scope| {
        let halves =
            [1, 2].map(|first| scope.spawn(move || (first..=RUNS).step_by(2).map(run).collect::<Vec<_>>()));
        halves.into_iter().flat_map(|half| half.join().expect("no panic")).collect()
    })
}

#[test]
fn the_same_service_is_called_different_in_at_most_one_level_of_fifty() {
    let runs = verdicts(Duration::from_millis(50));
    let all: Vec<_> = runs.iter().flatten().collect();
    let different: Vec<_> =
        all.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Worse | Verdict::Better)).collect();
    let same = all.iter().filter(|(_, verdict)| *verdict == Verdict::Same).count();
    println!("{} of {} levels are different, {same} are the same: {different:?}", different.len(), all.len());
    assert!(all.len() as u64 > 4 * RUNS, "few levels are void: {} are left", all.len());
    assert!(50 * different.len() <= all.len(), "{} of {} levels: {different:?}", different.len(), all.len());
}

#[test]
fn a_service_that_is_a_tenth_slower_is_found() {
    let runs = verdicts(Duration::from_millis(55));
    let found = runs.iter().filter(|run| run.iter().any(|(_, verdict)| *verdict == Verdict::Worse)).count();
    let mistaken = runs.iter().flatten().filter(|(_, verdict)| *verdict == Verdict::Better).count();
    println!("found in {found} of {} runs; called better in {mistaken} levels", runs.len());
    assert!(100 * found >= 98 * runs.len(), "found in {found} of {} runs", runs.len());
    assert_eq!(mistaken, 0, "a slower service is never better");
}
