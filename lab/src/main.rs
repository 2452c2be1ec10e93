//! The lab's one binary: each part of the product is a subcommand.

mod arguments;
mod baseline;
mod child_command;
mod child_process;
mod cli;
mod commands;
mod demo;
mod event_stream;
mod failure;
mod metrics_server;
mod output;
mod runtime;
mod stop_signal;
mod supervised;
mod supervisor;
mod usage;

use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::parse_and_run().and_then(|status| output::check_delivery().map(|()| status)) {
        Ok(status) => status.into(),
        Err(failure) => {
            output::note(&failure.lines());
            failure.status.into()
        }
    }
}
