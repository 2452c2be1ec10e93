//! Takes the settings of a trigger, all of which KEDA wants as texts.

use std::collections::BTreeMap;

use excerpt::excerpt;

use crate::fields::nearest;
use crate::header::texts_of;
use crate::problem::Problems;
use crate::tree::{Node, child};

/// The texts below `metadata` of a trigger; what was not taken is told of.
pub(super) struct Metadata {
    path: String,
    texts: BTreeMap<String, String>,
    known: Vec<&'static str>,
}

impl Metadata {
    pub(super) fn of(node: Option<&Node>, path: String, problems: &mut Problems) -> Self {
        let texts = node.map(|node| texts_of(node, &path, problems)).unwrap_or_default();
        Self { path, texts, known: Vec::new() }
    }

    pub(super) fn at(&self, name: &str) -> String {
        child(&self.path, name)
    }

    /// Takes a text. `NAMEFromEnv` reads it from the environment of the target, where the lab cannot see it.
    pub(super) fn text(&mut self, name: &'static str) -> Option<&str> {
        self.known.push(name);
        self.texts.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    pub(super) fn required(
        &mut self,
        name: &'static str,
        example: &str,
        problems: &mut Problems,
    ) -> Option<String> {
        if let Some(text) = self.text(name) {
            return Some(text.to_owned());
        }
        if self.texts.contains_key(&format!("{name}FromEnv")) {
            return Some(String::new());
        }
        let field = self.at(name);
        // A number is there and told of as such already.
        if !problems.found.iter().any(|problem| problem.field == field) {
            problems.missing(&field, "a text", format!("{name}: \"{example}\", for example"));
        }
        None
    }

    /// Takes a number that lies above a bound.
    pub(super) fn number(&mut self, name: &'static str, above: f64, problems: &mut Problems) -> Option<f64> {
        let text = self.text(name)?.to_owned();
        let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > above);
        if number.is_none() {
            let expected = if above.is_finite() {
                format!("a number above {above}, in quotes")
            } else {
                "a number in quotes".into()
            };
            let hint = "write digits, with a point for fractions and without a unit";
            problems.wrong(&self.at(name), format_args!("`{}`", excerpt(&text)), expected, hint);
        }
        number
    }

    /// Takes a whole number of at least `least`.
    pub(super) fn whole(&mut self, name: &'static str, least: i64, problems: &mut Problems) -> Option<i64> {
        let text = self.text(name)?.to_owned();
        let number = text.parse::<i64>().ok().filter(|number| *number >= least);
        if number.is_none() {
            let expected = format!("a whole number of at least {least}, in quotes");
            let hint = "write digits only";
            problems.wrong(&self.at(name), format_args!("`{}`", excerpt(&text)), expected, hint);
        }
        number
    }

    pub(super) fn flag(&mut self, name: &'static str, problems: &mut Problems) -> Option<bool> {
        let text = self.text(name)?.to_owned();
        let flag = match text.as_str() {
            "true" | "True" | "TRUE" | "t" | "T" | "1" => Some(true),
            "false" | "False" | "FALSE" | "f" | "F" | "0" => Some(false),
            _ => None,
        };
        if flag.is_none() {
            let value = format!("`{}`", excerpt(&text));
            problems.wrong(&self.at(name), value, "\"true\" or \"false\"", "write it in quotes");
        }
        flag
    }

    /// Settings of the scaler that mean nothing for a count.
    pub(super) fn pass_over(&mut self, names: &[&'static str]) {
        self.known.extend(names);
    }

    /// Tells of settings that look like a slip. KEDA itself passes over what it does not know.
    pub(super) fn finish(self, problems: &mut Problems) {
        for name in self.texts.keys() {
            let plain = name.strip_suffix("FromEnv").unwrap_or(name);
            if self.known.contains(&plain) {
                continue;
            }
            let field = child(&self.path, name);
            let meant = nearest(plain, self.known.iter().copied());
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?")).unwrap_or_default();
            problems.notice(
                &field,
                format!("`{}` is not known for this trigger and has no effect{meant}", excerpt(&field)),
            );
        }
    }
}
