//! Says which experiment cannot be played as it is written, where, and what to do about it.

/// An experiment that cannot be played as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}{}: {problem}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ExperimentError {
    /// The file, or `shipped experiment NAME`.
    pub origin: String,
    /// The line in the file, where it is known.
    pub line: Option<u64>,
    /// Field, value, and what was expected.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}
