//! `lab baseline diff`: two files, or two services by turns.

use std::path::Path;

use clap::Args;
use loadgen_baseline::diff::{Diff, DiffSettings};
use loadgen_baseline::report::level_line;
use loadgen_baseline::{Level, PlannedLevel, Rates, SearchPlan};

use crate::arguments::log::LogArguments;
use crate::arguments::measuring::MeasuringArguments;
use crate::arguments::values::{check_host, reachable_host};
use crate::baseline::{about, tell};
use crate::failure::{ExitStatus, Failure};
use crate::output::say;
use crate::runtime;

/// Most rounds of an interleaved comparison.
const MOST_ROUNDS: u32 = 100;

/// Compare two baselines level by level, or two services by turns.
///
/// Each level is same, worse, better or unclear, with the change, the interval in which it lies, and the smallest change
/// that could have been seen. Exit status 1 when a level is worse.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lab baseline diff before.json after.json --tolerance 0.05\n  \
                  lab baseline diff --interleave --levels 20,40,60 http://127.0.0.1:8000 http://127.0.0.1:8010\n  \
                  lab baseline diff --interleave --levels 40 --scenario shop http://127.0.0.1:8000 http://127.0.0.1:8010")]
pub(super) struct DiffArguments {
    /// The baseline from before; with --interleave the base URL of a service
    #[arg(value_name = "BEFORE", value_parser = reachable_host())]
    before: String,
    /// The baseline from after; with --interleave the base URL of the other service
    #[arg(value_name = "AFTER", value_parser = reachable_host())]
    after: String,
    /// A change of the response time that does not matter
    #[arg(long, value_name = "FRACTION", default_value_t = DiffSettings::default().tolerance)]
    tolerance: f64,
    /// A change of the share of requests not served that does not matter
    #[arg(long, value_name = "FRACTION", default_value_t = DiffSettings::default().share_tolerance)]
    share_tolerance: f64,
    /// Measure two services by turns, so that what changes meanwhile meets both alike
    #[arg(long, requires = "levels")]
    interleave: bool,
    /// Rates to measure, in requests per second
    #[arg(long, value_name = "RATE,…", value_delimiter = ',', requires = "interleave")]
    levels: Vec<f64>,
    /// How often each of the two is measured at each rate
    #[arg(long, value_name = "N", default_value_t = 2)]
    rounds: u32,
    #[command(flatten)]
    measuring: MeasuringArguments,
    /// Seed of the schedules; both services get the same
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogArguments,
}

pub(super) fn run(arguments: DiffArguments) -> Result<ExitStatus, Failure> {
    let log = arguments.log.clone();
    runtime::run(&log, async move {
        let settings = settings(&arguments)?;
        let diff = if arguments.interleave {
            let [before, after] = interleave(&arguments).await?;
            Diff::of_levels(&before, &after, &arguments.measuring.slo()?, &settings)
        } else {
            let read = |file: &str| loadgen::read_baseline(Path::new(file)).map_err(Failure::bad_input);
            Diff::of(&read(&arguments.before)?, &read(&arguments.after)?, &settings)
        };
        let diff = diff.map_err(Failure::bad_input)?;
        if arguments.json {
            say(&serde_json::to_string_pretty(&diff).expect("a comparison is JSON"));
        } else {
            say(&diff.to_string());
        }
        Ok(if diff.is_worse() { ExitStatus::NotHeld } else { ExitStatus::Held })
    })
}

fn settings(arguments: &DiffArguments) -> Result<DiffSettings, Failure> {
    let DiffArguments { tolerance, share_tolerance, rounds, .. } = *arguments;
    for (flag, value) in [("--tolerance", tolerance), ("--share-tolerance", share_tolerance)] {
        if !(0.0..=1.0).contains(&value) {
            return Err(Failure::bad_input(format!(
                "{flag} is {value}, expected a fraction from 0 to 1; hint: 0.05 is 5 percent"
            )));
        }
    }
    if !(1..=MOST_ROUNDS).contains(&rounds) {
        return Err(Failure::bad_input(format!(
            "--rounds is {rounds}, expected 1 to {MOST_ROUNDS}; hint: 2 measures A B A B"
        )));
    }
    Ok(DiffSettings { tolerance, share_tolerance })
}

/// Measures A B A B at each rate; answers the levels of both.
async fn interleave(arguments: &DiffArguments) -> Result<[Vec<Level>; 2], Failure> {
    let (before, after) = (&arguments.before, &arguments.after);
    check_host(before)?;
    check_host(after)?;
    let rates = Rates::Listed(arguments.levels.clone());
    let measuring = arguments.measuring.measuring(rates, arguments.measuring.hold(), arguments.seed)?;
    let SearchPlan { slo, warm_up, hold, allowance, .. } = measuring.plan;
    let count = arguments.levels.len() * arguments.rounds as usize * 2;
    tell(&format!(
        "{count} levels by turns, each {:?} after {:?} of warm-up: about {}",
        hold,
        warm_up,
        about((warm_up + hold) * u32::try_from(count).unwrap_or(u32::MAX))
    ));
    let mut engines = [measuring.connect(before).await?, measuring.connect(after).await?];
    let mut levels = [Vec::new(), Vec::new()];
    let mut number = 0;
    for rate_rps in &arguments.levels {
        for _ in 0..arguments.rounds {
            number += 1;
            // The same number for both: the same seed, so the same schedule.
            let level = PlannedLevel { number, rate_rps: *rate_rps, warm_up, hold };
            for (name, (engine, levels)) in ["A", "B"].into_iter().zip(engines.iter_mut().zip(&mut levels)) {
                let measurement = measuring.measure(engine, &level).await?;
                if measuring.stop.is_cancelled() {
                    return Err(Failure::could_not_run("stopped before both were measured"));
                }
                let judged = Level::judge(number, warm_up, measurement, &slo, allowance);
                tell(&format!("{name} {}", level_line(&judged)));
                levels.push(judged);
            }
        }
    }
    Ok(levels)
}
