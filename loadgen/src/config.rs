//! Who loads what for how long, checked as a whole before anything starts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use loadgen_baseline::Threshold;
use workload::Arrivals;

use crate::error_limit::ErrorLimit;
use crate::levels::Levels;
use crate::report::format::Format;
use crate::scenario::Scenario;
use crate::service_url::ServiceUrl;

/// Most users of one run; each is a task with its own state.
const MAX_USERS: usize = 100_000;

/// Longest run, ramp-up or request.
const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How long is measured where neither the run time nor the load says so.
pub const DEFAULT_RUN_TIME: Duration = Duration::from_secs(60);

/// How much load there is.
#[derive(Clone, Debug, PartialEq)]
pub enum Load {
    /// Closed model: so many users, each of whom waits for its answer; a slow service is asked less often.
    Users(Levels),
    /// Open model: so many requests a second are due, however long the answers take.
    Rate {
        /// Requests per second.
        levels: Levels,
        /// Whether they are due at random or evenly spaced.
        arrivals: Arrivals,
        /// The most users who send them, shared out evenly among the kinds of users; 1 to 100,000. A request for which
        /// no user is free waits, and its wait counts.
        max_users: usize,
    },
}

/// The settings of one run.
#[derive(Clone, Debug)]
pub struct LoadConfig {
    /// Base URL of the service: scheme, host and port. Default `http://127.0.0.1:8000`, the gateway. A user name and
    /// password in it are sent with every request that has no `Authorization` of its own, and shown nowhere.
    pub host: String,
    /// How much load there is. Default: 10 users.
    pub load: Load,
    /// How long to measure once the load is as it should be, more than 0 and at most 24 h. Default: as long as the
    /// load's stages last, and [`DEFAULT_RUN_TIME`] more where the last one has no end.
    pub run_time: Option<Duration>,
    /// Over how long the users start, evenly, 0 to 24 h. Default 2 s, the mean pause of the shipped users, so that
    /// they do not act in step. With a rate it counts only where users do something on their start.
    pub ramp_up: Duration,
    /// What the users do. Default: the shipped scenario `mixed`.
    pub scenario: Scenario,
    /// Files to write at the end, in the format that the ending names: html, json, csv or md.
    pub reports: Vec<PathBuf>,
    /// What must hold of the result.
    pub thresholds: Vec<Threshold>,
    /// How many errors end the run early. Default: none do.
    pub max_errors: Option<ErrorLimit>,
    /// Decides what each user does in which order and how long it pauses, and when requests are due. Default 1.
    pub seed: u64,
    /// How long a request may take, redirects included, before it counts as timed out, 1 ms to 24 h; as long may a
    /// request that is due wait for a free user. Default 10 s.
    pub timeout: Duration,
    /// Whether a service that gives no answer at all before the start is refused. Default true.
    pub must_answer: bool,
}

impl Default for LoadConfig {
    fn default() -> Self {
        Self {
            host: "http://127.0.0.1:8000".to_owned(),
            load: Load::Users(Levels::steady(10.0)),
            run_time: None,
            ramp_up: Duration::from_secs(2),
            scenario: Scenario::default(),
            reports: Vec::new(),
            thresholds: Vec::new(),
            max_errors: None,
            seed: 1,
            timeout: Duration::from_secs(10),
            must_answer: true,
        }
    }
}

/// A setting that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{setting} is {value}, expected {expected}; hint: {hint}")]
pub struct ConfigError {
    /// The setting, as its flag.
    pub setting: &'static str,
    /// What was given.
    pub value: String,
    /// What would do.
    pub expected: &'static str,
    /// What to do next.
    pub hint: &'static str,
}

impl Load {
    /// The load over time, in users or requests per second.
    pub fn levels(&self) -> &Levels {
        match self {
            Self::Users(levels) | Self::Rate { levels, .. } => levels,
        }
    }
}

impl LoadConfig {
    /// How long is measured: as was asked, or as the load's stages say.
    pub fn run_time(&self) -> Duration {
        self.run_time.unwrap_or_else(|| {
            let levels = self.load.levels();
            levels.lasts().unwrap_or_else(|| levels.staged() + DEFAULT_RUN_TIME)
        })
    }

    /// How many users there are at most.
    pub(crate) fn pool(&self) -> usize {
        match &self.load {
            Load::Users(levels) => users(levels.highest()),
            Load::Rate { max_users, .. } => *max_users,
        }
    }

    /// Checks every rule in one place; of the outside world only whether a report's folder exists.
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that cannot be.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |setting, value, expected, hint| Err(ConfigError { setting, value, expected, hint });
        self.service()?;
        self.validate_load()?;
        if self.run_time().is_zero() || self.run_time() > MAX_TIME {
            return refuse(
                "--run-time",
                humantime::format_duration(self.run_time()).to_string(),
                "more than 0s, at most 24h",
                "60s is the default",
            );
        }
        if self.ramp_up > MAX_TIME {
            return refuse(
                "--ramp-up",
                humantime::format_duration(self.ramp_up).to_string(),
                "0s to 24h",
                "2s is the default; measuring begins when the last user has started",
            );
        }
        if self.timeout < Duration::from_millis(1) || self.timeout > MAX_TIME {
            return refuse(
                "--timeout",
                humantime::format_duration(self.timeout).to_string(),
                "1ms to 24h",
                "10s is the default",
            );
        }
        self.reports.iter().try_for_each(|path| validate_report(path))
    }

    fn validate_load(&self) -> Result<(), ConfigError> {
        let refuse =
            |setting, value: String, expected, hint| Err(ConfigError { setting, value, expected, hint });
        match &self.load {
            Load::Users(levels) => {
                let highest = levels.highest();
                if highest < 0.5 || users(highest) > MAX_USERS {
                    return refuse(
                        "--users",
                        format!("`{levels}`"),
                        "1 to 100000",
                        "50 users who pause 2 s make about 25 requests per second",
                    );
                }
            }
            Load::Rate { levels, max_users, .. } => {
                let kinds = self.scenario.user_types().len();
                if levels.highest() <= 0.0 {
                    return refuse(
                        "--rate",
                        format!("`{levels}`"),
                        "more than 0 requests per second",
                        "50, 10..200/5m and 50/1m,400/30s,50/1m are examples",
                    );
                }
                if !(kinds..=MAX_USERS).contains(max_users) {
                    return refuse(
                        "--max-users",
                        max_users.to_string(),
                        "at least one for each kind of user, at most 100000",
                        "a rate needs users to send: rate × response time in seconds are busy on average",
                    );
                }
            }
        }
        Ok(())
    }

    /// The service under load.
    pub(crate) fn service(&self) -> Result<ServiceUrl, ConfigError> {
        ServiceUrl::parse(&self.host).map_err(|error| ConfigError {
            setting: "--host",
            value: error.value,
            expected: error.expected,
            hint: error.hint,
        })
    }
}

/// Checks that a report's format is known and its folder exists.
fn validate_report(path: &Path) -> Result<(), ConfigError> {
    let refuse = |expected, hint| {
        Err(ConfigError { setting: "--report", value: format!("`{}`", path.display()), expected, hint })
    };
    if Format::of(path).is_none() {
        return refuse(
            "a file that ends in .html, .json, .csv or .md",
            "the ending chooses the format; --report may be given several times",
        );
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        return refuse("a file in a folder that exists", "create the folder first");
    }
    Ok(())
}

/// A level as a number of users.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "not negative, and saturates")]
pub(crate) fn users(level: f64) -> usize {
    level.round() as usize
}

#[cfg(test)]
mod tests;
