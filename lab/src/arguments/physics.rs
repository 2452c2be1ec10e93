//! The physics of a replica, for `lab webapp` and for the replicas of `lab up`.

use std::time::Duration;

use clap::Args;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use webapp::{Role, WebappConfig};
use workload::ServiceTimeDistribution;

use super::defaults;
use super::values::duration;

/// What a replica can do, and what it is asked to.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[command(next_help_heading = "Physics of a replica")]
pub(crate) struct PhysicsArguments {
    /// Requests served at the same time; with the mean service time this is the capacity: 4 / 50ms = 80 per second
    #[arg(long, value_name = "N", default_value_t = 4)]
    workers: u32,
    /// Mean service time
    #[arg(long, value_name = "DURATION", default_value = "50ms", value_parser = duration)]
    #[serde(with = "super::duration_text")]
    service_time: Duration,
    /// Shape of the service times: lognormal, exponential, constant or bimodal
    #[arg(long, value_name = "NAME", default_value_t = ServiceTimeDistribution::Lognormal)]
    service_distribution: ServiceTimeDistribution,
    /// Coefficient of variation of the service times, for lognormal and bimodal
    #[arg(long, value_name = "NUMBER", default_value_t = 0.5)]
    service_cv: f64,
    /// Requests that may wait; further ones get 503 with Retry-After
    #[arg(long, value_name = "N", default_value_t = 100)]
    queue: usize,
    /// Share of the service time that is burned as CPU time instead of being waited out, 0 to 1
    #[arg(long, value_name = "FRACTION", default_value_t = 0.0)]
    cpu_share: f64,
    /// Synthetic demand of the whole service at load factor 1, in requests per second [default: 40, for a
    /// dependency 0]
    #[arg(long, value_name = "RATE")]
    base_rps: Option<f64>,
    /// Load factor at the start
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0)]
    load_factor: f64,
    /// Connections to the dependency
    #[arg(long, value_name = "N", default_value_t = 8)]
    dependency_pool: u32,
    /// Seed of the random streams; each replica derives its own from it and its id
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    seed: u64,
}

impl PhysicsArguments {
    /// A configuration with these physics and everything else at its default.
    pub(crate) fn config(&self, role: Role) -> WebappConfig {
        WebappConfig {
            role,
            workers: self.workers,
            service_time: self.service_time,
            service_distribution: self.service_distribution,
            service_cv: self.service_cv,
            queue: self.queue,
            cpu_share: self.cpu_share,
            base_rps: self.base_rps.unwrap_or(role.default_base_rps()),
            load_factor: self.load_factor,
            dependency_pool: self.dependency_pool,
            seed: self.seed,
            ..WebappConfig::default()
        }
    }

    /// The seed that was given, or its default.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Synthetic demand that was asked for, in requests per second; 0 where none was.
    pub(crate) fn demand_rps(&self) -> f64 {
        self.base_rps.unwrap_or(0.0)
    }

    /// The same physics without synthetic demand, unless some was asked for.
    pub(crate) fn with_demand_only_if_asked_for(&self) -> Self {
        Self { base_rps: Some(self.demand_rps()), ..self.clone() }
    }

    /// The physics of a dependency: 400 requests per second, twice what a spike needs, and through pools of 8 connections
    /// for each replica it can be saturated by many replicas.
    pub(crate) fn of_a_dependency() -> Self {
        Self { workers: 8, service_time: Duration::from_millis(20), ..defaults() }
    }

    /// The flags of `lab webapp` that bring these physics about, for people who want to do it again.
    pub(crate) fn flags(&self) -> Vec<String> {
        let Ok(Value::Object(settings)) = serde_json::to_value(self) else { return Vec::new() };
        let given = settings.into_iter().filter(|(_, value)| !value.is_null());
        let text = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        given.flat_map(|(name, value)| [format!("--{name}"), text(value)]).collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use webapp::Role;

    use super::PhysicsArguments;

    #[derive(Debug, Parser)]
    struct Wrapper {
        #[command(flatten)]
        physics: PhysicsArguments,
    }

    #[test]
    fn flags_and_documents_carry_every_setting_over() {
        let given = [
            "webapp",
            "--workers=3",
            "--service-time=1m 2s 30ms",
            "--service-distribution=bimodal",
            "--service-cv=0.7",
            "--queue=7",
            "--cpu-share=0.25",
            "--base-rps=12.5",
            "--load-factor=2.5",
            "--dependency-pool=5",
            "--seed=99",
        ];
        let physics = Wrapper::try_parse_from(given).unwrap().physics;
        let before = physics.config(Role::Webapp);
        assert_eq!(before.workers, 3, "the given value was not taken");
        let flags = std::iter::once("webapp".to_owned()).chain(physics.flags());
        let from_flags = Wrapper::try_parse_from(flags).unwrap().physics;
        let document = serde_json::to_string(&physics).unwrap();
        let from_document: PhysicsArguments = serde_json::from_str(&document).unwrap();
        for again in [from_flags, from_document] {
            assert_eq!(format!("{before:?}"), format!("{:?}", again.config(Role::Webapp)));
        }
    }
}
