//! `lab simulate`: plays policies against a load in virtual time, and puts them side by side.

mod estimate;
mod files;
mod input;
mod play;
mod table;

use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;
use simulator::{Experiment, ExperimentResult, SHIPPED};

use self::play::{Contenders, Played};
use crate::arguments::log::LogArguments;
use crate::failure::{ExitStatus, Failure};
use crate::output::say;
use crate::runtime;
use crate::stop_signal::StopSignals;

/// Play policies against a load in virtual time, and compare them.
///
/// Hours of traffic take seconds: every request is simulated, with the live balancer, signals and policy engine. Each
/// policy plays each seed, and all see the same requests. The table goes to standard output, progress to standard error.
/// Ctrl-C ends the command with the runs that are finished, which the result then says.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab simulate spike                                      # a shipped experiment\n  lab simulate \
                        --policy moderate,fixed:3 --trace access.log.gz --scale 50 --out result\n  lab simulate --list"
)]
pub(crate) struct SimulateArguments {
    /// A shipped experiment (see --list), or the path of an experiment file [default: the defaults of such a file]
    #[arg(value_name = "EXPERIMENT", required_unless_present_any = ["list", "trace"])]
    experiment: Option<String>,
    /// Policies to compare in place of the experiment's: files, shipped policies, and fixed:N for N replicas
    #[arg(long, value_name = "POLICY", value_delimiter = ',')]
    policy: Vec<String>,
    /// A recorded load in place of the experiment's: a table (CSV with a header), counts per second one a line, or an
    /// access log (Common or Combined Log Format); each may be packed with gzip
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Multiply the rates of the trace [default: 1, or as the experiment says]
    #[arg(long, value_name = "FACTOR")]
    scale: Option<f64>,
    /// Play this many seeds, from 1 on, in place of the experiment's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: Option<u64>,
    /// Runs that are played at the same time [default: the number of cores]; the result does not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// Folder for result.json, timeline.csv (of the first seed) and run.json; it is made where it is missing
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Name the shipped experiments, and do nothing else
    #[arg(long)]
    list: bool,
    #[command(flatten)]
    log: LogArguments,
}

pub(crate) fn run(arguments: SimulateArguments) -> Result<ExitStatus, Failure> {
    if arguments.list {
        list();
        return Ok(ExitStatus::Held);
    }
    let experiment = input::experiment(&arguments)?;
    let contenders = input::contenders(&experiment)?;
    estimate::check(&experiment, contenders.len())?;
    let threads = arguments
        .threads
        .unwrap_or_else(|| std::thread::available_parallelism().unwrap_or(NonZero::<usize>::MIN));
    let (log, out, json) = (arguments.log, arguments.out, arguments.json);
    if let Some(folder) = &out {
        files::make_folder(folder)?;
    }
    runtime::run(&log, async move {
        let mut signals = StopSignals::catch()?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        tokio::spawn(async move {
            signals.next().await;
            stopping.store(true, Ordering::Relaxed);
        });
        let began_at = Instant::now();
        let play = move || {
            let played = play::all(&experiment, &contenders, threads, &stop);
            (experiment, contenders, played)
        };
        let (experiment, contenders, played) = tokio::task::spawn_blocking(play)
            .await
            .map_err(|error| Failure::could_not_run(format!("a simulation ended unexpectedly: {error}")))?;
        finish(&experiment, &contenders, played, &Delivery { out, json, threads, began_at })
    })
}

/// Where the result goes, and what is told of its making.
struct Delivery {
    out: Option<PathBuf>,
    json: bool,
    threads: NonZero<usize>,
    began_at: Instant,
}

fn finish(
    experiment: &Experiment,
    contenders: &Contenders,
    played: Played,
    delivery: &Delivery,
) -> Result<ExitStatus, Failure> {
    let seeds = experiment.seeds.len();
    let Played { oracle, policies, timelines } = played;
    let result = ExperimentResult::new(
        &experiment.name,
        experiment.model.slo,
        oracle.as_deref(),
        contenders.with_runs(policies),
        seeds,
    );
    let seconds = delivery.began_at.elapsed().as_secs_f64();
    if let Some(folder) = &delivery.out {
        files::write(folder, &result, &timelines, delivery.threads, seconds)?;
    }
    if delivery.json {
        say(&files::json_of(&result));
    } else {
        say(&table::of(&result, seeds, seconds));
    }
    Ok(if result.complete { ExitStatus::Held } else { ExitStatus::NotHeld })
}

fn list() {
    let about = |text: &str| {
        let comment = text.lines().next().unwrap_or_default();
        comment.trim_start_matches('#').trim().to_owned()
    };
    let lines: Vec<String> =
        SHIPPED.iter().map(|(name, text)| format!("{name:<14} {}", about(text))).collect();
    say(&lines.join("\n"));
}
