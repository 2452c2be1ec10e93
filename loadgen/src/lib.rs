//! Load generator: virtual users run scenarios against a service, or single requests are sent at a rate, and the outcome
//! is reported.
//!
//! What a level of load measured, and what follows from it, is in the crate [`loadgen_baseline`], which does no I/O. Here
//! are `users/`, who run on Goose; `open_model/`, which sends single requests; `scenario/`, from files and recordings;
//! `result/` and `report/` of a run.
//!
//! In the order in which a caller meets them:
//!
//! 1. [`Scenario`] says what users do, from a file or shipped; [`Load`] says how many of them, or how many requests a
//!    second, over time as [`Levels`].
//! 2. [`LoadConfig`] joins both with a host and a time; [`LoadConfig::validate`] checks it as a whole.
//! 3. [`run()`] sends the load inside the caller's runtime, until the time is over or the caller says stop, and tells
//!    how it goes as [`Progress`]; [`run_with_metrics`] also counts it for Prometheus.
//! 4. [`LoadResult`] is what came of it, with a [`Verdict`] for each [`Threshold`].
//!
//! ## Two models
//! With users the model is closed: each user waits for the answer, then pauses, then acts again, so a slow service is
//! asked less often. With a rate it is open: each request has an intended start, drawn beforehand, and its response time
//! counts from there, so a service that freezes cannot hide what it kept waiting (coordinated omission). The requests
//! of the rate are the scenario's requests, in the order in which its users send them; pauses are left out, because
//! the rate says when.
//!
//! ## What is measured
//! A latency runs to the last byte of the answer. Latencies cover the requests that were answered: a refusal (503 with
//! `Retry-After`) in no time at all would hide the overload it stands for, and a request whose connection failed has no
//! response time; both are counted apart. The wait of what timed out, was never answered or never sent is in the
//! latencies too. Everything counts from the moment the load is as it should be, for as long as was asked; requests
//! that end after that are waited for and counted as late.
//!
//! ## What Goose does and what not
//! Goose starts the users, runs each in its loop, and stops them. Requests are sent, timed and judged here, because
//! Goose's own clock stops at the headers, its percentiles mix refusals and lost requests with answers, its users go
//! through their tasks in step, and it knows no intended starts.
//!
//! ```no_run
//! # async fn example() -> Result<(), loadgen::LoadError> {
//! use loadgen::{Levels, Load, LoadConfig, run};
//! let load = Load::Users(Levels::steady(20.0));
//! let config = LoadConfig { host: "http://127.0.0.1:8000".to_owned(), load, ..LoadConfig::default() };
//! let result = run(&config, std::future::pending(), |progress| eprintln!("{progress}")).await?;
//! assert!(result.held());
//! # Ok(())
//! # }
//! ```

mod baseline_file;
mod config;
mod error;
mod error_limit;
mod generator;
mod levels;
mod metrics;
mod open_model;
mod recorder;
mod redirect;
mod report;
mod result;
mod scenario;
mod service_url;
mod shape_file;
mod shown;
mod stream;
mod text_file;
mod users;

pub use baseline_file::read_baseline;
pub use config::{ConfigError, DEFAULT_RUN_TIME, Load, LoadConfig};
pub use error::LoadError;
pub use error_limit::{ErrorLimit, ErrorLimitError};
pub use generator::GeneratorResult;
pub use levels::{Levels, LevelsError};
// What the settings and results here are made of.
pub use loadgen_baseline::{
    ErrorSum, FailureKind, HIGHEST_RATE_RPS, Latency, LevelPlan, LevelPlanError, LevelProgress, Measurement,
    MeasurementPart, Quantile, RequestError, SIGNIFICANT_DIGITS, SoFar, Statistic, Threshold, ThresholdError,
    Verdict,
};
pub use metrics::LoadMetrics;
pub use open_model::{OpenModel, OpenModelError, Target, WeightedRequest};
pub use report::{ReportFormat, check_writable};
pub use result::progress::Progress;
pub use result::series::Point;
pub use result::{ErrorResult, LoadResult, RequestResult, SlowRequestResult};
pub use scenario::{
    DEFAULT_SCENARIO, Imported, METHODS, SHIPPED_SCENARIOS, Scenario, ScenarioError, scenario_from_har,
    scenario_from_openapi,
};
pub use service_url::{ServiceUrlError, check_service_url, without_credentials};
pub use shape_file::{ShapeFileError, read_shape};
pub use users::run::{run, run_with_metrics};
pub use users::scenario_model::{ScenarioModel, ScenarioTarget};
