//! Whom, on what and how a baseline was measured.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::search::plan::{Rates, SearchPlan};
use crate::slo::Slo;

/// Whom it measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetDescription {
    /// Base URL of the service; none where the lab started replicas of its own.
    pub host: Option<String>,
    /// The scenario whose users sent the requests; none where single requests were sent.
    pub scenario: Option<ScenarioDescription>,
    /// The requests, with their weights: `1 GET /`; of a scenario, their names.
    pub requests: Vec<String>,
    /// The flags of the replicas that the lab started; none against a host.
    pub replica_flags: Vec<String>,
}

/// Which scenario was played.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScenarioDescription {
    /// The name of a shipped one, or the path of its file.
    pub name: String,
    /// Only the tasks and users with one of these tags were played; empty where all were.
    pub tags: Vec<String>,
}

impl fmt::Display for ScenarioDescription {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "scenario `{}`", self.name)?;
        if self.tags.is_empty() { Ok(()) } else { write!(formatter, " with tags {}", self.tags.join(", ")) }
    }
}

/// On what it was measured.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Operating system and its version.
    pub system: String,
    /// Kind of processor.
    pub machine: String,
    /// CPU cores that the generator may use.
    pub cores: usize,
}

/// How it was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// What had to be kept.
    pub slo: Slo,
    /// Load before the measured time of a level, in seconds.
    pub warm_up_seconds: f64,
    /// The measured time of a level, in seconds.
    pub hold_seconds: f64,
    /// The longest measured time of a level that did not settle, in seconds.
    pub longest_hold_seconds: f64,
    /// `poisson` or `constant`.
    pub arrivals: String,
    /// Connections that the generator might open; with a scenario, users of each kind.
    pub connections: usize,
    /// What 99 % of the sends might be late by, in seconds.
    pub lateness_seconds: f64,
    /// How long an answer might take, in seconds.
    pub timeout_seconds: f64,
    /// The rates that were listed; empty where they were searched.
    pub listed_rps: Vec<f64>,
    /// How narrow the bracket was to become; none where rates were listed.
    pub resolution: Option<f64>,
}

impl Settings {
    /// As a plan says, with what the plan does not know.
    pub fn new(plan: &SearchPlan, arrivals: &str, timeout_seconds: f64) -> Self {
        let (listed_rps, resolution) = match &plan.rates {
            Rates::Listed(rates) => (rates.clone(), None),
            Rates::Searched { resolution, .. } => (Vec::new(), Some(*resolution)),
        };
        Self {
            slo: plan.slo,
            warm_up_seconds: plan.warm_up.as_secs_f64(),
            hold_seconds: plan.hold.as_secs_f64(),
            longest_hold_seconds: plan.longest_hold.as_secs_f64(),
            arrivals: arrivals.to_owned(),
            connections: plan.allowance.connections,
            lateness_seconds: plan.allowance.lateness.as_secs_f64(),
            timeout_seconds,
            listed_rps,
            resolution,
        }
    }
}

/// Demand that the service made itself while it was measured.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyntheticDemand {
    /// Requests per second of the whole service before the first level.
    pub before_rps: f64,
    /// Requests per second of the whole service after the last level.
    pub after_rps: f64,
    /// Ready replicas among which it was shared.
    pub ready_replicas: u32,
    /// Whether the rates of this file come on top of it: capacity is then what was left for users.
    pub capacity_is_net_of_it: bool,
}
