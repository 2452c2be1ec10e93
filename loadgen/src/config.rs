//! Who loads what for how long, checked as a whole before anything starts.

use std::path::PathBuf;
use std::time::Duration;

use goose::goose::get_base_url;

use crate::metrics::LoadMetrics;
use crate::report;
use crate::scenario::Scenario;
use crate::threshold::Threshold;

/// Most users of one run; each is a task with its own state.
const MAX_USERS: usize = 100_000;

/// Longest run, ramp-up or request.
const MAX_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// The settings of one run.
#[derive(Clone, Debug)]
pub struct LoadConfig {
    /// Base URL of the service: scheme, host and port. Default `http://127.0.0.1:8000`, the gateway.
    pub host: String,
    /// How many users act at the same time, 1 to 100,000. Default 10.
    pub users: usize,
    /// How long to measure once all users have started, more than 0 and at most 24 h. Default 60 s.
    pub run_time: Duration,
    /// Over how long the users start, evenly, 0 to 24 h. Default 2 s, the mean pause of the built-in users, so that
    /// they do not act in step.
    pub ramp_up: Duration,
    /// What the users do. Default: both built-in user types.
    pub scenario: Scenario,
    /// Files to write at the end, in the format that the ending names: html, json, md (by Goose) or csv.
    pub reports: Vec<PathBuf>,
    /// What must hold of the result.
    pub thresholds: Vec<Threshold>,
    /// Decides what each user does in which order; pauses are drawn by Goose and are not repeated. Default 1.
    pub seed: u64,
    /// How long a request may take before it counts as timed out, 1 ms to 24 h. Default 10 s.
    pub timeout: Duration,
    /// Where the run counts what it does, for whoever serves it. Default: its own, which nobody reads.
    pub metrics: LoadMetrics,
}

impl Default for LoadConfig {
    fn default() -> Self {
        Self {
            host: "http://127.0.0.1:8000".to_owned(),
            users: 10,
            run_time: Duration::from_secs(60),
            ramp_up: Duration::from_secs(2),
            scenario: Scenario::default(),
            reports: Vec::new(),
            thresholds: Vec::new(),
            seed: 1,
            timeout: Duration::from_secs(10),
            metrics: LoadMetrics::default(),
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

impl LoadConfig {
    /// Checks every rule in one place; of the outside world only whether a report's folder exists.
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that cannot be.
    pub fn validate(&self) -> Result<(), ConfigError> {
        let refuse = |setting, value, expected, hint| Err(ConfigError { setting, value, expected, hint });
        self.validate_host()?;
        if !(1..=MAX_USERS).contains(&self.users) {
            return refuse(
                "--users",
                self.users.to_string(),
                "1 to 100000",
                "50 users who pause 2 s make about 25 requests per second",
            );
        }
        if self.run_time.is_zero() || self.run_time > MAX_TIME {
            return refuse(
                "--run-time",
                humantime::format_duration(self.run_time).to_string(),
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
        self.reports.iter().try_for_each(|path| report::validate(path))
    }

    fn validate_host(&self) -> Result<(), ConfigError> {
        let refuse = |hint| {
            Err(ConfigError {
                setting: "--host",
                value: format!("`{}`", self.host),
                expected: "a URL such as http://127.0.0.1:8000",
                hint,
            })
        };
        let Ok(url) = get_base_url(Some(self.host.clone()), None, None) else {
            return refuse("a URL begins with http:// or https://");
        };
        if !matches!(url.scheme(), "http" | "https") {
            return refuse("only http:// and https:// can be loaded");
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return refuse("leave away what follows the port: the scenario chooses the paths");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::LoadConfig;

    #[test]
    fn the_defaults_are_valid() {
        assert_eq!(LoadConfig::default().validate(), Ok(()));
    }

    #[test]
    fn hosts_of_every_kind_are_taken() {
        for host in ["http://localhost:8000", "http://[::1]:8000/", "https://shop.example"] {
            let config = LoadConfig { host: host.to_owned(), ..LoadConfig::default() };
            assert_eq!(config.validate(), Ok(()), "{host}");
        }
    }

    #[test]
    fn each_setting_that_cannot_be_is_named_with_its_value() {
        let default = LoadConfig::default;
        let day_and_more = Duration::from_secs(24 * 60 * 60 + 1);
        for (config, setting, value) in [
            (LoadConfig { host: "localhost:8000".to_owned(), ..default() }, "--host", "localhost:8000"),
            (LoadConfig { host: String::new(), ..default() }, "--host", "``"),
            (LoadConfig { host: "ftp://localhost".to_owned(), ..default() }, "--host", "ftp://"),
            (LoadConfig { host: "http://localhost/shop".to_owned(), ..default() }, "--host", "/shop"),
            (LoadConfig { users: 0, ..default() }, "--users", "0"),
            (LoadConfig { users: 100_001, ..default() }, "--users", "100001"),
            (LoadConfig { run_time: Duration::ZERO, ..default() }, "--run-time", "0s"),
            (LoadConfig { run_time: day_and_more, ..default() }, "--run-time", "1day 1s"),
            (LoadConfig { ramp_up: day_and_more, ..default() }, "--ramp-up", "1day 1s"),
            (LoadConfig { timeout: Duration::ZERO, ..default() }, "--timeout", "0s"),
            (LoadConfig { reports: vec![PathBuf::from("load.pdf")], ..default() }, "--report", "load.pdf"),
            (LoadConfig { reports: vec![PathBuf::from("load")], ..default() }, "--report", "`load`"),
            (
                LoadConfig { reports: vec![PathBuf::from("no/such/folder/load.html")], ..default() },
                "--report",
                "no/such/folder",
            ),
        ] {
            let error = config.validate().expect_err(setting);
            assert_eq!(error.setting, setting, "{error}");
            assert!(error.to_string().contains(value), "`{value}` is missing: {error}");
        }
    }
}
