//! The building blocks of inputs, and what they are in the engine.

use std::time::Duration;

use scaler_engine::Age;
use scaler_engine::hpa::{
    Container, ContainerUsage, InitContainer, Metric, MetricAnswer, MetricSource, MetricTarget, Pod,
    PodPhase, PodUsage, PodValue, Recommendation, Requests, Resource, Sample, ScaleEvent, ScalingChange,
    ScalingPolicy, ScalingRules, SelectPolicy,
};
use serde::Deserialize;

use crate::instants::{aged, span};

#[derive(Debug, Deserialize)]
pub(crate) struct PodInput {
    name: String,
    #[serde(default)]
    phase: Option<String>,
    #[serde(default)]
    ready: Option<bool>,
    #[serde(default)]
    deleting: bool,
    #[serde(default)]
    start_age_s: Option<f64>,
    #[serde(default)]
    ready_transition_age_s: Option<f64>,
    #[serde(default)]
    containers: Vec<ContainerInput>,
    #[serde(default)]
    init_containers: Vec<ContainerInput>,
    #[serde(default)]
    pod_level_request_milli: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct ContainerInput {
    name: String,
    #[serde(default)]
    restartable: bool,
    #[serde(default)]
    request_milli: Option<i64>,
}

impl PodInput {
    /// The pod; its requests are the same for each of the resources in use.
    pub(crate) fn to_pod(&self, resources: &[Resource]) -> Result<Pod, String> {
        let requests = |milli: Option<i64>| -> Requests {
            resources.iter().cloned().filter_map(|resource| Some((resource, milli?))).collect()
        };
        let container = |input: &ContainerInput| Container {
            name: input.name.clone(),
            requests: requests(input.request_milli),
        };
        let phase = match self.phase.as_deref() {
            Some("Pending") => PodPhase::Pending,
            Some("Running") | None => PodPhase::Running,
            Some("Succeeded") => PodPhase::Succeeded,
            Some("Failed") => PodPhase::Failed,
            Some("Unknown") => PodPhase::Unknown,
            Some(other) => return Err(format!("unknown phase `{other}`")),
        };
        Ok(Pod {
            name: self.name.clone(),
            phase,
            ready: self.ready,
            deleting: self.deleting,
            start_age: self.start_age_s.map(Age::from_seconds),
            ready_transition_age: self.ready_transition_age_s.map(Age::from_seconds),
            containers: self.containers.iter().map(container).collect(),
            init_containers: self
                .init_containers
                .iter()
                .map(|init| InitContainer { container: container(init), restartable: init.restartable })
                .collect(),
            pod_level_requests: requests(self.pod_level_request_milli),
        })
    }
}

/// All pods of an input.
pub(crate) fn to_pods(inputs: &[PodInput], resources: &[Resource]) -> Result<Vec<Pod>, String> {
    inputs.iter().map(|input| input.to_pod(resources)).collect()
}

#[derive(Debug, Deserialize)]
pub(crate) struct SampleInput {
    pub(crate) pod: String,
    age_s: f64,
    window_s: f64,
    #[serde(default)]
    containers: Option<Vec<UsageInput>>,
    #[serde(default)]
    value_milli: Option<i64>,
}

#[derive(Debug, Deserialize)]
struct UsageInput {
    name: String,
    #[serde(default)]
    usage_milli: Option<i64>,
}

impl SampleInput {
    /// The sample where only one value per pod is given.
    pub(crate) fn to_sample(&self) -> Sample {
        Sample {
            age: Age::from_seconds(self.age_s),
            window: span(self.window_s),
            value_milli: self.value_milli.unwrap_or(0),
        }
    }

    fn to_usage(&self) -> PodUsage {
        let only = || vec![ContainerUsage { name: String::new(), usage_milli: self.value_milli }];
        let containers = self.containers.as_ref().map_or_else(only, |containers| {
            let usage = |input: &UsageInput| ContainerUsage {
                name: input.name.clone(),
                usage_milli: input.usage_milli,
            };
            containers.iter().map(usage).collect()
        });
        PodUsage {
            pod: self.pod.clone(),
            age: Age::from_seconds(self.age_s),
            window: span(self.window_s),
            containers,
        }
    }

    fn to_value(&self) -> PodValue {
        let Sample { age, window, value_milli } = self.to_sample();
        PodValue { pod: self.pod.clone(), age, window, value_milli }
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct MetricInput {
    source: String,
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    container: Option<String>,
    #[serde(default)]
    target: Option<TargetInput>,
    #[serde(default)]
    data: Option<DataInput>,
}

#[derive(Debug, Deserialize)]
struct TargetInput {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    percent: Option<i32>,
    #[serde(default)]
    milli: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
struct DataInput {
    #[serde(default)]
    samples: Option<Vec<SampleInput>>,
    #[serde(default)]
    value_milli: Option<i64>,
    #[serde(default)]
    values_milli: Option<Vec<i64>>,
    #[serde(default)]
    fetch_error: Option<String>,
}

impl MetricInput {
    pub(crate) fn resource(&self) -> Resource {
        Resource::named(self.resource.as_deref().unwrap_or("cpu"))
    }

    pub(crate) fn to_metric(&self) -> Metric {
        let name = || "metric".to_owned();
        let source = match self.source.as_str() {
            "Resource" => MetricSource::Resource(self.resource()),
            "ContainerResource" => MetricSource::ContainerResource {
                resource: self.resource(),
                container: self.container.clone().unwrap_or_default(),
            },
            "Pods" => MetricSource::Pods(name().into()),
            "Object" => MetricSource::Object(name().into()),
            "External" => MetricSource::External(name().into()),
            other => MetricSource::Unknown(other.to_owned()),
        };
        Metric { source, target: self.target.as_ref().and_then(TargetInput::to_target) }
    }

    pub(crate) fn to_answer(&self) -> MetricAnswer {
        let Some(data) = &self.data else { return MetricAnswer::Failed("no data".to_owned()) };
        if let Some(error) = &data.fetch_error {
            return MetricAnswer::Failed(error.clone());
        }
        match (&data.samples, data.value_milli, &data.values_milli) {
            (Some(samples), ..) if self.source == "Pods" => {
                MetricAnswer::Pods(samples.iter().map(SampleInput::to_value).collect())
            }
            (Some(samples), ..) => {
                MetricAnswer::Resource(samples.iter().map(SampleInput::to_usage).collect())
            }
            (None, _, Some(values)) => MetricAnswer::External(values.clone()),
            (None, Some(value), None) => MetricAnswer::Object(value),
            (None, None, None) => MetricAnswer::Failed("no data".to_owned()),
        }
    }
}

impl TargetInput {
    fn to_target(&self) -> Option<MetricTarget> {
        match self.kind.as_str() {
            "Utilization" => Some(MetricTarget::Utilization { percent: self.percent? }),
            "AverageValue" => Some(MetricTarget::AverageValue { milli: self.milli? }),
            "Value" => Some(MetricTarget::Value { milli: self.milli? }),
            _ => None,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
pub(crate) struct RulesInput {
    #[serde(default)]
    policies: Option<Vec<PolicyInput>>,
    #[serde(default)]
    select_policy: Option<SelectPolicy>,
    #[serde(default)]
    stabilization_window_s: Option<f64>,
    #[serde(default)]
    tolerance: Option<f64>,
}

#[derive(Debug, Deserialize)]
struct PolicyInput {
    #[serde(rename = "type")]
    kind: PolicyKind,
    value: i32,
    period_s: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum PolicyKind {
    Pods,
    Percent,
}

impl RulesInput {
    pub(crate) fn to_rules(&self) -> ScalingRules {
        let policy = |input: &PolicyInput| ScalingPolicy {
            change: match input.kind {
                PolicyKind::Pods => ScalingChange::Pods(input.value),
                PolicyKind::Percent => ScalingChange::Percent(input.value),
            },
            period: span(input.period_s),
        };
        ScalingRules {
            policies: self.policies.as_ref().map(|policies| policies.iter().map(policy).collect()),
            select_policy: self.select_policy,
            stabilization_window: self.stabilization_window_s.map(span),
            tolerance: self.tolerance,
        }
    }
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct EventInput {
    change: u32,
    age_s: f64,
    #[serde(default)]
    outdated: bool,
}

/// All events of an input.
pub(crate) fn to_events(inputs: &[EventInput]) -> Vec<ScaleEvent> {
    let event = |input: &EventInput| ScaleEvent {
        change: input.change,
        at: aged(input.age_s),
        outdated: input.outdated,
    };
    inputs.iter().map(event).collect()
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct HistoryInput {
    replicas: u32,
    age_s: f64,
}

/// All recommendations of an input.
pub(crate) fn to_history(inputs: &[HistoryInput]) -> Vec<Recommendation> {
    inputs.iter().map(|input| Recommendation { replicas: input.replicas, at: aged(input.age_s) }).collect()
}

/// A direction of scaling.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DirectionInput {
    Up,
    Down,
}

/// Whole seconds of a window where there are only such.
pub(crate) fn seconds(window: Duration) -> f64 {
    window.as_secs_f64()
}
