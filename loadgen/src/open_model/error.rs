//! Why the open model could not send anything; what happened to requests is in the measurement.

use std::time::Duration;

use loadgen_baseline::{FailureKind, LevelPlanError};

/// Why there is no measurement.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum OpenModelError {
    /// A setting cannot be: wrong usage. Nothing was sent.
    #[error("{setting} is {value}, expected {expected}; hint: {hint}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// What was given.
        value: String,
        /// What would do.
        expected: &'static str,
        /// What to do next.
        hint: &'static str,
    },
    /// More connections were asked for than the process may have files open, even with the limit raised as far as it goes.
    #[error(
        "connections is {connections}, but this process may have {limit} files open and needs {needed}; hint: raise the limit (ulimit -Hn) or ask for fewer connections"
    )]
    DescriptorLimit {
        /// Connections that were asked for.
        connections: usize,
        /// Files that they and the process need.
        needed: u64,
        /// The hard limit.
        limit: u64,
    },
    /// Not one connection came about.
    #[error("`{base_url}` cannot be reached: {kind}{}; hint: is the service up, and is the URL right", reason_in_brackets(*.kind, .reason))]
    Unreachable {
        /// The base URL that was tried.
        base_url: String,
        /// In what way it failed.
        kind: FailureKind,
        /// What the system said.
        reason: String,
    },
    /// The caller said stop before anything was measured.
    #[error("stopped after {after:?}, before anything was measured; hint: the warm-up was not over")]
    Stopped {
        /// How long the level had run.
        after: Duration,
    },
    /// The system did not give what sending takes.
    #[error(
        "the load's own thread could not work: {0}; hint: the system may be out of threads or open files"
    )]
    Thread(String),
}

impl From<LevelPlanError> for OpenModelError {
    fn from(error: LevelPlanError) -> Self {
        let LevelPlanError { setting, value, expected, hint } = error;
        Self::Setting { setting, value, expected, hint }
    }
}

/// What the system said, unless that is the kind again in its own words.
fn reason_in_brackets(kind: FailureKind, reason: &str) -> String {
    let is_news = !reason.is_empty() && !reason.to_lowercase().starts_with(&kind.to_string());
    if is_news { format!(" ({reason})") } else { String::new() }
}

/// A setting that cannot be.
pub(crate) fn refuse<T>(
    setting: &'static str,
    value: impl std::fmt::Display,
    expected: &'static str,
    hint: &'static str,
) -> Result<T, OpenModelError> {
    Err(OpenModelError::Setting { setting, value: format!("{value}"), expected, hint })
}
