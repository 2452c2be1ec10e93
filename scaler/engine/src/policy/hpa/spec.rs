//! What an autoscaler is told to do.

use alloc::vec::Vec;

use crate::policy::hpa::{Behavior, Metric};

/// The part of a `HorizontalPodAutoscaler` document that decides.
#[derive(Clone, Debug, PartialEq)]
pub struct HpaSpec {
    /// The fewest replicas. Kubernetes' default: 1.
    pub min_replicas: u32,
    /// The most replicas.
    pub max_replicas: u32,
    /// Windows, rates and tolerances; none follows the older rules.
    pub behavior: Option<Behavior>,
    /// The metrics. The API server replaces an empty list by [`Metric::DEFAULT`]; a pass over an empty list is an
    /// error.
    pub metrics: Vec<Metric>,
}

impl HpaSpec {
    /// Whether some metric needs no pods, and so can bring the target back from zero replicas.
    pub fn can_leave_zero(&self) -> bool {
        self.metrics.iter().any(|metric| metric.source.is_independent_of_pods())
    }
}
