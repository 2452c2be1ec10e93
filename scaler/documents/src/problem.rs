//! Collects everything that is wrong with a document, and what is only worth knowing about it.

use std::fmt;

use crate::tree::{Lines, Node};

/// A mistake because of which a document is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; none where the text as a whole is meant.
    pub line: Option<u64>,
    /// The path of the field, such as `spec.metrics[0].type`; empty where no field is meant.
    pub field: String,
    /// Field, value, and what was expected.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Something that is followed differently from what one might think, or not at all. The document stays valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The line, from 1; none where the text as a whole is meant.
    pub line: Option<u64>,
    /// The path of the field; empty where no field is meant.
    pub field: String,
    /// What is the matter.
    pub message: String,
}

impl Problem {
    pub(crate) fn of_text(line: Option<u64>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { line, field: String::new(), message: message.into(), hint: hint.into() }
    }
}

/// What is found while one document is read; fields get their lines from it.
#[derive(Clone, Debug)]
pub(crate) struct Problems {
    pub(crate) found: Vec<Problem>,
    pub(crate) notices: Vec<Notice>,
    pub(crate) lines: Lines,
}

impl Problems {
    pub(crate) fn of(document: &Node) -> Self {
        Self { found: Vec::new(), notices: Vec::new(), lines: Lines::of(document) }
    }

    /// A field whose value is not what was expected.
    pub(crate) fn wrong(
        &mut self,
        field: &str,
        value: impl fmt::Display,
        expected: impl fmt::Display,
        hint: impl Into<String>,
    ) {
        self.say(field, format!("`{field}` is {value}, expected {expected}"), hint);
    }

    /// A field that is not there.
    pub(crate) fn missing(&mut self, field: &str, expected: impl fmt::Display, hint: impl Into<String>) {
        self.say(field, format!("`{field}` is missing, expected {expected}"), hint);
    }

    pub(crate) fn say(&mut self, field: &str, message: impl Into<String>, hint: impl Into<String>) {
        let line = Some(self.lines.of_field(field));
        self.found.push(Problem {
            line,
            field: field.to_owned(),
            message: message.into(),
            hint: hint.into(),
        });
    }

    pub(crate) fn notice(&mut self, field: &str, message: impl Into<String>) {
        let line = Some(self.lines.of_field(field));
        self.notices.push(Notice { line, field: field.to_owned(), message: message.into() });
    }
}
