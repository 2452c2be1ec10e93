//! `lab policy export`: a policy as a document of another system.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use scaler_documents::{Format, Intent, export};
use scaler_engine::AnyPolicy;
use serde::Serialize;

use super::file::{PolicyFile, read_all_valid};
use crate::arguments::log::LogArguments;
use crate::failure::{ExitStatus, Failure};
use crate::output::{note, replace, say};

/// What to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExportFormat {
    /// `autoscaling/v2` `HorizontalPodAutoscaler`.
    Hpa,
    /// `keda.sh/v1alpha1` `ScaledObject`.
    Keda,
    /// Rules of the Prometheus Adapter, for the metrics that an HPA needs.
    PrometheusAdapter,
}

impl ExportFormat {
    const fn format(self) -> Format {
        match self {
            Self::Hpa => Format::Hpa,
            Self::Keda => Format::Keda,
            Self::PrometheusAdapter => Format::PrometheusAdapter,
        }
    }
}

/// Write a policy as a document of another system.
///
/// What could not be expressed, or means something else there, is in comments at the top and on standard error.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab policy export moderate --to hpa\n  lab policy export my-hpa.yaml --to keda --out scaled-object.yaml"
)]
pub(super) struct ExportArguments {
    /// The file; `-` is standard input, and the names of shipped policies are taken as well
    #[arg(value_name = "FILE")]
    file: String,
    /// What to write
    #[arg(long, value_enum, value_name = "FORMAT")]
    to: ExportFormat,
    /// The file to write [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Print the document and what it leaves out as JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    log: LogArguments,
}

#[derive(Serialize)]
struct Exported<'a> {
    document: &'a str,
    not_expressed: &'a [String],
}

pub(super) fn run(arguments: &ExportArguments) -> Result<ExitStatus, Failure> {
    observability::logs::start(&arguments.log.log_level, arguments.log.log_format)
        .map_err(Failure::bad_input)?;
    let files = match read_all_valid(std::slice::from_ref(&arguments.file), arguments.json) {
        Ok(files) => files,
        Err(status) => return Ok(status),
    };
    let Some(file) = files.first() else { return Ok(ExitStatus::Held) };
    let intent = intent_of(file).ok_or_else(|| {
        Failure::bad_input(format!(
            "`{}` has no policy that can be exported, expected a HorizontalPodAutoscaler, a ScaledObject or a \
             ThresholdPolicy; hint: Knative's two windows and panic have no counterpart elsewhere",
            file.name
        ))
    })?;
    let exported = export(&intent, arguments.to.format());
    let text = exported.text.trim_end_matches('\n');
    if arguments.json {
        let exported = Exported { document: text, not_expressed: &exported.lost };
        say(&serde_json::to_string_pretty(&exported).expect("an export is JSON"));
        return Ok(ExitStatus::Held);
    }
    match &arguments.out {
        None => say(text),
        Some(path) => replace(path, &exported.text)?,
    }
    for sentence in &exported.lost {
        note(&format_args!("not expressed: {sentence}"));
    }
    Ok(ExitStatus::Held)
}

fn intent_of(file: &PolicyFile) -> Option<Intent> {
    match file.own.as_ref().map(|own| (&own.name, &own.policy)) {
        Some((name, AnyPolicy::Threshold(policy))) => Some(Intent::of_threshold(name, policy.settings())),
        Some(_) => None,
        None => Intent::of(&file.manifest),
    }
}
