//! What is simulated: the service, the load on it, the gateway before it, and how it is measured.

use std::num::NonZero;
use std::time::Duration;

use workload::{Arrivals, Shape};

use crate::service::ServiceModel;

/// Everything that a run depends on besides its policy and its seed.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// For how long requests arrive; above 0, at most some 31 years.
    pub duration: Duration,
    /// One replica of the service.
    pub service: Service,
    /// The load.
    pub workload: Workload,
    /// What counts as good.
    pub slo: SloTarget,
    /// The way from a replica to the policy.
    pub signals: SignalPath,
    /// How many replicas there are and may be.
    pub replicas: ReplicaRange,
    /// The gateway's patience.
    pub gateway: GatewayModel,
    /// Replicas that die, in any order.
    pub faults: Vec<Fault>,
}

/// One replica.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// Requests that are worked on at the same time.
    pub workers: NonZero<u32>,
    /// How long each is worked on.
    pub service_time: ServiceModel,
    /// Requests that may wait.
    pub queue_capacity: usize,
    /// From the order to start a replica until it would answer its first probe.
    pub start_up: ServiceModel,
}

/// The load: a shape whose level is multiplied by a base rate.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// The level over time; 0 after a trace has ended.
    pub shape: Shape,
    /// Requests per second at level 1.
    pub base_rate_per_second: f64,
    /// How arrivals follow one another.
    pub arrivals: Arrivals,
}

impl Workload {
    /// The rate at a time of the run, in requests per second.
    pub fn rate_at(&self, at: Duration) -> f64 {
        self.shape.level_at(at) * self.base_rate_per_second
    }
}

/// The objective: a share of the served requests within a time, and a share of unserved ones that is not exceeded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SloTarget {
    /// The share of served requests that must be within `response_time`: 0.95 for a p95.
    pub quantile: f64,
    /// The response time that they must be within.
    pub response_time: Duration,
    /// The share of requests that may be refused or fail.
    pub errors: f64,
}

impl SloTarget {
    /// Whether an interval in which so many requests were served, served too slowly, and not served keeps it.
    pub(crate) fn holds(&self, served: u64, slow: u64, unserved: u64) -> bool {
        let is_quick = slow as f64 <= (1.0 - self.quantile) * served as f64;
        is_quick && unserved as f64 <= self.errors * (served + unserved) as f64
    }
}

/// How what happens in replicas reaches the policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignalPath {
    /// Time between two scrapes; above 0.
    pub scrape_interval: Duration,
    /// Time from a scrape until what it found can be used.
    pub delay: Duration,
    /// CPU cores that one busy worker uses.
    pub cpu_per_worker: f64,
}

/// Replicas at the beginning and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaRange {
    /// Ready when the run begins.
    pub initial: u32,
    /// No policy gets more.
    pub max: u32,
}

/// The gateway's rules that are not the balancer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GatewayModel {
    /// How long an attempt may take.
    pub attempt_timeout: Duration,
    /// Further attempts, each at another replica, after one that timed out or whose replica died.
    pub retries: u32,
    /// How long a replica that leaves may finish what it has.
    pub drain_limit: Duration,
}

impl GatewayModel {
    /// As the live gateway: 5 s an attempt, one retry, 30 s to drain.
    pub const DEFAULT: Self =
        Self { attempt_timeout: Duration::from_secs(5), retries: 1, drain_limit: Duration::from_secs(30) };
}

/// A replica dies, with all that it has, and its platform starts it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When.
    pub at: Duration,
    /// Which: counted from the oldest that is ready, from 0, beginning again after the newest.
    pub replica: u32,
}
