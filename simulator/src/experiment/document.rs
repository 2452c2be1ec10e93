//! The document of an experiment, field by field, and what it means.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::time::Duration;

use excerpt::{excerpt, sentence};
use serde::Deserialize;
use serde_saphyr::Spanned;
use workload::{Arrivals, ServiceTimeDistribution, Shape, ShapeDefinition};

use super::error::ExperimentError;
use super::fields::{Fields, Text};
use super::{Experiment, PolicyChoice, TraceChoice};
use crate::measures::Prices;
use crate::model::{Fault, GatewayModel, Model, ReplicaRange, Service, SignalPath, SloTarget, Workload};
use crate::service::ServiceModel;
use crate::time::LONGEST;

const FORM_HINT: &str = "an experiment has apiVersion: autoscale-lab/v1, kind: Experiment, metadata and spec; `lab simulate --list` names the shipped ones";

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Document {
    api_version: Text,
    kind: Text,
    metadata: Option<Metadata>,
    spec: Option<Spec>,
}

/// Labels and the like, which Kubernetes' tools write, are for others to read.
#[derive(Deserialize)]
struct Metadata {
    name: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Spec {
    duration: Option<Text>,
    seeds: Option<Vec<Text>>,
    #[serde(default)]
    service: RawService,
    #[serde(default)]
    workload: RawWorkload,
    slo: Option<BTreeMap<String, Text>>,
    #[serde(default)]
    signals: RawSignals,
    #[serde(default)]
    gateway: RawGateway,
    #[serde(default)]
    cost: RawCost,
    #[serde(default)]
    replicas: RawReplicas,
    #[serde(default)]
    faults: Vec<RawFault>,
    policies: Option<Spanned<Vec<RawPolicy>>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawService {
    workers: Option<Text>,
    service_time: Option<Text>,
    distribution: Option<Text>,
    cv: Option<Text>,
    queue: Option<Text>,
    startup: Option<Text>,
    startup_cv: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawWorkload {
    base_rps: Option<Text>,
    shape: Option<Spanned<ShapeDefinition>>,
    trace: Option<Text>,
    format: Option<Text>,
    scale: Option<Text>,
    repeat: Option<Text>,
    arrivals: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawSignals {
    scrape_interval: Option<Text>,
    window: Option<Text>,
    delay: Option<Text>,
    cpu_per_worker: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawGateway {
    timeout: Option<Text>,
    retries: Option<Text>,
    drain_limit: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RawCost {
    replica_hour: Option<Text>,
    violation_minute: Option<Text>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReplicas {
    initial: Option<Text>,
    max: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFault {
    at: Text,
    replica: Option<Text>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawPolicy {
    file: Option<Text>,
    shipped: Option<Text>,
    fixed: Option<Text>,
}

pub(super) fn read(origin: &str, fallback_name: &str, text: &str) -> Result<Experiment, ExperimentError> {
    let fields = Fields { origin };
    let document: Document = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map(|location| location.line());
        let problem = error.without_snippet().render_with_formatter(&serde_saphyr::UserMessageFormatter);
        fields.refuse(line, sentence(problem.lines().next().unwrap_or_default()), FORM_HINT)
    })?;
    if document.api_version.value != "autoscale-lab/v1" {
        return Err(fields.unfit("apiVersion", &document.api_version, "autoscale-lab/v1", FORM_HINT));
    }
    if document.kind.value != "Experiment" {
        return Err(fields.unfit("kind", &document.kind, "Experiment", FORM_HINT));
    }
    let name = document.metadata.and_then(|metadata| metadata.name);
    let spec = document.spec.unwrap_or_default();
    let day = Duration::from_hours(24);
    let duration = fields.span(
        "spec.duration",
        spec.duration.as_ref(),
        Duration::from_mins(30),
        Duration::from_millis(1)..=LONGEST,
    )?;
    let replicas = replicas(fields, &spec.replicas)?;
    let (workload, trace) = workload(fields, &spec.workload)?;
    let window = Duration::from_secs(30);
    let signal_window = match &spec.signals.window {
        None => None,
        text => {
            Some(fields.span("spec.signals.window", text.as_ref(), window, Duration::from_secs(1)..=day)?)
        }
    };
    Ok(Experiment {
        name: name.unwrap_or_else(|| fallback_name.to_owned()),
        model: Model {
            duration,
            service: service(fields, &spec.service)?,
            workload,
            slo: slo(fields, spec.slo.as_ref())?,
            signals: signals(fields, &spec.signals)?,
            replicas,
            gateway: gateway(fields, &spec.gateway)?,
            faults: faults(fields, &spec.faults)?,
        },
        seeds: seeds(fields, spec.seeds.as_deref())?,
        prices: Prices {
            replica_hour: fields.number(
                "spec.cost.replicaHour",
                spec.cost.replica_hour.as_ref(),
                0.05,
                0.0..=1e9,
            )?,
            violation_minute: fields.number(
                "spec.cost.violationMinute",
                spec.cost.violation_minute.as_ref(),
                0.01,
                0.0..=1e9,
            )?,
        },
        policies: policies(fields, spec.policies.as_ref(), replicas.max)?,
        trace,
        signal_window,
        has_duration: spec.duration.is_some(),
    })
}

fn service(fields: Fields<'_>, raw: &RawService) -> Result<Service, ExperimentError> {
    let day = Duration::from_hours(24);
    let workers = fields.count("spec.service.workers", raw.workers.as_ref(), 4, 1..=10_000)?;
    let mean = fields.span(
        "spec.service.serviceTime",
        raw.service_time.as_ref(),
        Duration::from_millis(50),
        Duration::from_micros(1)..=day,
    )?;
    let distribution = match &raw.distribution {
        None => ServiceTimeDistribution::Lognormal,
        Some(text) => text.value.parse().map_err(|_| {
            let expected = "lognormal, exponential, constant or bimodal";
            fields.unfit("spec.service.distribution", text, expected, "leave it out for lognormal")
        })?,
    };
    let cv = fields.number("spec.service.cv", raw.cv.as_ref(), 0.5, 0.0..=100.0)?;
    let line = raw.cv.as_ref().or(raw.distribution.as_ref()).map(|text| text.referenced.line());
    let service_time = ServiceModel::new(distribution, mean, cv).map_err(|error| {
        fields.refuse(line, format!("`spec.service`: {error}"), "lower `cv`, or take lognormal")
    })?;
    let start = fields.span(
        "spec.service.startup",
        raw.startup.as_ref(),
        Duration::from_secs(1),
        Duration::ZERO..=day,
    )?;
    let start_cv = fields.number("spec.service.startupCv", raw.startup_cv.as_ref(), 0.0, 0.0..=10.0)?;
    let law = ServiceTimeDistribution::Lognormal;
    let start_up = ServiceModel::new(law, start, start_cv).map_err(|error| {
        let line = raw.startup_cv.as_ref().map(|text| text.referenced.line());
        fields.refuse(line, format!("`spec.service.startup`: {error}"), "lower `startupCv`")
    })?;
    let queue = fields.count("spec.service.queue", raw.queue.as_ref(), 100, 0..=1_000_000)?;
    Ok(Service {
        workers: NonZero::new(workers).unwrap_or(NonZero::<u32>::MIN),
        service_time,
        queue_capacity: queue as usize,
        start_up,
    })
}

fn workload(
    fields: Fields<'_>,
    raw: &RawWorkload,
) -> Result<(Workload, Option<TraceChoice>), ExperimentError> {
    let arrivals = match &raw.arrivals {
        None => Arrivals::Poisson,
        Some(text) => text.value.parse().map_err(|_| {
            fields.unfit("spec.workload.arrivals", text, "poisson or constant", "leave it out for poisson")
        })?,
    };
    let scale = fields.number("spec.workload.scale", raw.scale.as_ref(), 1.0, 0.0..=1e9)?;
    let repeat = fields.count("spec.workload.repeat", raw.repeat.as_ref(), 1, 1..=1000)?;
    let base_rate = fields.number("spec.workload.baseRps", raw.base_rps.as_ref(), 40.0, 0.0..=1e9)?;
    let format = match &raw.format {
        None => None,
        Some(text) => Some(text.value.parse().map_err(|_| {
            let hint = "leave it out to have it found out";
            fields.unfit("spec.workload.format", text, "csv, counts or clf", hint)
        })?),
    };
    let Some(trace) = &raw.trace else {
        if let Some(text) = raw.format.as_ref().or(raw.scale.as_ref()).or(raw.repeat.as_ref()) {
            let problem = "`spec.workload` has `format`, `scale` or `repeat`, expected them beside `trace`";
            let line = Some(text.referenced.line());
            return Err(fields.refuse(
                line,
                problem.to_owned(),
                "name a `trace`, or change `baseRps` instead",
            ));
        }
        let shape = match &raw.shape {
            None => Shape::default(),
            Some(shape) => Shape::try_from(shape.value.clone()).map_err(|error| {
                let line = Some(shape.referenced.line());
                fields.refuse(
                    line,
                    format!("`spec.workload.shape`: {error}"),
                    "shapes are those of PUT /load",
                )
            })?,
        };
        return Ok((Workload { shape, base_rate_per_second: base_rate, arrivals }, None));
    };
    if let Some(line) = raw
        .shape
        .as_ref()
        .map(|shape| shape.referenced.line())
        .or(raw.base_rps.as_ref().map(|text| text.referenced.line()))
    {
        let problem = "`spec.workload` has a `trace` and a `shape` or `baseRps`, expected one of the two";
        return Err(fields.refuse(
            Some(line),
            problem.to_owned(),
            "a trace has its own rates; `scale` changes them",
        ));
    }
    let choice = TraceChoice { file: trace.value.clone(), format, scale, repeat };
    let placeholder = Workload { shape: Shape::default(), base_rate_per_second: scale, arrivals };
    Ok((placeholder, Some(choice)))
}

fn slo(fields: Fields<'_>, raw: Option<&BTreeMap<String, Text>>) -> Result<SloTarget, ExperimentError> {
    let mut slo = SloTarget { quantile: 0.95, response_time: Duration::from_millis(250), errors: 0.001 };
    let mut quantiles = 0;
    for (name, text) in raw.into_iter().flatten() {
        let path = format!("spec.slo.{}", excerpt(name));
        if name == "errors" {
            slo.errors = fields.share(&path, Some(text), slo.errors)?;
            continue;
        }
        let percent = name.strip_prefix('p').and_then(|percent| percent.parse::<f64>().ok());
        let Some(percent) = percent.filter(|percent| (1.0..100.0).contains(percent)) else {
            let problem = format!("`{path}` is not a part of an objective");
            let hint = "an objective has a quantile such as p95: 250ms, and errors: 0.1%";
            return Err(fields.refuse(Some(text.referenced.line()), problem, hint));
        };
        quantiles += 1;
        if quantiles > 1 {
            let problem = format!("`{path}` is a second quantile, expected one");
            return Err(fields.refuse(Some(text.referenced.line()), problem, "keep the one that matters"));
        }
        slo.quantile = percent / 100.0;
        let range = Duration::from_micros(1)..=Duration::from_hours(24);
        slo.response_time = fields.span(&path, Some(text), slo.response_time, range)?;
    }
    Ok(slo)
}

fn signals(fields: Fields<'_>, raw: &RawSignals) -> Result<SignalPath, ExperimentError> {
    let hour = Duration::from_hours(1);
    Ok(SignalPath {
        scrape_interval: fields.span(
            "spec.signals.scrapeInterval",
            raw.scrape_interval.as_ref(),
            Duration::from_secs(1),
            Duration::from_millis(100)..=hour,
        )?,
        delay: fields.span(
            "spec.signals.delay",
            raw.delay.as_ref(),
            Duration::ZERO,
            Duration::ZERO..=hour,
        )?,
        cpu_per_worker: fields.number(
            "spec.signals.cpuPerWorker",
            raw.cpu_per_worker.as_ref(),
            0.25,
            0.0..=1000.0,
        )?,
    })
}

fn gateway(fields: Fields<'_>, raw: &RawGateway) -> Result<GatewayModel, ExperimentError> {
    let live = GatewayModel::DEFAULT;
    let range = Duration::from_millis(1)..=Duration::from_hours(24);
    Ok(GatewayModel {
        attempt_timeout: fields.span(
            "spec.gateway.timeout",
            raw.timeout.as_ref(),
            live.attempt_timeout,
            range.clone(),
        )?,
        retries: fields.count("spec.gateway.retries", raw.retries.as_ref(), live.retries, 0..=10)?,
        drain_limit: fields.span(
            "spec.gateway.drainLimit",
            raw.drain_limit.as_ref(),
            live.drain_limit,
            range,
        )?,
    })
}

fn replicas(fields: Fields<'_>, raw: &RawReplicas) -> Result<ReplicaRange, ExperimentError> {
    let max = fields.count("spec.replicas.max", raw.max.as_ref(), 50, 1..=scaler_engine::REPLICAS_MAX)?;
    let initial = fields.count("spec.replicas.initial", raw.initial.as_ref(), 1, 0..=max)?;
    Ok(ReplicaRange { initial, max })
}

fn faults(fields: Fields<'_>, raw: &[RawFault]) -> Result<Vec<Fault>, ExperimentError> {
    raw.iter()
        .enumerate()
        .map(|(place, fault)| {
            let path = |field: &str| format!("spec.faults[{place}].{field}");
            let replica = fields.count(&path("replica"), fault.replica.as_ref(), 0, 0..=u32::MAX)?;
            let at = fields.span(&path("at"), Some(&fault.at), Duration::ZERO, Duration::ZERO..=LONGEST)?;
            Ok(Fault { at, replica })
        })
        .collect()
}

fn seeds(fields: Fields<'_>, raw: Option<&[Text]>) -> Result<Vec<u64>, ExperimentError> {
    let Some(raw) = raw else { return Ok((1..=5).collect()) };
    let mut seeds = Vec::with_capacity(raw.len());
    for text in raw {
        let seed = text.value.trim().parse::<u64>().ok().filter(|seed| !seeds.contains(seed));
        let Some(seed) = seed else {
            let hint = "seeds are different numbers, such as [1, 2, 3, 4, 5]";
            return Err(fields.unfit("spec.seeds", text, "a whole number that is not there yet", hint));
        };
        seeds.push(seed);
    }
    if seeds.is_empty() || seeds.len() > 1000 {
        let problem = format!("`spec.seeds` has {} seeds, expected 1 to 1000", seeds.len());
        let line = raw.first().map(|text| text.referenced.line());
        return Err(fields.refuse(line, problem, "leave it out for five seeds"));
    }
    Ok(seeds)
}

fn policies(
    fields: Fields<'_>,
    raw: Option<&Spanned<Vec<RawPolicy>>>,
    max: u32,
) -> Result<Vec<PolicyChoice>, ExperimentError> {
    let Some(raw) = raw else { return Ok(vec![PolicyChoice::Shipped("moderate".to_owned())]) };
    let hint = "each policy is one of {file: hpa.yaml}, {shipped: moderate} and {fixed: 3}";
    let choices = raw.value.iter().enumerate().map(|(place, policy)| {
        match (&policy.file, &policy.shipped, &policy.fixed) {
            (Some(file), None, None) => Ok(PolicyChoice::File(file.value.clone())),
            (None, Some(name), None) => Ok(PolicyChoice::Shipped(name.value.clone())),
            (None, None, Some(count)) => {
                let path = format!("spec.policies[{place}].fixed");
                fields.count(&path, Some(count), 1, 1..=max).map(PolicyChoice::Fixed)
            }
            _ => {
                let problem =
                    format!("`spec.policies[{place}]` has none or several of its fields, expected one");
                Err(fields.refuse(Some(raw.referenced.line()), problem, hint))
            }
        }
    });
    let choices: Vec<PolicyChoice> = choices.collect::<Result<_, _>>()?;
    if choices.is_empty() {
        let problem = "`spec.policies` is empty, expected at least one".to_owned();
        return Err(fields.refuse(Some(raw.referenced.line()), problem, hint));
    }
    Ok(choices)
}
