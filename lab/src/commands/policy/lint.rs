//! `lab policy lint`: what is valid in policy files and will surprise.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use scaler_documents::{Finding, LintSettings, Manifest, lint};
use serde::Serialize;

use super::file::{PolicyFile, place, read_all_valid};
use crate::arguments::controller::ControllerArguments;
use crate::arguments::log::LogArguments;
use crate::arguments::values::duration;
use crate::failure::{ExitStatus, Failure};
use crate::output::say;

/// Find what is valid in policy files and will surprise, each time with the numbers of that document.
///
/// Deployments, vertical autoscalers and rules of the Prometheus Adapter in the files are judged together with the
/// policies. Exit status 1 where something is found, 2 where a file is not valid.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab policy lint my-hpa.yaml my-deployment.yaml\n  lab policy lint consumers.yaml --partitions 6"
)]
pub(super) struct LintArguments {
    /// The files; `-` is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// Time from one peak of the load to the next, which windows are compared with
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pattern: Option<Duration>,
    /// Partitions of the topic that consumers read
    #[arg(long, value_name = "N")]
    partitions: Option<u32>,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    controller: ControllerArguments,
    #[command(flatten)]
    log: LogArguments,
}

#[derive(Serialize)]
struct Found {
    findings: Vec<FileFinding>,
}

/// A finding with the file it is about.
#[derive(Serialize)]
struct FileFinding {
    rule: &'static str,
    severity: &'static str,
    file: String,
    line: u64,
    field: String,
    message: String,
    numbers: BTreeMap<&'static str, f64>,
}

impl FileFinding {
    fn of(finding: Finding, files: &[PolicyFile]) -> Self {
        let Finding { rule, severity, manifest, line, field, message, numbers } = finding;
        let file = files.get(manifest).map(|file| file.name.clone()).unwrap_or_default();
        Self { rule, severity: severity.name(), file, line, field, message, numbers }
    }

    fn shown(&self) -> String {
        let place = place(&self.file, Some(self.line));
        format!("{place}: {}: {} [{}]\n  field: {}", self.severity, self.message, self.rule, self.field)
    }
}

pub(super) fn run(arguments: &LintArguments) -> Result<ExitStatus, Failure> {
    observability::logs::start(&arguments.log.log_level, arguments.log.log_format)
        .map_err(Failure::bad_input)?;
    let controller = arguments.controller.settings()?;
    let files = match read_all_valid(&arguments.files, arguments.json) {
        Ok(files) => files,
        Err(status) => return Ok(status),
    };
    let manifests: Vec<&Manifest> = files.iter().map(|file| &file.manifest).collect();
    let settings = LintSettings { controller, pattern: arguments.pattern, partitions: arguments.partitions };
    let findings =
        lint(&manifests, &settings).into_iter().map(|finding| FileFinding::of(finding, &files)).collect();
    let found = Found { findings };
    if arguments.json {
        say(&serde_json::to_string_pretty(&found).expect("findings are JSON"));
    } else if found.findings.is_empty() {
        say("nothing found");
    } else {
        for finding in &found.findings {
            say(&finding.shown());
        }
    }
    Ok(if found.findings.is_empty() { ExitStatus::Held } else { ExitStatus::NotHeld })
}
