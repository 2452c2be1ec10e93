//! What the metrics APIs would answer: from the assumed load, or from values that are given.

use std::time::Duration;

use scaler_engine::hpa::{
    Container, ContainerUsage, MetricAnswer, MetricSource, Pod, PodUsage, PodValue, Requests, Resource,
};
use scaler_engine::keda::{
    KafkaOptions, LatestOffset, PartitionOffsets, TriggerMetric, cron_metric, exported_milli, kafka_metric,
    metrics_api_metric, prometheus_metric,
};
use scaler_engine::{Age, NamedMetric};

use super::{Assumptions, ServiceState, words};
use crate::keda::{TriggerDocument, TriggerKind};
use crate::quantity::trimmed;
use crate::subject::{Subject, SubjectMetric};

/// The span that a sample of the metrics server covers.
const SAMPLE_WINDOW: Duration = Duration::from_secs(15);

/// The container of a pod of which nothing is known.
const ONLY_CONTAINER: &str = "app";

/// A value with where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Assumed {
    pub(super) value: f64,
    /// How it was assumed; none if it was given.
    pub(super) from: Option<String>,
}

/// Words that tell what a metric measures, in the order in which they are looked for.
const MEANINGS: [(&[&str], Meaning); 5] = [
    (&["lag", "backlog", "queue", "depth", "waiting", "pending", "messages"], Meaning::Waiting),
    (&["in_flight", "inflight", "concurren", "connections", "active"], Meaning::InFlight),
    (&["per_second", "rps", "qps", "rate(", "_count", "throughput"], Meaning::Rate),
    (&["latency", "duration", "response_time", "_seconds", "histogram_quantile"], Meaning::Time),
    (&["_total"], Meaning::Counter),
];

#[derive(Clone, Copy)]
enum Meaning {
    Waiting,
    InFlight,
    Rate,
    Time,
    Counter,
}

/// The value of a metric of the whole service that goes by this name or query.
pub(super) fn total(
    name: &str,
    measured: &str,
    assumptions: &Assumptions<'_>,
    state: &ServiceState,
) -> Assumed {
    if let Some(value) = assumptions.values.get(name) {
        return Assumed { value: *value, from: None };
    }
    let lower = measured.to_lowercase();
    let meaning = MEANINGS.iter().find(|(parts, _)| parts.iter().any(|part| lower.contains(part)));
    let (value, from) = match meaning.map(|(_, meaning)| *meaning) {
        Some(Meaning::Waiting) => {
            let value = state.waiting_per_replica * f64::from(state.replicas);
            (value, format!("{} requests wait at this load", trimmed(value)))
        }
        Some(Meaning::InFlight) => {
            (state.in_flight(), format!("{} requests are in flight at this load", trimmed(state.in_flight())))
        }
        Some(Meaning::Time) => (
            state.response_time_seconds,
            format!("the mean response time at this load is {} s", trimmed(state.response_time_seconds)),
        ),
        Some(Meaning::Counter) => {
            let value = state.load_rps * 3_600.0;
            (value, format!("the counter has run for an hour: {}", trimmed(value)))
        }
        Some(Meaning::Rate) | None => {
            (state.load_rps, format!("it is the load, {} per second", trimmed(state.load_rps)))
        }
    };
    Assumed { value, from: Some(format!("{name}: {from}")) }
}

/// Whether a metric of a pod is a share of the service's, or the same for each.
fn is_shared(name: &str) -> bool {
    let lower = name.to_lowercase();
    let meaning = MEANINGS.iter().find(|(parts, _)| parts.iter().any(|part| lower.contains(part)));
    !matches!(meaning, Some((_, Meaning::Time)))
}

/// The value of a metric of each pod.
pub(super) fn per_pod(name: &str, assumptions: &Assumptions<'_>, state: &ServiceState) -> Assumed {
    let assumed = total(name, name, assumptions, state);
    if assumptions.values.contains_key(name) || !is_shared(name) {
        return assumed;
    }
    let from = assumed.from.map(|from| format!("{from}, divided by {}", words::replicas(state.replicas)));
    Assumed { value: assumed.value / f64::from(state.replicas), from }
}

/// The pods of a subject: all ready for long, with the requests of their template or the assumed ones.
pub(super) fn pods(
    subject: &Subject<'_>,
    assumptions: &Assumptions<'_>,
    count: u32,
    assumed: &mut Vec<String>,
) -> Vec<Pod> {
    let template = subject.workload.filter(|workload| !workload.pod.containers.is_empty());
    let pod = if let Some(workload) = template {
        workload.pod.as_pod("pod")
    } else {
        let named =
            subject.metrics.iter().find_map(|metric| metric.resource().and_then(|(_, container)| container));
        let requests = Requests::from([
            (Resource::Cpu, assumptions.cpu_request_milli),
            (Resource::Memory, assumptions.memory_request_milli),
        ]);
        if subject.metrics.iter().any(|metric| metric.resource().is_some()) {
            assumed.push(format!(
                "no {} {} stands beside the document: each pod requests {} and {}{}",
                subject.target.kind,
                subject.target.name,
                words::amount(&Resource::Cpu, assumptions.cpu_request_milli),
                words::amount(&Resource::Memory, assumptions.memory_request_milli),
                named.map(|name| format!(" in its container {name}")).unwrap_or_default(),
            ));
        }
        let container = Container { name: named.unwrap_or(ONLY_CONTAINER).to_owned(), requests };
        Pod { containers: vec![container], ..Pod::ready("pod") }
    };
    (0..count).map(|at| Pod { name: format!("pod-{at}"), ..pod.clone() }).collect()
}

/// What the metrics APIs answer for each metric of a subject.
pub(super) fn answers(
    subject: &Subject<'_>,
    assumptions: &Assumptions<'_>,
    replicas: u32,
    pods: &[Pod],
    assumed: &mut Vec<String>,
) -> Vec<MetricAnswer> {
    let state = (assumptions.service)(replicas.max(1));
    subject.metrics.iter().map(|metric| answer(subject, metric, assumptions, &state, pods, assumed)).collect()
}

fn answer(
    subject: &Subject<'_>,
    metric: &SubjectMetric<'_>,
    assumptions: &Assumptions<'_>,
    state: &ServiceState,
    pods: &[Pod],
    assumed: &mut Vec<String>,
) -> MetricAnswer {
    match &metric.metric.source {
        MetricSource::Resource(_) | MetricSource::ContainerResource { .. } => {
            let Some((resource, container)) = metric.resource() else {
                return MetricAnswer::Resource(Vec::new());
            };
            let usage = resource_usage(subject, (resource, container), assumptions, state, assumed);
            MetricAnswer::Resource(pods.iter().map(|pod| pod_usage(pod, container, usage)).collect())
        }
        MetricSource::Pods(NamedMetric { name, .. }) => {
            let each = per_pod(name, assumptions, state);
            let value_milli = milli_of(each.value);
            assumed.extend(each.from);
            let value = |pod: &Pod| PodValue {
                pod: pod.name.clone(),
                age: Age::ZERO,
                window: SAMPLE_WINDOW,
                value_milli,
            };
            MetricAnswer::Pods(pods.iter().map(value).collect())
        }
        MetricSource::Object(NamedMetric { name, .. }) => {
            let value = total(name, name, assumptions, state);
            assumed.extend(value.from);
            MetricAnswer::Object(milli_of(value.value))
        }
        MetricSource::External(NamedMetric { name, .. }) => {
            let value_milli = if let Some(trigger) = metric.trigger {
                trigger_metric(trigger, assumptions, state, assumed).value_milli
            } else {
                let value = total(name, name, assumptions, state);
                assumed.extend(value.from);
                milli_of(value.value)
            };
            MetricAnswer::External(vec![value_milli])
        }
        _ => MetricAnswer::Failed("its source is not known".to_owned()),
    }
}

/// Usage of one pod, in thousandths. A pod never uses more than its limit.
fn resource_usage(
    subject: &Subject<'_>,
    (resource, container): (&Resource, Option<&str>),
    assumptions: &Assumptions<'_>,
    state: &ServiceState,
    assumed: &mut Vec<String>,
) -> i64 {
    let name = crate::subject::resource_name(resource);
    if let Some(value) = assumptions.values.get(name) {
        return milli_of(*value);
    }
    let usage = match resource {
        Resource::Cpu => state.cpu_milli,
        Resource::Memory => state.memory_milli,
        Resource::Other(_) => 0,
    };
    let limit = subject.workload.and_then(|workload| workload.pod.limit_milli(resource, container));
    let capped = limit.map_or(usage, |limit| usage.min(limit));
    let shown = words::amount(resource, capped);
    let cut = if capped < usage { ", its limit" } else { "" };
    assumed.push(format!("{name}: each pod uses {shown}{cut}"));
    capped
}

/// All of a pod's usage is that of its first container, or of the named one.
fn pod_usage(pod: &Pod, container: Option<&str>, usage_milli: i64) -> PodUsage {
    let sidecars = pod.init_containers.iter().filter(|init| init.restartable).map(|init| &init.container);
    let names: Vec<&str> = pod.containers.iter().chain(sidecars).map(|each| each.name.as_str()).collect();
    let main = container.or(names.first().copied());
    let containers = names.iter().map(|name| ContainerUsage {
        name: (*name).to_owned(),
        usage_milli: Some(if Some(*name) == main { usage_milli } else { 0 }),
    });
    PodUsage {
        pod: pod.name.clone(),
        age: Age::ZERO,
        window: SAMPLE_WINDOW,
        containers: containers.collect(),
    }
}

/// What a trigger exports, and whether it is active.
pub(super) fn trigger_metric(
    trigger: &TriggerDocument,
    assumptions: &Assumptions<'_>,
    state: &ServiceState,
    assumed: &mut Vec<String>,
) -> TriggerMetric {
    let name = trigger.name.as_deref().filter(|name| assumptions.values.contains_key(*name));
    let name = name.unwrap_or(&trigger.metric_name);
    match &trigger.kind {
        TriggerKind::Prometheus(prometheus) => {
            let value = total(name, &prometheus.query, assumptions, state);
            assumed.extend(value.from);
            prometheus_metric(value.value, prometheus.activation_threshold)
        }
        TriggerKind::MetricsApi(api) => {
            let value = total(name, &api.location, assumptions, state);
            assumed.extend(value.from);
            metrics_api_metric(value.value, api.activation_target)
        }
        TriggerKind::Kafka(kafka) => {
            let given = assumptions.values.get(name).copied();
            let lag = given.unwrap_or_else(|| state.load_rps.round());
            if given.is_none() {
                let topic = kafka.topic.as_deref().unwrap_or("all topics");
                assumed
                    .push(format!("{name}: the lag in {topic} is {}, one second of the load", trimmed(lag)));
            }
            lag_metric(lag, &kafka.options, assumptions)
        }
        TriggerKind::Cron(cron) => {
            let second = assumptions.at.and_then(|at| u64::try_from(at.as_second()).ok());
            let inside = second.and_then(|second| cron.window.is_open(Duration::from_secs(second)));
            assumed.push(match (assumptions.at, inside) {
                (Some(at), Some(true)) => format!("{name}: {at} is inside the window"),
                (Some(at), _) => format!("{name}: {at} is outside the window"),
                (None, _) => format!("{name}: the time is outside the window; --at says another"),
            });
            cron_metric(inside.unwrap_or(false), cron.desired)
        }
        TriggerKind::Resource(_) | TriggerKind::Unsupported(_) => {
            TriggerMetric { value_milli: 0, active: false }
        }
    }
}

/// A lag that is spread evenly over the partitions.
fn lag_metric(lag: f64, options: &KafkaOptions, assumptions: &Assumptions<'_>) -> TriggerMetric {
    #[expect(clippy::cast_possible_truncation, reason = "a cast from float to integer saturates")]
    let lag = lag as i64;
    // Enough of them that they bound nothing, where their number is not known.
    let count = assumptions.partitions.unwrap_or(1_000).clamp(1, 10_000);
    let (each, rest) = (lag / i64::from(count), lag % i64::from(count));
    let partitions: Vec<PartitionOffsets> = (0..i64::from(count))
        .map(|at| PartitionOffsets {
            committed: 0,
            latest: LatestOffset::At(each + i64::from(at < rest)),
            previous_committed: None,
        })
        .collect();
    kafka_metric(&partitions, options).map_or(TriggerMetric { value_milli: 0, active: false }, |metric| {
        TriggerMetric { value_milli: metric.lag.saturating_mul(1_000), active: metric.active }
    })
}

/// A value in thousandths; what is not a number is 0.
pub(super) fn milli_of(value: f64) -> i64 {
    exported_milli(value)
}
