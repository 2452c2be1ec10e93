//! `lab load`: users let loose on a service.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use loadgen::{LoadConfig, LoadError, LoadMetrics, Progress, Scenario, Threshold};

use crate::arguments::log::LogArguments;
use crate::arguments::metrics::MetricsArguments;
use crate::arguments::telemetry::{TelemetryArguments, unique_id};
use crate::arguments::values::duration;
use crate::failure::{ExitStatus, Failure};
use crate::runtime;
use crate::stop_signal::StopSignals;

/// Let users loose on a service.
///
/// Each user waits for the answer, pauses, and acts again. Progress goes to standard error each second, the result to
/// standard output. Exit status 1 when a threshold does not hold; Ctrl-C ends the run with a complete result.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab load --users 50 --run-time 60s --threshold p95=250ms --threshold errors=1% \
                        --report report.html"
)]
pub(crate) struct LoadArguments {
    /// What the users do: api-user, buyer or mixed
    #[arg(value_name = "SCENARIO", default_value_t = Scenario::default())]
    scenario: Scenario,
    /// Base URL of the service
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000")]
    host: String,
    /// Users who act at the same time
    #[arg(long, value_name = "N", default_value_t = 10)]
    users: usize,
    /// How long to measure once all users have started
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = duration)]
    run_time: Duration,
    /// Over how long the users start
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    ramp_up: Duration,
    /// How long a request may take
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// Files to write at the end; the ending names the format: html, json, md or csv
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    report: Vec<PathBuf>,
    /// What must hold: p50=…, p95=250ms, p99=…, mean=…, max=…, errors=1%, rps=20 (at least)
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    threshold: Vec<Threshold>,
    /// Seed of what each user does
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    metrics: MetricsArguments,
    #[command(flatten)]
    telemetry: TelemetryArguments,
    #[command(flatten)]
    log: LogArguments,
}

pub(crate) fn run(arguments: LoadArguments) -> Result<ExitStatus, Failure> {
    let log = arguments.log.clone();
    let spans = arguments.telemetry.settings("loadgen", unique_id("loadgen"));
    runtime::run_traced(&log, &spans, async move {
        let config = LoadConfig {
            host: arguments.host,
            users: arguments.users,
            run_time: arguments.run_time,
            ramp_up: arguments.ramp_up,
            scenario: arguments.scenario,
            reports: arguments.report,
            thresholds: arguments.threshold,
            seed: arguments.seed,
            timeout: arguments.timeout,
            metrics: LoadMetrics::default(),
        };
        config.validate().map_err(Failure::bad_input)?;
        let _metrics_server = arguments.metrics.serve(&config.metrics).await?;
        let mut signals = StopSignals::catch()?;
        let stop = async move { signals.next().await };
        let result = loadgen::run(&config, stop, show).await.map_err(|error| match error {
            LoadError::Config(_) => Failure::bad_input(error),
            error => Failure::could_not_run(error),
        })?;
        if arguments.json {
            say(&serde_json::to_string_pretty(&result).expect("a result is JSON"));
        } else {
            say(&result.to_string());
        }
        if !result.report_errors.is_empty() {
            return Err(Failure::could_not_run(result.report_errors.join("; ")));
        }
        Ok(if result.held() { ExitStatus::Held } else { ExitStatus::NotHeld })
    })
}

#[expect(clippy::print_stderr, reason = "progress, beside the result on standard output")]
fn show(progress: Progress) {
    eprintln!("{progress}");
}

#[expect(clippy::print_stdout, reason = "the command's result")]
fn say(text: &str) {
    println!("{text}");
}
