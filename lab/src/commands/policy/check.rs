//! `lab policy check`: everything that is wrong with policy files.

use clap::Args;
use scaler_documents::Document;
use serde::Serialize;

use super::file::{FileNotice, FileProblem, PolicyFile, place};
use crate::arguments::log::LogArguments;
use crate::failure::{ExitStatus, Failure};
use crate::output::say;

/// Check policy files as the systems that they are for would.
///
/// Takes autoscalers of Kubernetes (HPA), KEDA and Knative and the lab's own kinds, among other documents,
/// as YAML, JSON, or as `kubectl get -o yaml` prints them. Exit status 2 where something is wrong.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab policy check my-hpa.yaml\n  kubectl get hpa shop -o yaml | lab policy check -"
)]
pub(super) struct CheckArguments {
    /// The files; `-` is standard input, and the names of shipped policies are taken as well
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogArguments,
}

#[derive(Serialize)]
struct Checked {
    valid: bool,
    problems: Vec<FileProblem>,
    notices: Vec<FileNotice>,
}

pub(super) fn run(arguments: &CheckArguments) -> Result<ExitStatus, Failure> {
    observability::logs::start(&arguments.log.log_level, arguments.log.log_format)
        .map_err(Failure::bad_input)?;
    let files: Vec<PolicyFile> = arguments.files.iter().map(|given| PolicyFile::read(given)).collect();
    let problems: Vec<FileProblem> = files.iter().flat_map(|file| file.problems.clone()).collect();
    let checked = Checked {
        valid: problems.is_empty(),
        problems,
        notices: files.iter().flat_map(PolicyFile::notices).collect(),
    };
    if arguments.json {
        say(&serde_json::to_string_pretty(&checked).expect("problems are JSON"));
    } else {
        for problem in &checked.problems {
            say(&problem.shown());
        }
        for file in files.iter().filter(|file| file.problems.is_empty()) {
            for line in valid_documents(file) {
                say(&line);
            }
        }
        for notice in &checked.notices {
            say(&notice.shown());
        }
    }
    Ok(if checked.valid { ExitStatus::Held } else { ExitStatus::BadInput })
}

/// A line for each document of a file without mistakes.
fn valid_documents(file: &PolicyFile) -> Vec<String> {
    let line = |line: Option<u64>, what: String| format!("{}: {what}", place(&file.name, line));
    let first = |lines: &scaler_documents::Lines| Some(lines.of_field(""));
    let told = file.manifest.documents.iter().map(|document| match document {
        Document::Hpa(hpa) => {
            line(first(&hpa.lines), format!("HorizontalPodAutoscaler {} is valid", hpa.header.name))
        }
        Document::ScaledObject(object) => {
            line(first(&object.lines), format!("ScaledObject {} is valid", object.header.name))
        }
        Document::Knative(service) => {
            line(first(&service.lines), format!("Service {} of Knative is valid", service.header.name))
        }
        Document::Workload(workload) => line(
            first(&workload.lines),
            format!(
                "{} {} is read for its replicas, requests, limits and probes",
                workload.kind, workload.header.name
            ),
        ),
        Document::Vpa(vpa) => {
            line(None, format!("VerticalPodAutoscaler {} is read for `lint`", vpa.header.name))
        }
        Document::AdapterRules(rules) => {
            line(None, format!("{} rules of the Prometheus Adapter are read for `lint`", rules.len()))
        }
        Document::Lab(kind) => {
            let name = file.own.as_ref().map(|policy| policy.name.as_str()).unwrap_or_default();
            line(None, format!("{} {name} is valid", excerpt::excerpt(kind)))
        }
        Document::Other(kind) => line(None, format!("{} is passed over", excerpt::excerpt(kind))),
    });
    told.collect()
}
