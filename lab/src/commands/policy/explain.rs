//! `lab policy explain`: what a policy would do next, and why, in words.

mod service;

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use scaler_documents::{Assumptions, Explanation, bytes_of_milli, explain, explain_own, trimmed};
use serde::Serialize;

use self::service::ServiceArguments;
use super::file::{FileNotice, PolicyFile, read_all_valid};
use crate::arguments::controller::ControllerArguments;
use crate::arguments::log::LogArguments;
use crate::failure::{ExitStatus, Failure};
use crate::output::say;

/// Explain in words what a policy would do next at some load, and why.
///
/// The followed system decides on values that follow from the load: queueing theory gives the response time, busy workers
/// the CPU. Every assumption is told, and each value can be given instead. Needs neither a cluster nor Prometheus or Kafka.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lab policy explain my-hpa.yaml --load 120 --replicas 2\n  \
                        lab policy explain consumers.yaml --value s0-kafka-purchases=450 --partitions 6\n  \
                        lab policy explain keda.yaml --at 2026-11-30T09:00:00+01:00")]
pub(super) struct ExplainArguments {
    /// The file; `-` is standard input, and the names of shipped policies are taken as well
    #[arg(value_name = "FILE")]
    file: String,
    /// Replicas there are [default: of the Deployment in the file, or 1]
    #[arg(long, value_name = "N")]
    replicas: Option<u32>,
    /// Value of a metric by its name, in place of the assumed one: per pod for resources and Pods metrics, else in total
    #[arg(long = "value", value_name = "NAME=NUMBER", value_parser = named_value)]
    values: Vec<(String, f64)>,
    /// Instant at which schedules are looked at, such as 2026-11-30T09:00:00+01:00 [default: outside every window]
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// Partitions of a topic [default: enough for all consumers]
    #[arg(long, value_name = "N")]
    partitions: Option<u32>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    service: ServiceArguments,
    #[command(flatten)]
    controller: ControllerArguments,
    #[command(flatten)]
    log: LogArguments,
}

/// The result for machines; one object, for the first policy of the file.
#[derive(Serialize)]
struct Explained<'a> {
    kind: &'a str,
    name: &'a str,
    current: u32,
    desired: u32,
    reason: &'a str,
    metrics: Vec<Metric<'a>>,
    limited_by: Option<&'a str>,
    rules: &'a [String],
    steps: &'a [String],
    /// What follows while the load stays.
    then: Vec<Change>,
    settles_at: Option<u32>,
    assumed: &'a [String],
    notices: &'a [FileNotice],
    /// Further policies of the file, if it has several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    further: Vec<Explained<'a>>,
}

#[derive(Serialize)]
struct Metric<'a> {
    name: &'a str,
    source: &'a str,
    value: Option<f64>,
    target: f64,
    target_type: &'a str,
    ratio: Option<f64>,
    desired: Option<i64>,
    explanation: &'a str,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Change {
    after_seconds: f64,
    from: u32,
    to: u32,
}

fn named_value(text: &str) -> Result<(String, f64), String> {
    let expected =
        || format!("`{}` is not a value, expected NAME=NUMBER such as cpu=0.4", excerpt::excerpt(text));
    let (name, number) = text.rsplit_once('=').ok_or_else(expected)?;
    let number: f64 = number.parse().map_err(|_| expected())?;
    if name.is_empty() || !number.is_finite() || number < 0.0 {
        Err(expected())
    } else {
        Ok((name.to_owned(), number))
    }
}

/// More pods than anybody explains with; each is one in the calculation.
const REPLICAS_MAX: u32 = 10_000;

pub(super) fn run(arguments: &ExplainArguments) -> Result<ExitStatus, Failure> {
    observability::logs::start(&arguments.log.log_level, arguments.log.log_format)
        .map_err(Failure::bad_input)?;
    let controller = arguments.controller.settings()?;
    let service = arguments.service.checked()?;
    if arguments.replicas.is_some_and(|replicas| replicas > REPLICAS_MAX) {
        return Err(Failure::bad_input(format!(
            "--replicas is {}, expected at most {REPLICAS_MAX}; hint: the rules are the same for fewer",
            arguments.replicas.unwrap_or_default()
        )));
    }
    let files = match read_all_valid(std::slice::from_ref(&arguments.file), arguments.json) {
        Ok(files) => files,
        Err(status) => return Ok(status),
    };
    let Some(file) = files.first() else { return Ok(ExitStatus::Held) };
    let replicas = arguments.replicas.or_else(|| replicas_in(file)).unwrap_or(1).min(REPLICAS_MAX);
    let at = |replicas: u32| service.at(replicas);
    let assumptions = Assumptions {
        service: &at,
        replicas,
        cpu_request_milli: arguments.service.cpu_request_milli(),
        memory_request_milli: arguments.service.memory_request_milli(),
        values: arguments.values.iter().cloned().collect::<BTreeMap<_, _>>(),
        at: arguments.at,
        partitions: arguments.partitions,
        controller,
    };
    let mut explanations = explain(&file.manifest, &assumptions);
    if let Some(own) = &file.own {
        explanations.push(explain_own(&own.name, &own.policy, &assumptions));
    }
    if explanations.is_empty() {
        return Err(Failure::bad_input(format!(
            "`{}` has no policy to explain; hint: rules of an adapter are for `lab policy lint`",
            file.name
        )));
    }
    let notices = file.notices();
    let load = service.sentence(replicas);
    if arguments.json {
        let mut all = explanations.iter().map(|explanation| machine(explanation, &notices));
        if let Some(mut first) = all.next() {
            first.further = all.collect();
            say(&serde_json::to_string_pretty(&first).expect("an explanation is JSON"));
        }
    } else {
        let texts: Vec<String> = explanations.iter().map(|explanation| text(explanation, &load)).collect();
        say(&texts.join("\n\n"));
        for notice in &notices {
            say(&notice.shown());
        }
    }
    Ok(ExitStatus::Held)
}

/// The replicas of the first Deployment or its like.
fn replicas_in(file: &PolicyFile) -> Option<u32> {
    file.manifest.documents.iter().find_map(|document| match document {
        scaler_documents::Document::Workload(workload) => workload.replicas,
        _ => None,
    })
}

fn machine<'a>(explanation: &'a Explanation, notices: &'a [FileNotice]) -> Explained<'a> {
    let Explanation {
        kind,
        name,
        current,
        desired,
        reason,
        limited_by,
        rules,
        metrics,
        steps,
        chain,
        assumed,
    } = explanation;
    let metrics = metrics.iter().map(|metric| Metric {
        name: &metric.name,
        source: &metric.source,
        value: metric.value,
        target: metric.target,
        target_type: metric.target_type,
        ratio: metric.ratio,
        desired: metric.proposed,
        explanation: &metric.words,
        error: metric.error.as_deref(),
    });
    let change = |step: &scaler_documents::Step| Change {
        after_seconds: step.after.as_secs_f64(),
        from: step.from,
        to: step.to,
    };
    Explained {
        kind,
        name,
        current: *current,
        desired: *desired,
        reason,
        metrics: metrics.collect(),
        limited_by: limited_by.as_deref(),
        rules,
        steps,
        then: chain.steps.iter().map(change).collect(),
        settles_at: chain.settles_at,
        assumed,
        notices,
        further: Vec::new(),
    }
}

fn text(explanation: &Explanation, load: &str) -> String {
    let mut lines =
        vec![format!("{} {}", explanation.kind, explanation.name), "  What it follows:".to_owned()];
    let list = |items: &[String]| items.iter().map(|item| format!("    - {item}")).collect::<Vec<_>>();
    lines.extend(list(&explanation.rules));
    lines.push(format!("  A worked example, {load}:"));
    lines.extend(list(&explanation.steps));
    lines.push(format!(
        "  Next: {}{}",
        explanation.desired,
        if explanation.desired == explanation.current { " (no change)" } else { "" }
    ));
    lines.push(format!("  Then, {}", explanation.chain.sentence()));
    lines.push("  Assumed:".to_owned());
    lines.extend(list(&explanation.assumed));
    lines.join("\n")
}

/// A service in one sentence.
fn sentence_of(state: &scaler_documents::ServiceState, replicas: u32) -> String {
    let each = if replicas == 1 { "the replica".to_owned() } else { format!("each of {replicas} replicas") };
    format!(
        "{} requests per second: {each} is {} % busy, uses {} cores and {}, and answers in {} ms on average",
        trimmed(state.load_rps),
        trimmed(state.utilization * 100.0),
        trimmed(state.cpu_milli as f64 / 1_000.0),
        bytes_of_milli(state.memory_milli),
        trimmed((state.response_time_seconds * 1_000.0).round()),
    )
}
