//! `lab health`: asks one process whether it is well.

use std::time::Duration;

use clap::Args;
use http_client::HttpClient;

use crate::arguments::log::LogArguments;
use crate::arguments::values::duration;
use crate::failure::{ExitStatus, Failure};
use crate::output::say;
use crate::runtime;

/// Ask a process whether it is well.
///
/// Exit status 0 for an answer 2xx, 1 for any other answer, 3 for none: a health check for images without a
/// shell.
#[derive(Clone, Debug, Args)]
#[command(after_help = "Example:\n  lab health http://127.0.0.1:8000/ready")]
pub(crate) struct HealthArguments {
    /// What to ask
    #[arg(value_name = "URL", default_value = "http://127.0.0.1:8000/health")]
    url: String,
    /// Longest time to wait for the answer
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    log: LogArguments,
}

pub(crate) fn run(arguments: HealthArguments) -> Result<ExitStatus, Failure> {
    let log = arguments.log.clone();
    runtime::run(&log, async move {
        let reply =
            HttpClient::new().get(&arguments.url, arguments.timeout).await.map_err(Failure::could_not_run)?;
        say(&format!("{} {}", reply.status.as_u16(), String::from_utf8_lossy(&reply.body)));
        Ok(if reply.status.is_success() { ExitStatus::Held } else { ExitStatus::NotHeld })
    })
}
