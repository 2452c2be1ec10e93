//! Explains in words what a policy would do next, and why, by letting the followed system decide on assumed values.
//!
//! Nothing is asked of a cluster: what a metric would be follows from an assumed load, or is given. Everything that is
//! assumed is told.

mod assume;
mod chain;
mod hpa;
mod keda;
mod knative;
mod own;
mod rules;
mod words;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use scaler_engine::hpa::ControllerSettings;

use crate::manifest::{Document, Manifest};
use crate::subject::Subject;

pub use chain::{Chain, Step};
pub use own::explain_own;

/// What is assumed about the service and its surroundings.
pub struct Assumptions<'a> {
    /// The service at a number of replicas; not asked for 0.
    pub service: &'a dyn Fn(u32) -> ServiceState,
    /// Replicas there are.
    pub replicas: u32,
    /// CPU that a pod requests where no Deployment says it, in thousandths of a core.
    pub cpu_request_milli: i64,
    /// Memory that a pod requests where no Deployment says it, in thousandths of a byte.
    pub memory_request_milli: i64,
    /// Values of metrics by name, per pod for Pods metrics and in total for others.
    pub values: BTreeMap<String, f64>,
    /// The instant at which schedules are looked at; none is outside every window.
    pub at: Option<Timestamp>,
    /// Partitions of a topic; none is enough for all consumers.
    pub partitions: Option<u32>,
    /// The settings of the controller manager.
    pub controller: ControllerSettings,
}

impl fmt::Debug for Assumptions<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Assumptions").field("replicas", &self.replicas).finish_non_exhaustive()
    }
}

/// A service at a number of replicas.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ServiceState {
    /// The replicas that it is asked about.
    pub replicas: u32,
    /// Requests per second of the whole service.
    pub load_rps: f64,
    /// Mean response time in seconds.
    pub response_time_seconds: f64,
    /// Busy workers ÷ workers.
    pub utilization: f64,
    /// Requests that are refused, of the whole service.
    pub refused_per_second: f64,
    /// Requests that wait at one replica.
    pub waiting_per_replica: f64,
    /// CPU that one replica uses, in thousandths of a core.
    pub cpu_milli: i64,
    /// Memory that one replica uses, in thousandths of a byte.
    pub memory_milli: i64,
}

impl ServiceState {
    /// Requests that are worked on or wait, of the whole service.
    pub fn in_flight(&self) -> f64 {
        self.load_rps * self.response_time_seconds
    }
}

/// What a policy would do next, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The kind of the document.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Replicas there are.
    pub current: u32,
    /// Replicas it would ask for at its next look.
    pub desired: u32,
    /// Why, in one sentence.
    pub reason: String,
    /// What kept it from what its metrics ask for.
    pub limited_by: Option<String>,
    /// What it follows, in words.
    pub rules: Vec<String>,
    /// Each metric with its part of the calculation.
    pub metrics: Vec<ExplainedMetric>,
    /// The calculation, step by step.
    pub steps: Vec<String>,
    /// What comes after, as long as the load stays as it is.
    pub chain: Chain,
    /// What was assumed.
    pub assumed: Vec<String>,
}

/// A metric in an explanation.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExplainedMetric {
    /// Its name.
    pub name: String,
    /// Where it comes from, as the document names it.
    pub source: String,
    /// Its value, in the unit of its target.
    pub value: Option<f64>,
    /// Its target.
    pub target: f64,
    /// What the target is compared with.
    pub target_type: &'static str,
    /// Value ÷ target.
    pub ratio: Option<f64>,
    /// Replicas that it asks for.
    pub proposed: Option<i64>,
    /// The calculation.
    pub words: String,
    /// Why it asks for nothing.
    pub error: Option<String>,
}

/// Explains each document of a manifest that decides. Policies of the lab's own are not among them.
pub fn explain(manifest: &Manifest, assumptions: &Assumptions<'_>) -> Vec<Explanation> {
    let manifests = [manifest];
    manifest
        .documents
        .iter()
        .filter_map(|document| match document {
            Document::Hpa(_) => Some(hpa::explain(&Subject::of(document, &manifests)?, assumptions)),
            Document::ScaledObject(object) => {
                Some(keda::explain(object, &Subject::of(document, &manifests)?, assumptions))
            }
            Document::Knative(service) => Some(knative::explain(service, assumptions)),
            _ => None,
        })
        .collect()
}

/// How far into the future an explanation looks.
const HORIZON: Duration = Duration::from_secs(7_200);
