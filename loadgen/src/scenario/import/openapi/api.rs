//! A description of an API and its operations, as all parts of the import see them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::super::made::quoted;
use super::super::notes::{Kind, Notes};
use super::reference;
use crate::scenario::compile::names::is_name;
use crate::scenario::untyped::Untyped;

const VALUE_ELSEWHERE: Kind = Kind {
    verb: "replaced",
    noun: ["value", "values"],
    which: "whose `$ref` leads out of the file or nowhere by a text",
};

/// A description, and what there is to say about it.
pub(super) struct Api<'a> {
    pub(super) root: &'a Untyped,
    pub(super) notes: RefCell<Notes>,
}

/// An operation of a path.
#[derive(Clone, Copy)]
pub(super) struct Operation<'a> {
    pub(super) path: &'a str,
    pub(super) method: &'a str,
    pub(super) item: &'a Untyped,
    pub(super) fields: &'a Untyped,
}

impl Operation<'_> {
    /// The name in results.
    pub(super) fn title(&self) -> String {
        format!("{} {}", self.method.to_ascii_uppercase(), self.path)
    }
}

/// The variables of the scenario: one for each value of a parameter.
#[derive(Default)]
pub(super) struct Variables {
    pub(super) values: BTreeMap<String, Untyped>,
    /// By the parameter's name and the value's JSON.
    names: BTreeMap<(String, String), String>,
}

impl Variables {
    /// The variable that has this value of this parameter.
    pub(super) fn name(&mut self, parameter: &str, value: &Untyped) -> String {
        let key = (parameter.to_owned(), value.to_json());
        if let Some(known) = self.names.get(&key) {
            return known.clone();
        }
        let clean: String =
            parameter.chars().map(|each| if each.is_ascii_alphanumeric() { each } else { '_' }).collect();
        let clean = if is_name(&clean) { clean } else { format!("p_{clean}") };
        let numbered = (2..).map(|number| format!("{clean}_{number}"));
        let name =
            std::iter::once(clean.clone()).chain(numbered).find(|name| !self.values.contains_key(name));
        let name = name.expect("there are fewer variables than numbers");
        // What a variable holds is sent as it is.
        self.values.insert(name.clone(), value.clone());
        self.names.insert(key, name.clone());
        name
    }
}

impl<'a> Api<'a> {
    /// One of which there is nothing to say yet.
    pub(super) fn new(root: &'a Untyped) -> Self {
        Self { root, notes: RefCell::default() }
    }

    /// Counts one more of `kind`.
    pub(super) fn count(&self, kind: Kind, example: &str) {
        self.notes.borrow_mut().count(kind, example);
    }

    /// What a value stands for, or the reference that leads nowhere.
    pub(super) fn follow(&self, value: &'a Untyped) -> Result<&'a Untyped, &'a str> {
        reference::resolved(self.root, value)
    }

    /// What a value stands for; where that is not in the file, it is told that `what` was replaced.
    pub(super) fn resolved(&self, value: &'a Untyped, what: &str) -> Option<&'a Untyped> {
        self.follow(value)
            .map_err(|reference| self.count(VALUE_ELSEWHERE, &format!("{what} {}", quoted(reference))))
            .ok()
    }
}

impl<'a> Operation<'a> {
    /// Its tags.
    pub(super) fn tags(&self) -> impl Iterator<Item = &'a str> {
        self.fields.get("tags").map(Untyped::entries).unwrap_or_default().iter().filter_map(Untyped::as_str)
    }
}
