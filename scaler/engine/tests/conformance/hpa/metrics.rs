//! Vectors of single metrics: which pods count, what they request, what a metric proposes.

use std::collections::BTreeMap;

use scaler_engine::hpa::{self};
use scaler_engine::hpa::{
    ControllerSettings, Evaluation, MetricError, PodIndex, RequestsError, Resource, Samples, Tolerances,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::input::{MetricInput, PodInput, SampleInput, to_pods};
use crate::instants::span;

#[derive(Debug, Deserialize)]
pub(crate) struct ReplicaCountInput {
    current_replicas: u32,
    #[serde(default)]
    status_replicas: Option<u32>,
    tolerance: TolerancesInput,
    cpu_initialization_period_s: f64,
    initial_readiness_delay_s: f64,
    metric: MetricInput,
    #[serde(default)]
    pods: Vec<PodInput>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
struct TolerancesInput {
    up: f64,
    down: f64,
}

/// The delays that vectors name, and otherwise the defaults.
fn settings(cpu_initialization_period_s: f64, initial_readiness_delay_s: f64) -> ControllerSettings {
    ControllerSettings {
        cpu_initialization_period: span(cpu_initialization_period_s),
        initial_readiness_delay: span(initial_readiness_delay_s),
        ..ControllerSettings::default()
    }
}

pub(crate) fn replica_count(input: &ReplicaCountInput) -> Result<Value, String> {
    let settings = settings(input.cpu_initialization_period_s, input.initial_readiness_delay_s);
    let pods = to_pods(&input.pods, &[input.metric.resource()])?;
    let status = input.status_replicas.unwrap_or(input.current_replicas);
    let tolerances = Tolerances { up: input.tolerance.up, down: input.tolerance.down };
    let evaluation = Evaluation::new(&pods, input.current_replicas, status, &settings, tolerances);
    let proposal = hpa::propose(&input.metric.to_metric(), &input.metric.to_answer(), &evaluation);
    Ok(match proposal {
        Ok(proposal) => json!({
            "replicas": proposal.replicas,
            "utilization_percent": proposal.reported.utilization_percent,
            "average_usage_milli": proposal.reported.average_usage_milli,
            "usage_milli": proposal.reported.usage_milli,
        }),
        Err(error) => json!({ "error": error_name(&error), "message": error.to_string() }),
    })
}

/// The vectors' names of errors.
fn error_name(error: &MetricError) -> &'static str {
    match error {
        MetricError::Unavailable(_) => "metrics_unavailable",
        MetricError::NoKnownPods => "no_known_pods",
        MetricError::Requests(error) => requests_error_name(error),
        MetricError::NoPods => "no_pods",
        MetricError::NoReadySamples => "no_ready_samples",
        MetricError::InvalidTarget => "invalid_target",
        MetricError::InvalidSource(_) => "invalid_source",
    }
}

const fn requests_error_name(error: &RequestsError) -> &'static str {
    match error {
        RequestsError::MissingRequest { .. } => "missing_request",
        RequestsError::ContainerNotFound { .. } => "container_not_found",
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct GroupPodsInput {
    #[serde(default)]
    resource: Option<String>,
    cpu_initialization_period_s: f64,
    initial_readiness_delay_s: f64,
    pods: Vec<PodInput>,
    samples: Vec<SampleInput>,
}

pub(crate) fn group_pods(input: &GroupPodsInput) -> Result<Value, String> {
    let resource = input.resource.as_deref().filter(|name| !name.is_empty()).map(Resource::named);
    let settings = settings(input.cpu_initialization_period_s, input.initial_readiness_delay_s);
    let pods = to_pods(&input.pods, &[])?;
    let by_pod = input.samples.iter().map(|sample| (sample.pod.as_str(), sample.to_sample()));
    let samples = Samples::arrange(&PodIndex::new(&pods), by_pod);
    let groups = hpa::group_pods(&pods, &samples, resource.as_ref(), &settings);
    let names = |positions: &[usize]| {
        let mut names: Vec<&str> =
            positions.iter().filter_map(|&at| Some(pods.get(at)?.name.as_str())).collect();
        names.sort_unstable();
        names.into_iter().map(Value::from).collect::<Vec<_>>()
    };
    Ok(json!({
        "ready_count": groups.ready_count,
        "unready": names(&groups.unready),
        "missing": names(&groups.missing),
        "ignored": names(&groups.ignored),
    }))
}

#[derive(Debug, Deserialize)]
pub(crate) struct PodRequestsInput {
    #[serde(default)]
    resource: Option<String>,
    #[serde(default)]
    container: Option<String>,
    #[serde(default)]
    pod_level_resources_enabled: bool,
    pods: Vec<PodInput>,
}

pub(crate) fn pod_requests(input: &PodRequestsInput) -> Result<Value, String> {
    let resource = Resource::named(input.resource.as_deref().unwrap_or("cpu"));
    let container = input.container.as_deref().filter(|name| !name.is_empty());
    let mut requests = Map::new();
    for pod in to_pods(&input.pods, std::slice::from_ref(&resource))? {
        match hpa::pod_request_milli(&pod, &resource, container, input.pod_level_resources_enabled) {
            Ok(milli) => requests.insert(pod.name, milli.into()),
            Err(error) => return Ok(json!({ "error": requests_error_name(&error) })),
        };
    }
    Ok(json!({ "requests_milli": requests }))
}

#[derive(Debug, Deserialize)]
pub(crate) struct RatioInput {
    metrics_milli: BTreeMap<String, i64>,
    #[serde(default)]
    requests_milli: BTreeMap<String, i64>,
    #[serde(default)]
    target_percent: Option<i32>,
    #[serde(default)]
    target_milli: Option<i64>,
}

pub(crate) fn ratio(input: &RatioInput) -> Result<Value, String> {
    let none = json!({ "error": "no_known_pods" });
    match (input.target_percent, input.target_milli) {
        (Some(percent), None) => {
            let known = input
                .metrics_milli
                .iter()
                .filter_map(|(pod, &usage)| Some((usage, *input.requests_milli.get(pod)?)));
            Ok(hpa::utilization_ratio(known, percent).map_or(none, |ratio| {
                json!({
                    "ratio": ratio.ratio,
                    "utilization_percent": ratio.utilization_percent,
                    "average_usage_milli": ratio.average_usage_milli,
                })
            }))
        }
        (None, Some(milli)) => {
            let values = input.metrics_milli.values().copied();
            Ok(hpa::usage_ratio(values, milli)
                .map_or(none, |ratio| json!({ "ratio": ratio.ratio, "usage_milli": ratio.usage_milli })))
        }
        _ => Err("expected either target_percent or target_milli".to_owned()),
    }
}
