//! The physics of a replica, for `lab webapp` and for the replicas of `lab up`.

use std::time::Duration;

use clap::Args;
use webapp::{Role, WebappConfig};
use workload::ServiceTimeDistribution;

use super::values::duration;

/// What a replica can do, and what it is asked to.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Physics of a replica")]
pub(crate) struct PhysicsArguments {
    /// Requests served at the same time; with the mean service time this is the capacity: 4 / 50ms = 80 per second
    #[arg(long, value_name = "N", default_value_t = 4)]
    workers: u32,
    /// Mean service time
    #[arg(long, value_name = "DURATION", default_value = "50ms", value_parser = duration)]
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

    /// Whether synthetic demand was asked for.
    pub(crate) fn has_base_rps(&self) -> bool {
        self.base_rps.is_some()
    }

    /// Synthetic demand that was asked for, in requests per second; 0 where none was.
    pub(crate) fn demand_rps(&self) -> f64 {
        self.base_rps.unwrap_or(0.0)
    }

    /// The same physics as flags of `lab webapp`.
    pub(crate) fn flags(&self) -> Vec<String> {
        let mut flags: Vec<String> = [
            ("--workers", self.workers.to_string()),
            ("--service-time", humantime::format_duration(self.service_time).to_string().replace(' ', "")),
            ("--service-distribution", self.service_distribution.to_string()),
            ("--service-cv", self.service_cv.to_string()),
            ("--queue", self.queue.to_string()),
            ("--cpu-share", self.cpu_share.to_string()),
            ("--load-factor", self.load_factor.to_string()),
            ("--dependency-pool", self.dependency_pool.to_string()),
            ("--seed", self.seed.to_string()),
        ]
        .into_iter()
        .flat_map(|(flag, value)| [flag.to_owned(), value])
        .collect();
        if let Some(base_rps) = self.base_rps {
            flags.extend(["--base-rps".to_owned(), base_rps.to_string()]);
        }
        flags
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
    fn flags_carry_every_setting_over() {
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
        let flags = std::iter::once("webapp".to_owned()).chain(physics.flags());
        let again = Wrapper::try_parse_from(flags).unwrap().physics;
        let (before, after) = (physics.config(Role::Webapp), again.config(Role::Webapp));
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
        assert_eq!(before.workers, 3, "the given value was not taken");
    }
}
