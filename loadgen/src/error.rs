//! Why a load could not be run at all; what happened during one is in its result.

use std::path::PathBuf;

use loadgen_baseline::LevelPlanError;

use crate::config::ConfigError;

/// Why there is no result.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A setting cannot be: wrong usage.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A level cannot be asked for: wrong usage.
    #[error(transparent)]
    Level(#[from] LevelPlanError),
    /// The service gave no answer at all before the start; nothing was started.
    #[error(
        "`{host}` cannot be reached: {reason}; expected any HTTP answer to GET /; hint: is the service up, and is --host right"
    )]
    Unreachable {
        /// The base URL that was tried.
        host: String,
        /// What the connection said.
        reason: String,
    },
    /// A report could not be created before the start; nothing was started.
    #[error(
        "report `{path}` cannot be written: {source}; hint: --report takes a file in a folder that exists"
    )]
    Report {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The caller said stop before anything was measured.
    #[error("stopped before anything was measured")]
    Stopped,
    /// The HTTP client could not be built.
    #[error("the HTTP client cannot be built: {0}")]
    Client(String),
    /// Goose could not run it.
    #[error("goose could not run the load: {0}")]
    Goose(String),
}
