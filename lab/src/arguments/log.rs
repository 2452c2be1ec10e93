//! `--log-level` and `--log-format`, which every command takes.

use clap::Args;
use observability::logs::{LogFormat, check_level};
use serde::{Deserialize, Serialize};

/// What is logged, and how a line looks.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[command(next_help_heading = "Logging, to standard error")]
pub(crate) struct LogArguments {
    /// error, warn, info, debug, trace, off, or a filter such as info,gateway=debug
    #[arg(long, value_name = "LEVEL", default_value = "info", value_parser = level)]
    pub(crate) log_level: String,
    /// text for people, json for machines: one line each
    #[arg(long, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    pub(crate) log_format: LogFormat,
}

fn level(text: &str) -> Result<String, String> {
    check_level(text).map(|()| text.to_owned()).map_err(|error| error.to_string())
}
