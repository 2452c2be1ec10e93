//! How a command ends: its exit status, and what it says when it could not do what was asked.

use std::process::ExitCode;

use excerpt::shortened;

/// The most characters of a line on the terminal.
const LINE_CHARS_MAX: usize = 1000;

/// The exit status of every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExitStatus {
    /// 0: done, and what was asked held.
    Held,
    /// 1: ran, and it did not hold.
    NotHeld,
    /// 2: usage or bad input.
    BadInput,
    /// 3: could not run.
    CouldNotRun,
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(match status {
            ExitStatus::Held => 0,
            ExitStatus::NotHeld => 1,
            ExitStatus::BadInput => 2,
            ExitStatus::CouldNotRun => 3,
        })
    }
}

/// An end that is no result: what is wrong, where, and what to do next.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: ExitStatus,
    message: String,
}

impl Failure {
    /// The user asked for something that cannot be.
    pub(crate) fn bad_input(problem: impl std::fmt::Display) -> Self {
        Self { status: ExitStatus::BadInput, message: problem.to_string() }
    }

    /// What was asked is right, but this machine or moment does not allow it.
    pub(crate) fn could_not_run(problem: impl std::fmt::Display) -> Self {
        Self { status: ExitStatus::CouldNotRun, message: problem.to_string() }
    }

    /// The same, with the place where it was found before it.
    pub(crate) fn within(self, place: &str) -> Self {
        Self { message: format!("{place}: {}", self.message), ..self }
    }

    /// The message as standard error shows it, its hint on a line of its own.
    pub(crate) fn lines(&self) -> String {
        // What is wrong repeats values of files and flags; they must neither fill the terminal nor steer it.
        let line = |text: &str| shortened(text, LINE_CHARS_MAX);
        match self.message.split_once("; hint: ") {
            Some((problem, hint)) => format!("lab: {}\nhint: {}", line(problem), line(hint)),
            None => format!("lab: {}", line(&self.message)),
        }
    }
}
