//! `lab baseline`: what a service answers at which rate, and where that ends.

mod diff;
mod measure;

use clap::{Args, Subcommand};

use crate::failure::{ExitStatus, Failure};

/// Measure what a service answers at which rate, and where the SLO, the knee and the plateau are.
///
/// Requests start when they are due, whatever the service does (open model). Without --host one replica is started and
/// measured alone. With --scenario the requests are those of a scenario's users. Progress goes to standard error, the table to standard output. Exit status 0 when a rate within the
/// SLO was found, 1 when none was, when the generator was the limit, or when it was stopped.
#[derive(Clone, Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Example:\n  lab baseline --slo p95=250ms --out baseline.json --report baseline.html\n  \
                  lab baseline --host http://127.0.0.1:8000 --levels 20,40,60 --out after.json\n  \
                  lab baseline --scenario shop --out shop.json   # what users send, as in lab load shop --rate\n  \
                  lab baseline diff baseline.json after.json"
)]
pub(crate) struct BaselineArguments {
    #[command(subcommand)]
    command: Option<BaselineCommand>,
    #[command(flatten)]
    measure: measure::MeasureArguments,
}

#[derive(Clone, Debug, Subcommand)]
enum BaselineCommand {
    /// Compare two baselines level by level, or two services by turns
    Diff(diff::DiffArguments),
}

pub(crate) fn run(arguments: BaselineArguments) -> Result<ExitStatus, Failure> {
    match arguments.command {
        Some(BaselineCommand::Diff(arguments)) => diff::run(arguments),
        None => measure::run(arguments.measure),
    }
}
