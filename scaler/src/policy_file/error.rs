//! Says which policy file is wrong, where, and what to do about it.

/// A policy that cannot be followed as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}{}: {problem}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct PolicyFileError {
    /// The file, or `shipped policy NAME`, or the environment variable.
    pub origin: String,
    /// The line in the file, where it is known.
    pub line: Option<u64>,
    /// Field, value, and what was expected.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

/// The most characters of a file or a variable that a message repeats.
const SHOWN_MAX: usize = 80;

/// What was written, for a message: of bounded length and without control characters.
pub(super) fn shown(text: &str) -> String {
    let mut characters = text.chars();
    let beginning: String = characters.by_ref().take(SHOWN_MAX).flat_map(char::escape_debug).collect();
    if characters.next().is_some() { format!("{beginning}…") } else { beginning }
}

impl PolicyFileError {
    pub(crate) fn new(
        origin: &str,
        line: Option<u64>,
        problem: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            origin: origin.to_owned(),
            line: line.filter(|line| *line > 0),
            problem: problem.into(),
            hint: hint.into(),
        }
    }
}
