//! Users who load a service, on Goose: who they are, what they do, and what came of it.
//!
//! The model is closed: each user waits for the answer, then pauses, then acts again, so a slow service is asked less
//! often. In the order in which a caller meets them:
//!
//! 1. [`LoadConfig`] says who loads what for how long; [`LoadConfig::validate`] checks it as a whole.
//! 2. [`run()`] sends the load inside the caller's runtime until the time is over or the caller says stop, and tells
//!    how it goes as [`Progress`].
//! 3. [`LoadResult`] is what came of it, with a [`Verdict`] for each [`Threshold`].
//!
//! ## What is measured
//! A latency runs from sending a request to the last byte of its answer. Latencies cover the requests that were
//! answered: a refusal (503 with `Retry-After`) in no time at all would hide the overload it stands for, and a
//! request that got no answer has no response time; both are counted apart. Everything counts from the moment the
//! last user has started, for as long as was asked: a request that ends later is not counted, so rates are exact.
//!
//! ## What Goose does and what not
//! Goose starts, paces and stops the users, and writes its report files. Requests are sent, timed and judged here,
//! because Goose's own clock stops at the headers, and its percentiles mix refusals and lost requests with answers.
//! Goose's reports are fed with the same numbers, refusals and lost requests under names of their own; they count
//! until the last user is gone, and so some requests more than [`LoadResult`].
//!
//! ```no_run
//! # async fn example() -> Result<(), loadgen::LoadError> {
//! use loadgen::{LoadConfig, run};
//! let config = LoadConfig { host: "http://127.0.0.1:8000".to_owned(), users: 20, ..LoadConfig::default() };
//! let result = run(&config, std::future::pending(), |progress| eprintln!("{progress}")).await?;
//! assert!(result.held());
//! # Ok(())
//! # }
//! ```

mod attack;
pub mod baseline;
mod config;
mod error;
mod exchange;
mod failure_kind;
mod measurement;
mod open_model;
mod progress;
mod recorder;
mod report;
mod result;
mod run;
mod scenario;
mod spans;
mod threshold;

pub use config::{ConfigError, LoadConfig};
pub use error::LoadError;
pub use failure_kind::FailureKind;
pub use measurement::{Measurement, MeasurementPart, SIGNIFICANT_DIGITS};
pub use open_model::{LevelPlan, LevelProgress, OpenModel, OpenModelError, Target, WeightedRequest};
pub use progress::Progress;
pub use recorder::Latency;
pub use result::{LoadResult, RequestResult};
pub use run::run;
pub use scenario::{Scenario, UnknownScenario};
pub use threshold::{Statistic, Threshold, ThresholdError, Verdict};
