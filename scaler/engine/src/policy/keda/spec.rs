//! What a `ScaledObject` tells both of its loops: counts, triggers, and how activation behaves.

use core::time::Duration;

use alloc::vec::Vec;

use crate::need::NamedMetric;
use crate::policy::CronWindow;
use crate::policy::hpa::Behavior;
use crate::policy::keda::{ActivationSettings, Fallback, POLLING_INTERVAL, ScaledObject, Trigger};

/// The part of a `ScaledObject` document that decides.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaledObjectSpec {
    /// `minReplicaCount`; none is 0.
    pub min_replicas: Option<u32>,
    /// `maxReplicaCount`; none is 100.
    pub max_replicas: Option<u32>,
    /// The triggers, in their order; those that are not supported are left out.
    pub triggers: Vec<PolledTrigger>,
    /// `advanced.horizontalPodAutoscalerConfig.behavior`.
    pub behavior: Option<Behavior>,
    /// What activation follows, annotations included. Its minimum is the one above.
    pub activation: ActivationSettings,
    /// `fallback`; its count is also the one of `activation`.
    pub fallback: Option<Fallback>,
    /// Time between two passes of activation. Default: 30 s.
    pub polling_interval: Duration,
    /// The count at which the annotation `paused-replicas` holds the target.
    pub paused_replicas: Option<u32>,
}

impl Default for ScaledObjectSpec {
    fn default() -> Self {
        Self {
            min_replicas: None,
            max_replicas: None,
            triggers: Vec::new(),
            behavior: None,
            activation: ActivationSettings::default(),
            fallback: None,
            polling_interval: POLLING_INTERVAL,
            paused_replicas: None,
        }
    }
}

impl ScaledObjectSpec {
    /// What the autoscaler is generated from.
    pub fn object(&self) -> ScaledObject {
        ScaledObject {
            min_replicas: self.min_replicas,
            max_replicas: self.max_replicas,
            idle_replicas: self.activation.idle_replicas,
            triggers: self.triggers.iter().map(|polled| polled.trigger.clone()).collect(),
            behavior: self.behavior.clone(),
        }
    }
}

/// A trigger with where its value comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct PolledTrigger {
    /// Its metric in the generated autoscaler.
    pub trigger: Trigger,
    /// Where the value comes from.
    pub source: TriggerSource,
    /// `useCachedMetrics`: the autoscaler is given the value of the last polling.
    pub uses_cached_metrics: bool,
}

/// Where the value of a trigger comes from.
#[expect(clippy::large_enum_variant, reason = "an object has a handful of triggers")]
#[derive(Clone, Debug, PartialEq)]
pub enum TriggerSource {
    /// `cpu` and `memory`, which the autoscaler alone evaluates.
    Resource,
    /// `cron`: the count inside the window, 1 outside.
    Cron {
        /// When it holds.
        window: CronWindow,
        /// `desiredReplicas`.
        desired_replicas: u32,
    },
    /// Any other: one value from outside the service.
    External {
        /// What is asked for. Of a `prometheus` trigger the name is its query, of which a metric's name is the simplest,
        /// with the labels `serverAddress` and `ignoreNullValues`; of a `metrics-api` trigger its URL, with the label `valueLocation`; of a `kafka` trigger `kafka_lag`, with
        /// the labels `group` and `topic`.
        metric: NamedMetric,
        /// The value above which, strictly, the trigger is active. Default: 0.
        activation: f64,
    },
}
