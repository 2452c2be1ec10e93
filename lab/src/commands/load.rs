//! `lab load`: generates load against a service.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{ArgGroup, Args};
use loadgen::{ErrorLimit, Levels, Load, LoadConfig, LoadError, LoadMetrics, Scenario, Threshold};
use workload::Arrivals;

use crate::arguments::log::LogArguments;
use crate::arguments::metrics::MetricsArguments;
use crate::arguments::other_tools::OtherToolsArguments;
use crate::arguments::telemetry::{TelemetryArguments, unique_id};
use crate::arguments::values::{duration, reachable_host};
use crate::failure::{ExitStatus, Failure};
use crate::output::{note, say};
use crate::runtime;
use crate::stop_signal::StopSignals;

/// Generate load against a service.
///
/// With --users (the default) each user waits for the answer, pauses, and acts again: a slow service is asked less
/// often. With --rate the scenario's requests are due at times drawn beforehand, however slow the answers are, and
/// response times count from when they were due. Progress goes to standard error each second, the result to standard
/// output. Errors are requests that failed, were refused (503 with Retry-After), got no answer or were never sent. Exit
/// status 1 when a threshold does not hold; without a threshold for errors the exit status is 0 whatever their share,
/// and half of the requests or more are told as a warning. SIGTERM and Ctrl-C end the run with a complete result.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab load --users 50 --run-time 60s --threshold p95=250ms --threshold errors=1% \
                        --report report.html\n  lab load shop --rate 10..200/5m        # a ramp of requests per \
                        second\n  lab load my.yaml --rate 50/1m,400/30s,50/1m   # a spike, with users of a file\n  \
                        lab load --from-har visit.har --out visit.yaml",
    group = ArgGroup::new("instead").args(["schema", "from_har", "from_openapi"])
)]
pub(crate) struct LoadArguments {
    /// What the users do: mixed, api-user, buyer, shop, dashboard-heavy, errors, or the path of a scenario file
    #[arg(value_name = "SCENARIO", default_value = loadgen::DEFAULT_SCENARIO, conflicts_with = "instead")]
    scenario: String,
    /// Only the tasks and users that have one of these tags; with --from-openapi, only these operations
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    tags: Vec<String>,
    /// Base URL of the service; a user name and password in it go with every request and are shown nowhere
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8000", value_parser = reachable_host())]
    host: String,
    /// Users who act at the same time: 50, or over time as 10..200/5m or 50/1m,400/30s,50/1m [default: 10]
    #[arg(long, value_name = "LEVELS", conflicts_with = "rate")]
    users: Option<Levels>,
    /// Requests that are due per second, instead of --users: 50, or over time as 10..200/5m or 50/1m,400/30s,50/1m
    #[arg(long, value_name = "LEVELS")]
    rate: Option<Levels>,
    /// A load shape (YAML or JSON) whose level 1 is the number of --users or --rate, or a recorded trace (CSV of
    /// time,requests or minute,requests), which --rate 1 plays as it was and --rate 0.1 at a tenth
    #[arg(long, value_name = "FILE")]
    shape: Option<PathBuf>,
    /// When the requests of a rate are due: poisson (at random) or constant (evenly spaced)
    #[arg(long, value_name = "PROCESS", default_value_t = Arrivals::Poisson, requires = "rate")]
    arrivals: Arrivals,
    /// The most users who send the requests of a rate
    #[arg(long, value_name = "N", default_value_t = 1000, requires = "rate")]
    max_users: usize,
    /// How long to measure once the load is as it should be [default: as long as the load says, or 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    run_time: Option<Duration>,
    /// Over how long the users start
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    ramp_up: Duration,
    /// How long a request may take, redirects included, and how long one that is due may wait for a free user
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    timeout: Duration,
    /// Files to write at the end; the ending names the format: html, json, csv or md
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    report: Vec<PathBuf>,
    /// What must hold: p50=…, p95=250ms, p99=…, mean=…, max=…, rps=20 (at least), errors=1% (failed, refused, unanswered
    /// and unsent requests)
    #[arg(long, value_name = "NAME=VALUE", value_delimiter = ',')]
    threshold: Vec<Threshold>,
    /// End the run after more errors than this, such as 100 or 5%; errors are as in --threshold [default: never]
    #[arg(long, value_name = "LIMIT")]
    max_errors: Option<ErrorLimit>,
    /// Begin even where the service gives no answer at all
    #[arg(long)]
    anyway: bool,
    /// Seed of what each user does, and of when requests are due
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    /// Print the JSON schema of scenario files, for editors, and do nothing else
    #[arg(long)]
    schema: bool,
    /// Write a scenario to start from, made of what a browser recorded, and do nothing else
    #[arg(long, value_name = "HAR")]
    from_har: Option<PathBuf>,
    /// Write a scenario to start from, made of an OpenAPI 3 description, and do nothing else
    #[arg(long, value_name = "OPENAPI")]
    from_openapi: Option<PathBuf>,
    /// Origin of the recording whose requests are taken: scheme, host and port [default: that of its pages]
    #[arg(long, value_name = "URL", requires = "from_har")]
    har_origin: Option<String>,
    /// Where to write what --schema, --from-har or --from-openapi make [default: standard output]
    #[arg(long, value_name = "FILE", requires = "instead")]
    out: Option<PathBuf>,
    #[command(flatten)]
    other_tools: OtherToolsArguments,
    #[command(flatten)]
    metrics: MetricsArguments,
    #[command(flatten)]
    telemetry: TelemetryArguments,
    #[command(flatten)]
    log: LogArguments,
}

pub(crate) fn run(arguments: LoadArguments) -> Result<ExitStatus, Failure> {
    if let Some(text) = written_instead(&arguments)? {
        return write(&text, arguments.out.as_deref());
    }
    let config = config(&arguments)?;
    let log = arguments.log.clone();
    let spans = arguments.telemetry.settings("loadgen", unique_id("loadgen"));
    runtime::run_traced(&log, &spans, async move {
        let metrics = LoadMetrics::default();
        let _metrics_server = arguments.metrics.serve(&metrics).await?;
        // Goose ends the process at a Ctrl-C while the last answers are waited for, and the result with it.
        StopSignals::keep_from_goose()?;
        let mut signals = StopSignals::catch()?;
        let stop = async move { signals.next().await };
        let result = loadgen::run_with_metrics(&config, &metrics, stop, |progress| note(&progress))
            .await
            .map_err(|error| match error {
                LoadError::Config(_) => Failure::bad_input(error),
                LoadError::Unreachable { .. } => {
                    Failure::could_not_run(format!("{error}? --anyway begins all the same"))
                }
                error => Failure::could_not_run(error),
            })?;
        if let Some(warning) = result.unnoticed_errors().filter(|_| arguments.json) {
            note(&warning);
        }
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

/// What is to be written instead of sending a load; none where a load is to be sent.
fn written_instead(arguments: &LoadArguments) -> Result<Option<String>, Failure> {
    if arguments.schema {
        let schema = serde_json::to_string_pretty(&Scenario::json_schema()).expect("a schema is JSON");
        return Ok(Some(format!("{schema}\n")));
    }
    let made = match (&arguments.from_har, &arguments.from_openapi) {
        (Some(_), _) if !arguments.tags.is_empty() => {
            return Err(Failure::bad_input(
                "--tags is given, but a recording has no tags; hint: leave --tags away, and edit the scenario that is written",
            ));
        }
        (Some(path), _) => loadgen::scenario_from_har(path, arguments.har_origin.as_deref()),
        (_, Some(path)) => loadgen::scenario_from_openapi(path, &arguments.tags),
        (None, None) => return Ok(None),
    };
    let imported = made.map_err(Failure::bad_input)?;
    imported.notes.iter().for_each(note);
    Ok(Some(imported.text))
}

fn write(text: &str, out: Option<&Path>) -> Result<ExitStatus, Failure> {
    match out {
        None => say(text.trim_end_matches('\n')),
        Some(path) => std::fs::write(path, text).map_err(|error| {
            let hint = "--out takes a file in a folder that exists";
            Failure::could_not_run(format!("`{}` cannot be written: {error}; hint: {hint}", path.display()))
        })?,
    }
    Ok(ExitStatus::Held)
}

/// All of the settings, checked.
fn config(arguments: &LoadArguments) -> Result<LoadConfig, Failure> {
    let scenario = Scenario::load(&arguments.scenario, &arguments.tags).map_err(Failure::bad_input)?;
    let config = LoadConfig {
        host: arguments.host.clone(),
        load: load(arguments)?,
        run_time: arguments.run_time,
        ramp_up: arguments.ramp_up,
        scenario,
        reports: arguments.report.clone(),
        thresholds: arguments.threshold.clone(),
        max_errors: arguments.max_errors,
        seed: arguments.seed,
        timeout: arguments.timeout,
        must_answer: !arguments.anyway,
    };
    config.validate().map_err(Failure::bad_input)?;
    Ok(config)
}

fn load(arguments: &LoadArguments) -> Result<Load, Failure> {
    let shaped = |levels: Levels| match &arguments.shape {
        None => Ok(levels),
        Some(path) => {
            let name = path.file_name().map_or_else(|| "shape".into(), |name| name.to_string_lossy());
            let shape =
                loadgen::read_shape(path).map_err(|error| Failure::bad_input(format!("--shape {error}")))?;
            levels.shaped(shape, &name).ok_or_else(|| {
                Failure::bad_input(format!(
                    "--shape goes with one number, but the load is `{levels}`; \
                     hint: `--rate 50 --shape {name}` makes the shape's level 1 50 requests per second"
                ))
            })
        }
    };
    Ok(match &arguments.rate {
        Some(levels) => Load::Rate {
            levels: shaped(levels.clone())?,
            arrivals: arguments.arrivals,
            max_users: arguments.max_users,
        },
        None => Load::Users(shaped(arguments.users.clone().unwrap_or_else(|| Levels::steady(10.0)))?),
    })
}
