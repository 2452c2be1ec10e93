//! What an importer makes of a file, and how it writes what it found so that a scenario means the same.

use std::collections::BTreeMap;

use excerpt::excerpt;

use super::notes::Notes;
use crate::scenario::document::{StepDocument, TaskDocument, TaskOrder, Wait};
use crate::scenario::located::Located;
use crate::scenario::untyped::Untyped;

/// What an importer found.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) description: String,
    pub(super) wait: Wait,
    pub(super) order: TaskOrder,
    pub(super) variables: BTreeMap<String, Untyped>,
    pub(super) tasks: Vec<TaskDocument>,
    pub(super) notes: Notes,
}

/// A path that leads to no other host: two slashes at its beginning would, so a segment that stands for nothing goes
/// before them.
pub(super) fn on_host(path: &str) -> String {
    match path.as_bytes() {
        [b'/', b'/' | b'\\', ..] => format!("/.{path}"),
        [b'/', ..] => path.to_owned(),
        _ => format!("/{path}"),
    }
}

/// A text in which `${` means nothing.
pub(super) fn literal(text: &str) -> String {
    text.replace("${", "$${")
}

/// A value in whose texts `${` means nothing.
pub(super) fn literal_value(value: &Untyped) -> Untyped {
    match value {
        Untyped::Text(text) => Untyped::Text(literal(text)),
        Untyped::List(entries) => Untyped::List(entries.iter().map(literal_value).collect()),
        Untyped::Map(fields) => {
            Untyped::Map(fields.iter().map(|(name, field)| (name.clone(), literal_value(field))).collect())
        }
        other => other.clone(),
    }
}

/// A step of a task.
pub(super) fn step(fields: StepDocument) -> Located<StepDocument> {
    fields.into()
}

/// A name as messages show it.
pub(super) fn quoted(name: &str) -> String {
    format!("`{}`", excerpt(name))
}
