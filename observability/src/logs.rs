//! Sends log lines to standard error, one line each, as text or JSON; a line that belongs to a sampled request carries
//! the id of its trace.
//!
//! Standard output stays free for what a command prints as its result.

mod trace_id;

use std::io::IsTerminal;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;
use tracing_subscriber::fmt::format::{JsonFields, format};

use trace_id::{Place, WithTraceId};

/// How a log line looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people: time, level, message, fields.
    #[default]
    Text,
    /// For machines: one JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = LogError;

    fn from_str(text: &str) -> Result<Self, LogError> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(LogError::Format { value: text.to_owned() }),
        }
    }
}

impl std::fmt::Display for LogFormat {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The format is none of the known ones.
    #[error("log format `{value}` is unknown, expected `text` or `json`")]
    Format {
        /// What was given.
        value: String,
    },
    /// The level is not a level and not a filter.
    #[error(
        "log level `{value}` is not understood ({problem}), expected error, warn, info, debug, trace, or a filter such as `info,gateway=debug`"
    )]
    Level {
        /// What was given.
        value: String,
        /// What the filter's parser said.
        problem: String,
    },
}

/// Checks a level or filter without setting anything up, so that a typing mistake is found before the start.
///
/// # Errors
/// [`LogError::Level`] when the text is no filter.
pub fn check_level(level: &str) -> Result<(), LogError> {
    filter(level).map(|_| ())
}

/// Starts logging for this process; a second call changes nothing.
///
/// # Errors
/// [`LogError::Level`] when `level` is no filter.
pub fn start(level: &str, log_format: LogFormat) -> Result<(), LogError> {
    let colours = std::io::stderr().is_terminal();
    let builder = fmt()
        .with_env_filter(filter(level)?)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        // A line that cannot be written is lost. To report that, the library would print to standard error with a macro
        // that panics, and a log whose reader has gone would end the process.
        .log_internal_errors(false);
    // An embedding program may have set up its own logging; then its choice stands.
    let _already_set = match log_format {
        LogFormat::Text => {
            let lines = format().with_target(false).with_ansi(colours);
            builder.event_format(WithTraceId::new(lines, Place::AtTheEnd)).try_init()
        }
        LogFormat::Json => {
            let lines = format().json().flatten_event(true).with_ansi(false);
            builder
                .event_format(WithTraceId::new(lines, Place::InTheObject))
                .fmt_fields(JsonFields::new())
                .try_init()
        }
    };
    Ok(())
}

fn filter(level: &str) -> Result<EnvFilter, LogError> {
    let refuse = |problem: String| LogError::Level { value: level.to_owned(), problem };
    // A bare word that is no level would be taken for a target's name and silence everything else.
    let bare = !level.contains(['=', ',']);
    if level.is_empty() || bare && tracing::level_filters::LevelFilter::from_str(level).is_err() {
        return Err(refuse("no such level".to_owned()));
    }
    EnvFilter::try_new(level).map_err(|error| refuse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::check_level;

    #[test]
    fn levels_and_filters_are_told_from_typing_mistakes() {
        for good in ["info", "off", "info,gateway=debug", "WARN"] {
            assert!(check_level(good).is_ok(), "`{good}` is a filter");
        }
        for bad in ["loud", "", "gateway=loud"] {
            assert!(check_level(bad).is_err(), "`{bad}` is no filter");
        }
    }
}
