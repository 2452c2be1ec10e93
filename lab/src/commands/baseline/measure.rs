//! `lab baseline` itself: flags, and what is written at the end.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use loadgen::{HIGHEST_RATE_RPS, ReportFormat, without_credentials};
use loadgen_baseline::report::table;
use loadgen_baseline::{Baseline, Curve, End, Rates, Settings, SyntheticDemand, TargetDescription};
use webapp::Role;

use crate::arguments::log::LogArguments;
use crate::arguments::measuring::MeasuringArguments;
use crate::arguments::physics::PhysicsArguments;
use crate::arguments::replica_counts::{ReplicaCounts, replica_counts};
use crate::arguments::values::{check_host, duration, reachable_host};
use crate::baseline::{Measuring, OwnDemand, OwnService, describe, expectation, look, tell, wall_clock};
use crate::commands::up::dependency;
use crate::failure::{ExitStatus, Failure};
use crate::output::{replace, say};
use crate::runtime;

/// What to measure and how.
#[derive(Clone, Debug, Args)]
pub(super) struct MeasureArguments {
    /// Base URL of the service; a user name and password in it go with every request and are shown nowhere [default:
    /// replicas are started for it, without synthetic demand]
    #[arg(long, value_name = "URL", value_parser = reachable_host())]
    host: Option<String>,
    /// The file to write
    #[arg(long, value_name = "FILE", default_value = "baseline.json")]
    out: PathBuf,
    /// Reports to write; the ending names the form: html, csv, md or json
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    report: Vec<PathBuf>,
    /// Rates to measure, in requests per second, instead of searching
    #[arg(long, value_name = "RATE,…", value_delimiter = ',')]
    levels: Vec<f64>,
    /// The first rate of the search
    #[arg(long, value_name = "RATE", default_value_t = 10.0)]
    start_rate: f64,
    /// The highest rate that is tried
    #[arg(long, value_name = "RATE", default_value_t = 10_000.0)]
    max_rate: f64,
    /// How narrow the bracket around the SLO becomes
    #[arg(long, value_name = "FRACTION", default_value_t = 0.02)]
    resolution: f64,
    /// How long a level is measured at most that does not settle
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    longest_hold: Duration,
    #[command(flatten)]
    measuring: MeasuringArguments,
    /// Numbers of replicas to start and measure behind a gateway: 1..4, or 1,2,4 [default: one, without a gateway]
    #[arg(long, value_name = "N..M", value_parser = replica_counts, conflicts_with = "host")]
    replicas: Option<ReplicaCounts>,
    /// Also start a dependency that all replicas share, a database with 8 workers of 20 ms
    #[arg(long, conflicts_with = "host")]
    with_dependency: bool,
    /// Print the baseline as JSON instead of the table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    physics: PhysicsArguments,
    #[command(flatten)]
    log: LogArguments,
}

impl MeasureArguments {
    /// Which rates to measure, checked.
    fn rates(&self) -> Result<Rates, Failure> {
        let refuse = |flag: &str, value: &dyn std::fmt::Display, expected: &str| {
            Err(Failure::bad_input(format!(
                "{flag} is {value}, expected {expected}; hint: see lab baseline --help"
            )))
        };
        let is_rate = |rate: f64| rate > 0.0 && rate <= HIGHEST_RATE_RPS;
        if let Some(level) = self.levels.iter().find(|level| !is_rate(**level)) {
            return refuse("--levels", level, &format!("rates above 0, at most {HIGHEST_RATE_RPS}"));
        }
        if !is_rate(self.start_rate) || !is_rate(self.max_rate) || self.start_rate > self.max_rate {
            let rates = format!("{} and --max-rate {}", self.start_rate, self.max_rate);
            let expected =
                format!("rates above 0, at most {HIGHEST_RATE_RPS}, the first not above the second");
            return refuse("--start-rate", &rates, &expected);
        }
        if !(0.001..=1.0).contains(&self.resolution) {
            return refuse("--resolution", &self.resolution, "a fraction from 0.001 to 1");
        }
        let hold = self.measuring.hold();
        if hold < Duration::from_millis(100) || self.longest_hold < hold {
            let holds = format!("{hold:?} and --longest-hold {:?}", self.longest_hold);
            return refuse("--hold", &holds, "at least 100ms, and the first not above the second");
        }
        let mut listed = self.levels.clone();
        listed.sort_by(f64::total_cmp);
        listed.dedup();
        Ok(if listed.is_empty() {
            let (start_rps, most_rps) = (self.start_rate, self.max_rate);
            Rates::Searched { start_rps, most_rps, resolution: self.resolution }
        } else {
            Rates::Listed(listed)
        })
    }

    /// Finds a file that cannot be written before the load and not after it.
    fn check_files(&self) -> Result<(), Failure> {
        for report in &self.report {
            if ReportFormat::of(report).is_none() {
                return Err(Failure::bad_input(format!(
                    "--report is `{}`, expected a file that ends in .html, .csv, .md or .json; hint: the ending \
                     chooses the form",
                    report.display()
                )));
            }
        }
        for file in self.report.iter().chain([&self.out]) {
            loadgen::check_writable(file).map_err(|error| {
                Failure::could_not_run(format!(
                    "`{}` cannot be written: {error}; hint: --out and --report take a file in a folder that exists",
                    file.display()
                ))
            })?;
        }
        Ok(())
    }

    /// Refuses demand of several replicas that would not know of each other, and so each make all of it.
    fn check_demand(&self) -> Result<(), Failure> {
        let most = self.replicas.as_ref().and_then(|counts| counts.as_slice().last().copied()).unwrap_or(1);
        if most > 1 && self.physics.demand_rps() > 0.0 {
            return Err(Failure::bad_input(format!(
                "--base-rps is {}, expected 0 for {most} replicas, which would each make that demand; hint: leave it \
                 away, or measure a lab that runs, with --host",
                self.physics.demand_rps()
            )));
        }
        Ok(())
    }

    /// What the replicas are that are started.
    fn replica_physics(&self) -> PhysicsArguments {
        self.physics.with_demand_only_if_asked_for()
    }
}

pub(super) fn run(arguments: MeasureArguments) -> Result<ExitStatus, Failure> {
    let log = arguments.log.clone();
    runtime::run(&log, async move {
        let rates = arguments.rates()?;
        arguments.host.as_deref().map_or(Ok(()), check_host)?;
        arguments.physics.config(Role::Webapp).validate().map_err(Failure::bad_input)?;
        arguments.check_demand()?;
        arguments.check_files()?;
        let seed = arguments.physics.seed();
        let measuring = arguments.measuring.measuring(rates, arguments.longest_hold, seed)?;
        let created_at = wall_clock();
        tell(&expectation(&measuring.plan));
        let Found { curves, synthetic_demand, failure } = match &arguments.host {
            Some(host) => measure_host(host, &measuring).await?,
            None => measure_own(&arguments, &measuring).await,
        };
        // What was there before is worth more than a file that says nothing.
        if curves.iter().all(|curve| curve.levels.is_empty()) {
            return Err(failure.unwrap_or_else(|| {
                Failure::could_not_run("stopped before a level was measured; nothing was written")
            }));
        }
        let baseline = Baseline::new(
            env!("CARGO_PKG_VERSION"),
            created_at,
            measuring.seed,
            TargetDescription {
                host: arguments.host.as_deref().map(without_credentials),
                replica_flags: match arguments.host {
                    Some(_) => Vec::new(),
                    None => arguments.replica_physics().flags(),
                },
                ..arguments.measuring.describe(&measuring.traffic)
            },
            describe(),
            Settings::new(&measuring.plan, &measuring.arrivals.to_string(), measuring.timeout.as_secs_f64()),
            synthetic_demand,
            curves,
        );
        let status = write(&arguments, &baseline)?;
        failure.map_or(Ok(status), Err)
    })
}

/// What was measured, and what kept the rest from being.
#[derive(Default)]
struct Found {
    curves: Vec<Curve>,
    synthetic_demand: Option<SyntheticDemand>,
    failure: Option<Failure>,
}

async fn measure_host(host: &str, measuring: &Measuring) -> Result<Found, Failure> {
    let shown = without_credentials(host);
    let shown = shown.trim_end_matches('/');
    let before = look(shown).await;
    tell_demand(before);
    let replicas = before.map_or(1, |demand| demand.ready_replicas.max(1));
    let (outcome, levels) = measuring.search(host, || still_as_many(shown, before)).await?;
    let curve = Curve::new(replicas, None, outcome, levels, measuring.seed);
    Ok(Found { curves: vec![curve], synthetic_demand: demand(before, look(shown).await), failure: None })
}

/// Refuses to go on where replicas came or went: what one of them carries could not be told any more.
async fn still_as_many(host: &str, before: Option<OwnDemand>) -> Result<(), Failure> {
    match (before, look(host).await) {
        (Some(before), Some(now)) if before.ready_replicas != now.ready_replicas => {
            Err(Failure::could_not_run(format!(
                "{host} has {} ready replicas instead of {}, so what one of them carries cannot be told; hint: pause \
                 whoever scales it, for lab up: curl -X POST http://127.0.0.1:8080/api/pause",
                now.ready_replicas, before.ready_replicas
            )))
        }
        _ => Ok(()),
    }
}

fn tell_demand(before: Option<OwnDemand>) {
    if let Some(demand) = before.filter(|demand| demand.demand_rps > 0.0) {
        tell(&format!(
            "the service makes {:.1}/s itself (GET /load): what is measured comes on top of that",
            demand.demand_rps
        ));
    }
}

fn demand(before: Option<OwnDemand>, after: Option<OwnDemand>) -> Option<SyntheticDemand> {
    before.zip(after.or(before)).map(|(before, after)| SyntheticDemand {
        before_rps: before.demand_rps,
        after_rps: after.demand_rps,
        ready_replicas: before.ready_replicas,
        capacity_is_net_of_it: before.demand_rps > 0.0 || after.demand_rps > 0.0,
    })
}

/// A number of replicas that cannot be measured ends it, and leaves what was found for the others.
async fn measure_own(arguments: &MeasureArguments, measuring: &Measuring) -> Found {
    let counts = arguments.replicas.as_ref().map_or(&[1][..], ReplicaCounts::as_slice);
    let mut found = Found::default();
    for replicas in counts {
        match measure_replicas(*replicas, arguments, measuring).await {
            Ok((curve, demand)) => {
                found.curves.push(curve);
                found.synthetic_demand = found.synthetic_demand.or(demand);
            }
            Err(failure) => {
                found.failure = Some(failure);
                break;
            }
        }
        if measuring.stop.is_cancelled() {
            break;
        }
    }
    found
}

async fn measure_replicas(
    replicas: u32,
    arguments: &MeasureArguments,
    measuring: &Measuring,
) -> Result<(Curve, Option<SyntheticDemand>), Failure> {
    let dependency = arguments.with_dependency.then(dependency);
    let physics = arguments.replica_physics();
    let service = OwnService::start(replicas, physics, dependency, arguments.replicas.is_some()).await?;
    tell(&format!("replicas: {replicas}, at {}", service.url()));
    let before = if arguments.physics.demand_rps() > 0.0 { look(service.url()).await } else { None };
    tell_demand(before);
    let found = measuring.search(service.url(), || async { Ok(()) }).await;
    let after = if before.is_some() { look(service.url()).await } else { None };
    let start_up_seconds = Some(service.start_up().as_secs_f64());
    service.stop().await;
    let (outcome, levels) = found?;
    let curve = Curve::new(replicas, start_up_seconds, outcome, levels, measuring.seed);
    Ok((curve, demand(before, after)))
}

fn write(arguments: &MeasureArguments, baseline: &Baseline) -> Result<ExitStatus, Failure> {
    // First the files: who reads the table may have gone.
    replace(&arguments.out, &baseline.to_json())?;
    for path in &arguments.report {
        if let Some(format) = ReportFormat::of(path) {
            replace(path, &format.write(baseline))?;
        }
    }
    say(if arguments.json { baseline.to_json() } else { table(baseline) }.trim_end());
    let is_found = baseline.curves.iter().all(|curve| {
        curve.outcome.highest_within_slo_rps.is_some()
            && !matches!(curve.outcome.end, End::Stopped | End::GeneratorLimited)
    });
    Ok(if is_found { ExitStatus::Held } else { ExitStatus::NotHeld })
}
