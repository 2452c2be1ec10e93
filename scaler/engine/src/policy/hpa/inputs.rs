//! Makes of an observation what a pass of the controller sees: pods, and an answer for each metric.

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;
use core::time::Duration;

use crate::need::{Metric as Measured, NamedMetric, Need, Scope};
use crate::observation::{Observation, Phase, Reading, ReplicaObservation};
use crate::policy::age::Age;
use crate::policy::hpa::{
    Container, ContainerUsage, Metric, MetricAnswer, MetricSource, Pod, PodPhase, PodUsage, PodValue,
    Requests, Resource,
};
use crate::policy::rounding::{ceil_to_i64, truncate_to_i64};
use crate::signal::Signal;

/// The signal that answers for the resource `cpu`, in cores of one replica.
const CPU: Signal = Signal::CpuCores;

/// The signal that answers for the resource `memory`, in bytes of one replica.
const MEMORY: Signal = Signal::MemoryBytes;

/// The span that a sample of a resource averages over, as metrics-server's does.
pub const RESOURCE_WINDOW: Duration = Duration::from_secs(15);

/// The span of other metrics that are rates.
pub const METRIC_WINDOW: Duration = Duration::from_secs(30);

/// A sample older than this is not had any more. Metrics APIs serve what they scraped last, but not for ever.
const SAMPLE_AGE_MAX: Duration = Duration::from_secs(60);

/// The container of a replica where no metric names one.
const CONTAINER: &str = "replica";

/// What a pass sees besides the scale.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    pub(crate) pods: Vec<Pod>,
    /// One for each metric, in their order.
    pub(crate) answers: Vec<MetricAnswer>,
}

impl Inputs {
    pub(crate) fn read(metrics: &[Metric], seen: &Observation) -> Self {
        let answers = metrics.iter().map(|metric| answer(metric, seen)).collect();
        Self { pods: pods(metrics, seen), answers }
    }
}

/// What has to be measured for a metric; none for a type of source that does not exist.
pub(crate) fn need_of(metric: &Metric) -> Option<Need> {
    Some(match &metric.source {
        MetricSource::Resource(resource) | MetricSource::ContainerResource { resource, .. } => {
            Need::of_each_replica(measured_resource(resource), RESOURCE_WINDOW)
        }
        MetricSource::Pods(metric) => Need::of_each_replica(measured(metric), METRIC_WINDOW),
        MetricSource::Object(metric) => Need::of_service(measured(metric), METRIC_WINDOW),
        MetricSource::External(metric) => external_need(metric),
        MetricSource::Unknown(_) => return None,
    })
}

/// A value from outside. A signal of the lab is the service's own, which no system outside knows.
pub(crate) fn external_need(metric: &NamedMetric) -> Need {
    let metric = measured(metric);
    let scope = if metric.signal().is_some() { Scope::Service } else { Scope::External };
    Need { metric, scope, window: METRIC_WINDOW }
}

fn measured_resource(resource: &Resource) -> Measured {
    match resource {
        Resource::Cpu => CPU.into(),
        Resource::Memory => MEMORY.into(),
        Resource::Other(name) => Measured::Named(name.as_str().into()),
    }
}

/// A signal where the name is one and no labels are asked for.
fn measured(metric: &NamedMetric) -> Measured {
    let signal = metric.name.parse().ok().filter(|_: &Signal| metric.labels.is_empty());
    signal.map_or_else(|| Measured::Named(metric.clone()), Measured::Signal)
}

fn pods(metrics: &[Metric], seen: &Observation) -> Vec<Pod> {
    let asked_for: BTreeSet<&str> = metrics
        .iter()
        .filter_map(|metric| match &metric.source {
            MetricSource::ContainerResource { container, .. } => Some(container.as_str()),
            _ => None,
        })
        .collect();
    let names: Vec<&str> =
        if asked_for.is_empty() { vec![CONTAINER] } else { asked_for.into_iter().collect() };
    seen.replicas.iter().map(|replica| pod(replica, &names, seen.at)).collect()
}

fn pod(replica: &ReplicaObservation, containers: &[&str], now: Duration) -> Pod {
    let asked =
        [(Resource::Cpu, replica.requests.cpu_cores), (Resource::Memory, replica.requests.memory_bytes)];
    let requests: Requests = asked
        .into_iter()
        .filter_map(|(resource, amount)| Some((resource, milli_rounded_up(amount?)?)))
        .collect();
    let start_age = replica.started_at.map(|started| Age::between(now, started));
    let turned = replica.readiness_changed_at.map(|changed| Age::between(now, changed));
    Pod {
        name: replica.id.clone(),
        phase: match replica.phase {
            Phase::Pending => PodPhase::Pending,
            Phase::Running => PodPhase::Running,
            Phase::Failed => PodPhase::Failed,
        },
        ready: Some(replica.ready),
        deleting: replica.deleting,
        start_age,
        // A pod that was never ready has its condition since its start.
        ready_transition_age: if replica.ready { turned } else { turned.or(start_age) },
        containers: containers
            .iter()
            .map(|&name| Container { name: name.into(), requests: requests.clone() })
            .collect(),
        init_containers: Vec::new(),
        pod_level_requests: requests,
    }
}

fn answer(metric: &Metric, seen: &Observation) -> MetricAnswer {
    let Some(need) = need_of(metric) else {
        return MetricAnswer::Failed("there is no such type of source".into());
    };
    match &metric.source {
        MetricSource::Resource(_) => resource_answer(&need, CONTAINER, seen),
        MetricSource::ContainerResource { container, .. } => resource_answer(&need, container, seen),
        MetricSource::Pods(_) => {
            let values = samples(&need, seen).filter_map(|sample| {
                let value_milli = sample.value.is_finite().then(|| milli_truncated(sample.value))?;
                Some(PodValue { pod: sample.pod.into(), age: sample.age, window: need.window, value_milli })
            });
            or_missing(MetricAnswer::Pods(values.collect()), &need, seen)
        }
        MetricSource::Object(_) => {
            total_milli(&need, seen).map_or_else(MetricAnswer::Failed, MetricAnswer::Object)
        }
        MetricSource::External(_) => total_milli(&need, seen)
            .map_or_else(MetricAnswer::Failed, |value| MetricAnswer::External(vec![value])),
        MetricSource::Unknown(name) => MetricAnswer::Failed(format!("{name} is not a type of source")),
    }
}

fn resource_answer(need: &Need, container: &str, seen: &Observation) -> MetricAnswer {
    let usages = samples(need, seen).filter_map(|sample| {
        let usage_milli = Some(milli_rounded_up(sample.value)?);
        let containers = vec![ContainerUsage { name: container.into(), usage_milli }];
        Some(PodUsage { pod: sample.pod.into(), age: sample.age, window: need.window, containers })
    });
    or_missing(MetricAnswer::Resource(usages.collect()), need, seen)
}

/// A value of one replica.
struct ReplicaSample<'a> {
    pod: &'a str,
    age: Age,
    value: f64,
}

/// The values of the replicas that gave one lately.
fn samples<'a>(need: &'a Need, seen: &'a Observation) -> impl Iterator<Item = ReplicaSample<'a>> {
    let of_replicas = values_beside(need, seen);
    seen.replicas.iter().filter_map(move |replica| {
        let value = match (&need.metric, of_replicas) {
            (_, Some(values)) => values.get(&replica.id).copied()??,
            (Measured::Signal(signal), None) if need.window == seen.window => {
                replica.signals.get(signal).copied()??
            }
            _ => return None,
        };
        let age = Age::between(seen.at, replica.sampled_at.unwrap_or(seen.at));
        (!age.is_above(SAMPLE_AGE_MAX)).then_some(ReplicaSample { pod: &replica.id, age, value })
    })
}

/// The values of a need that the replicas' own signals do not hold.
fn values_beside<'a>(need: &Need, seen: &'a Observation) -> Option<&'a BTreeMap<String, Option<f64>>> {
    if need.metric.signal().is_some() && need.window == seen.window {
        return None;
    }
    seen.further.iter().find(|answer| answer.need == *need).map(|answer| &answer.of_replicas)
}

fn total_milli(need: &Need, seen: &Observation) -> Result<i64, String> {
    total(need, seen).map(milli_truncated)
}

/// The finite value of the service or from outside, or why there is none.
pub(crate) fn total(need: &Need, seen: &Observation) -> Result<f64, String> {
    let whose = if need.scope == Scope::External { "outside the service" } else { "of the service" };
    match seen.service_reading(need) {
        Some(Reading { age, .. }) if age > need.window.max(SAMPLE_AGE_MAX) => {
            Err(format!("the value of {} is {} s old", need.metric, age.as_secs()))
        }
        Some(Reading { value, .. }) => value
            .filter(|value| value.is_finite())
            .ok_or_else(|| format!("{} {whose} has no value at this moment", need.metric)),
        None => Err(seen
            .why_unanswered(need)
            .map_or_else(|| format!("no {} {whose} was found", need.metric), Into::into)),
    }
}

/// An empty answer with the name that was looked for.
fn or_missing(answer: MetricAnswer, need: &Need, seen: &Observation) -> MetricAnswer {
    let is_empty = match &answer {
        MetricAnswer::Resource(usages) => usages.is_empty(),
        MetricAnswer::Pods(values) => values.is_empty(),
        _ => false,
    };
    if !is_empty {
        return answer;
    }
    let count = seen.replicas.len();
    let metric = need.metric.to_string();
    let looked_for = seen.why_unanswered(need).map(|problem| format!(": {problem}")).unwrap_or_default();
    MetricAnswer::Failed(format!(
        "no metrics returned: none of {count} replicas reports {metric}{looked_for}"
    ))
}

/// Amounts of a resource in thousandths, rounded up as quantities are; the noise of floats below a millionth of that is
/// not an amount.
fn milli_rounded_up(amount: f64) -> Option<i64> {
    amount.is_finite().then(|| {
        let billionths = libm::round(amount * 1e9) / 1e6;
        ceil_to_i64(billionths)
    })
}

/// Values of other metrics in thousandths, cut off as the Prometheus Adapter does.
const fn milli_truncated(value: f64) -> i64 {
    truncate_to_i64(value * 1e3)
}
