//! Says which scenario is wrong, where, and what to do about it.

use excerpt::shortened;

/// The most characters of what is wrong: it repeats names and values of the file.
const PROBLEM_CHARS_MAX: usize = 600;

/// The most characters of a hint, which may list what there is.
const HINT_CHARS_MAX: usize = 1000;

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
        Self {
            line,
            problem: shortened(&problem.into(), PROBLEM_CHARS_MAX),
            hint: shortened(&hint.into(), HINT_CHARS_MAX),
        }
    }

    pub(crate) fn at(self, origin: &str) -> ScenarioError {
        ScenarioError { origin: origin.to_owned(), line: self.line, problem: self.problem, hint: self.hint }
    }
}
