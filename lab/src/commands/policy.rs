//! `lab policy`: checks, explains and makes policies.

mod check;
mod diff;
mod explain;
mod export;
mod file;
mod lint;
mod suggest;

use clap::{Args, Subcommand};

use crate::failure::{ExitStatus, Failure};

/// Check, explain and make policies.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Example:\n  lab policy check my-hpa.yaml\n  lab policy explain my-hpa.yaml --load 120 --replicas 2\n  lab policy suggest --from baseline.json --out suggested.yaml\n  \
                        lab up --policy suggested.yaml"
)]
pub(crate) struct PolicyCommandArguments {
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Clone, Debug, Subcommand)]
enum PolicyCommand {
    /// Check policy files, those of Kubernetes, KEDA and Knative included: all mistakes at once, each with its line
    Check(check::CheckArguments),
    /// Compare what two policies decide by, field by field, with defaults filled in
    Diff(diff::DiffArguments),
    /// Explain in words what a policy would do next at some load, and why, with a worked example
    Explain(explain::ExplainArguments),
    /// Write a policy as an HPA, an object of KEDA or rules of the Prometheus Adapter, with what could not be expressed
    Export(export::ExportArguments),
    /// Find what is valid in policy files and will surprise, with the numbers of each document
    Lint(lint::LintArguments),
    /// Write the policy whose target is the measured capacity of a replica, with headroom
    Suggest(suggest::SuggestArguments),
}

pub(crate) fn run(arguments: PolicyCommandArguments) -> Result<ExitStatus, Failure> {
    match arguments.command {
        PolicyCommand::Check(arguments) => check::run(&arguments),
        PolicyCommand::Diff(arguments) => diff::run(&arguments),
        PolicyCommand::Explain(arguments) => explain::run(&arguments),
        PolicyCommand::Export(arguments) => export::run(&arguments),
        PolicyCommand::Lint(arguments) => lint::run(&arguments),
        PolicyCommand::Suggest(arguments) => suggest::run(&arguments),
    }
}
