//! Says which scenario is wrong, where, and what to do about it.

/// A scenario that cannot be played as it is written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{origin}{}: {problem}; hint: {hint}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ScenarioError {
    /// The file, or `shipped scenario NAME`.
    pub origin: String,
    /// The line in the file, where it is known.
    pub line: Option<u64>,
    /// Field, value, and what was expected.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

/// What is wrong at a line of a document, before it is known which document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) line: Option<u64>,
    pub(crate) problem: String,
    pub(crate) hint: String,
}

impl Mistake {
    pub(crate) fn new(line: Option<u64>, problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { line, problem: problem.into(), hint: hint.into() }
    }

    pub(crate) fn at(self, origin: &str) -> ScenarioError {
        ScenarioError { origin: origin.to_owned(), line: self.line, problem: self.problem, hint: self.hint }
    }
}
