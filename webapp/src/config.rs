//! What a replica is made of, checked as a whole before anything starts.

use std::num::NonZeroU32;
use std::time::Duration;

use observability::http::replica_id::{ID_EXPECTED, is_id};
use serde::{Deserialize, Serialize};
use workload::{ServiceTime, ServiceTimeDistribution};

use crate::load::{MAX_LOAD_FACTOR, check_factor};

/// Most workers a replica may have.
const MAX_WORKERS: u32 = 10_000;

/// Longest queue a replica may have; each place costs memory.
const MAX_QUEUE: usize = 1_000_000;

/// Highest synthetic demand at load factor 1; requests per second.
const MAX_BASE_RPS: f64 = 10_000.0;

/// Longest that an unready replica may keep serving before it stops.
const MAX_DRAIN_WAIT: Duration = Duration::from_secs(20);

/// What a webapp stands for in the lab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The service that is scaled.
    #[default]
    Webapp,
    /// A dependency of the service.
    Database,
    /// A dependency outside the team's hands.
    ExternalApi,
}

impl Role {
    /// The name in flags, labels and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Webapp => "webapp",
            Self::Database => "database",
            Self::ExternalApi => "external-api",
        }
    }

    /// Synthetic demand at load factor 1 where none is given: a dependency has only the demand that its callers
    /// make.
    pub fn default_base_rps(self) -> f64 {
        match self {
            Self::Webapp => 40.0,
            Self::Database | Self::ExternalApi => 0.0,
        }
    }
}

impl std::str::FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        [Self::Webapp, Self::Database, Self::ExternalApi]
            .into_iter()
            .find(|role| role.name() == text)
            .ok_or_else(|| format!("role `{text}` is unknown, expected webapp, database or external-api"))
    }
}

impl std::fmt::Display for Role {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The settings of one replica.
#[derive(Clone, Debug)]
pub struct WebappConfig {
    /// Where to listen, as `host:port`; port 0 lets the system choose. Default `127.0.0.1:0`.
    pub listen: String,
    /// Unique among the replicas of the service, 1 to 128 visible ASCII characters: it names the replica in `/ready`, and
    /// breaks ties between changes of the load factor.
    pub id: String,
    /// Names with a dot under which load, faults and peers may be changed; addresses and names without a dot always may.
    /// Default none.
    pub allowed_hosts: Vec<String>,
    /// What this process stands for. Default: the service itself.
    pub role: Role,
    /// Requests that are served at the same time, 1 to 10,000. Default 4.
    pub workers: u32,
    /// Mean service time, 0 to 1 h. Default 50 ms.
    pub service_time: Duration,
    /// Shape of the service times. Default lognormal.
    pub service_distribution: ServiceTimeDistribution,
    /// Coefficient of variation of the service times, where their shape leaves it open. Default 0.5.
    pub service_cv: f64,
    /// Requests that may wait for a worker, up to 1,000,000. Default 100.
    pub queue: usize,
    /// Share of the service time that is burned as CPU time instead of being waited out, 0 to 1. Default 0.
    pub cpu_share: f64,
    /// Synthetic demand of the whole service at load factor 1, in requests per second, 0 to 10,000. Default 40.
    pub base_rps: f64,
    /// Load factor at the start, unless peers know better, 0 to 1000. Default 1.
    pub load_factor: f64,
    /// Base URLs of other replicas.
    pub peers: Vec<String>,
    /// A name whose addresses are the replicas, looked up each second: host name and port.
    pub discover: Option<(String, u16)>,
    /// The URL at which peers reach this replica; where none is given, the address it listens on, or if
    /// that is every address, the one from which it would reach its peers.
    pub advertise: Option<String>,
    /// Base URL of the service that each request needs.
    pub dependency: Option<String>,
    /// Connections to the dependency, 1 to 10,000. Default 8.
    pub dependency_pool: u32,
    /// How long an unready replica keeps serving before it stops, so that a gateway can notice. Default 2 s.
    pub drain_wait: Duration,
    /// Seed of the random streams; the same seed draws the same service times in the same order.
    pub seed: u64,
}

impl Default for WebappConfig {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:0".to_owned(),
            id: "webapp-1".to_owned(),
            allowed_hosts: Vec::new(),
            role: Role::Webapp,
            workers: 4,
            service_time: Duration::from_millis(50),
            service_distribution: ServiceTimeDistribution::Lognormal,
            service_cv: 0.5,
            queue: 100,
            cpu_share: 0.0,
            base_rps: Role::Webapp.default_base_rps(),
            load_factor: 1.0,
            peers: Vec::new(),
            discover: None,
            advertise: None,
            dependency: None,
            dependency_pool: 8,
            drain_wait: Duration::from_secs(2),
            seed: 1,
        }
    }
}

/// A setting that cannot be.
#[derive(Debug, thiserror::Error)]
#[error("{setting} is {value}, expected {expected}; hint: {hint}")]
pub struct ConfigError {
    /// The setting, as its flag.
    pub setting: &'static str,
    /// What was given.
    pub value: String,
    /// What would do.
    pub expected: String,
    /// What to do next.
    pub hint: &'static str,
}

impl WebappConfig {
    /// Checks every rule in one place and draws up the service times.
    ///
    /// # Errors
    /// [`ConfigError`] for the first setting that cannot be.
    pub fn validate(&self) -> Result<ServiceTime, ConfigError> {
        let refuse = |setting, value: String, expected: &str, hint| {
            Err(ConfigError { setting, value, expected: expected.to_owned(), hint })
        };
        if !is_id(&self.id) {
            let shown: String = self.id.chars().take(80).flat_map(char::escape_debug).collect();
            return refuse("--id", format!("`{shown}`"), ID_EXPECTED, "such as webapp-1");
        }
        if NonZeroU32::new(self.workers).is_none() || self.workers > MAX_WORKERS {
            return refuse(
                "--workers",
                self.workers.to_string(),
                "1 to 10000",
                "a replica serves as many requests at the same time as it has workers",
            );
        }
        if self.queue > MAX_QUEUE {
            return refuse(
                "--queue",
                self.queue.to_string(),
                "0 to 1000000",
                "a queue that long answers minutes late; 100 is the default",
            );
        }
        if self.service_time > Duration::from_secs(3600) {
            return refuse(
                "--service-time",
                format!("{:?}", self.service_time),
                "0s to 1h",
                "the unit may be missing: 50ms",
            );
        }
        if !(0.0..=1.0).contains(&self.cpu_share) {
            return refuse(
                "--cpu-share",
                self.cpu_share.to_string(),
                "a fraction from 0 to 1",
                "write 0.6 for 60 percent",
            );
        }
        if !(0.0..=MAX_BASE_RPS).contains(&self.base_rps) {
            return refuse(
                "--base-rps",
                self.base_rps.to_string(),
                "0 to 10000 requests per second",
                "the load factor multiplies it",
            );
        }
        if check_factor(self.load_factor).is_err() {
            return refuse(
                "--load-factor",
                self.load_factor.to_string(),
                &format!("0 to {MAX_LOAD_FACTOR}"),
                "1 is the service at rest, 5 is a spike",
            );
        }
        if self.dependency_pool == 0 || self.dependency_pool > MAX_WORKERS {
            return refuse(
                "--dependency-pool",
                self.dependency_pool.to_string(),
                "1 to 10000 connections",
                "leave --dependency away for a service without one",
            );
        }
        if self.drain_wait > MAX_DRAIN_WAIT {
            return refuse(
                "--drain-wait",
                format!("{:?}", self.drain_wait),
                "0s to 20s",
                "a stop takes 30 s at most, and what is in flight needs the rest of it",
            );
        }
        for (setting, url) in self
            .peers
            .iter()
            .map(|url| ("--peers", url))
            .chain(self.dependency.iter().map(|url| ("--dependency", url)))
            .chain(self.advertise.iter().map(|url| ("--advertise", url)))
        {
            if !is_base_url(url) {
                return refuse(
                    setting,
                    format!("`{url}`"),
                    "a URL such as http://127.0.0.1:8000",
                    "scheme, host and port; several are separated by commas",
                );
            }
        }
        ServiceTime::new(self.service_distribution, self.service_time, self.service_cv).or_else(|error| {
            refuse("--service-cv", self.service_cv.to_string(), &error.to_string(), "0.5 is the default")
        })
    }
}

/// Whether paths may be appended to this URL to reach a replica.
pub(crate) fn is_base_url(url: &str) -> bool {
    url.parse::<http::Uri>().is_ok_and(|uri| {
        uri.scheme_str() == Some("http")
            && uri.host().is_some_and(|host| !host.is_empty())
            && uri.query().is_none()
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::WebappConfig;

    #[test]
    fn the_defaults_are_valid() {
        assert!(WebappConfig::default().validate().is_ok());
    }

    #[test]
    fn each_setting_that_cannot_be_is_named() {
        let default = WebappConfig::default;
        for (config, setting) in [
            (WebappConfig { id: String::new(), ..default() }, "--id"),
            (WebappConfig { id: "web\r\napp".to_owned(), ..default() }, "--id"),
            (WebappConfig { id: "x".repeat(129), ..default() }, "--id"),
            (WebappConfig { workers: 0, ..default() }, "--workers"),
            (WebappConfig { queue: usize::MAX, ..default() }, "--queue"),
            (WebappConfig { cpu_share: f64::NAN, ..default() }, "--cpu-share"),
            (WebappConfig { base_rps: -1.0, ..default() }, "--base-rps"),
            (WebappConfig { load_factor: f64::INFINITY, ..default() }, "--load-factor"),
            (WebappConfig { dependency_pool: 0, ..default() }, "--dependency-pool"),
            (WebappConfig { drain_wait: Duration::from_secs(30), ..default() }, "--drain-wait"),
            (WebappConfig { peers: vec!["localhost".to_owned()], ..default() }, "--peers"),
            (WebappConfig { dependency: Some("http://db:1/?x=1".to_owned()), ..default() }, "--dependency"),
            (WebappConfig { service_cv: -0.5, ..default() }, "--service-cv"),
        ] {
            let error = config.validate().expect_err(setting);
            assert_eq!(error.setting, setting, "{error}");
        }
    }
}
