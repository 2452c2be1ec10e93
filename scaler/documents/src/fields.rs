//! Takes the fields of a map one by one, and tells which of them are unknown.

use std::fmt;

use excerpt::excerpt;

use crate::problem::Problems;
use crate::quantity::{QUANTITY_HINT, parse_milli};
use crate::tree::{Node, Value, child};

/// How alike two names must be for the one to be meant by the other.
const LIKENESS_MIN: f64 = 0.75;

/// A map of a document, of which each known field is taken once. What was not taken is unknown.
#[derive(Debug)]
pub(crate) struct Fields<'n> {
    pub(crate) path: String,
    node: &'n Node,
    known: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// The fields of a node; tells if it is not a map.
    pub(crate) fn of(node: &'n Node, path: &str, problems: &mut Problems) -> Option<Self> {
        if matches!(node.value, Value::Map(_)) {
            return Some(Self { path: path.to_owned(), node, known: Vec::new() });
        }
        problems.wrong(path, node.shown(), "a map of fields", "indent its fields below it");
        None
    }

    /// The path of one of its fields.
    pub(crate) fn at(&self, name: &str) -> String {
        child(&self.path, name)
    }

    /// Takes a field as it is.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<&'n Node> {
        self.known.push(name);
        self.node.get(name)
    }

    /// Fields that may be there and mean nothing here.
    pub(crate) fn pass_over(&mut self, names: &[&'static str]) {
        self.known.extend(names);
    }

    /// Takes a map.
    pub(crate) fn map(&mut self, name: &'static str, problems: &mut Problems) -> Option<Fields<'n>> {
        let node = self.take(name)?;
        Fields::of(node, &self.at(name), problems)
    }

    /// Takes a list; none where there is none, an empty one where it is another kind of value.
    pub(crate) fn list(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'n [Node]> {
        let node = self.take(name)?;
        if let Value::List(items) = &node.value {
            return Some(items);
        }
        problems.wrong(&self.at(name), node.shown(), "a list", "begin each item with `- `");
        Some(&[])
    }

    /// Takes a text; numbers and words that YAML reads as something else must be in quotes.
    pub(crate) fn text(&mut self, name: &'static str, problems: &mut Problems) -> Option<&'n str> {
        let node = self.take(name)?;
        let text = node.text();
        if text.is_none() {
            let hint = format!("write it in quotes: {name}: \"{}\"", node.shown().trim_matches('`'));
            problems.wrong(&self.at(name), node.shown(), "a text", hint);
        }
        text
    }

    /// Takes a text that must be there and not be empty.
    pub(crate) fn required_text(
        &mut self,
        name: &'static str,
        expected: &str,
        hint: &str,
        problems: &mut Problems,
    ) -> Option<&'n str> {
        match self.take(name) {
            None => {
                problems.missing(&self.at(name), expected, hint);
                None
            }
            Some(node) if node.text() == Some("") => {
                problems.wrong(&self.at(name), "empty", expected, hint);
                None
            }
            Some(_) => self.text(name, problems),
        }
    }

    /// Takes a whole number of at most 32 bits that lies in a range.
    pub(crate) fn whole(
        &mut self,
        name: &'static str,
        range: std::ops::RangeInclusive<i32>,
        hint: &str,
        problems: &mut Problems,
    ) -> Option<i32> {
        let node = self.take(name)?;
        let number = match node.value {
            Value::Whole(number) => i32::try_from(number).ok(),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        if number.is_none() {
            problems.wrong(&self.at(name), node.shown(), expected_whole(&range), hint);
        }
        number
    }

    /// Takes a count of replicas.
    pub(crate) fn replicas(
        &mut self,
        name: &'static str,
        least: i32,
        hint: &str,
        problems: &mut Problems,
    ) -> Option<u32> {
        self.whole(name, least..=i32::MAX, hint, problems).and_then(|count| u32::try_from(count).ok())
    }

    /// Takes true or false.
    pub(crate) fn flag(&mut self, name: &'static str, problems: &mut Problems) -> Option<bool> {
        let node = self.take(name)?;
        if let Value::Bool(value) = node.value {
            return Some(value);
        }
        problems.wrong(&self.at(name), node.shown(), "true or false", "write it without quotes");
        None
    }

    /// Takes one of several words.
    pub(crate) fn one_of<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&str, T)],
        problems: &mut Problems,
    ) -> Option<T> {
        let node = self.take(name)?;
        let found = node.text().and_then(|text| words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let hint = match node.text().and_then(|text| nearest(text, names.iter().copied())) {
                Some(meant) => format!("did you mean {meant}?"),
                None => "upper and lower case count".to_owned(),
            };
            problems.wrong(&self.at(name), node.shown(), listed(&names), hint);
        }
        found.map(|(_, value)| *value)
    }

    /// Takes a quantity such as `500m` or `128Mi`, in thousandths.
    pub(crate) fn quantity_milli(&mut self, name: &'static str, problems: &mut Problems) -> Option<i64> {
        let node = self.take(name)?;
        quantity_of(node, &self.at(name), problems)
    }

    /// Tells which fields nobody took.
    pub(crate) fn finish(self, problems: &mut Problems) {
        for entry in self.node.entries() {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            let field = self.at(&entry.key);
            let owner = if self.path.is_empty() { "the document" } else { self.path.as_str() };
            let hint = match nearest(&entry.key, self.known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known here are {}", self.known.join(", ")),
            };
            problems.say(&field, format!("`{}` is not a field of {owner}", excerpt(&field)), hint);
        }
    }
}

/// A quantity in thousandths.
pub(crate) fn quantity_of(node: &Node, field: &str, problems: &mut Problems) -> Option<i64> {
    let milli = match &node.value {
        Value::Text(text) => parse_milli(text),
        Value::Whole(number) => parse_milli(&number.to_string()),
        Value::Decimal(number) => parse_milli(&number.to_string()),
        _ => None,
    };
    if milli.is_none() {
        problems.wrong(field, node.shown(), "a quantity such as 500m, 2, 1k or 128Mi", QUANTITY_HINT);
    }
    milli
}

fn expected_whole(range: &std::ops::RangeInclusive<i32>) -> String {
    match (*range.start(), *range.end()) {
        (least, i32::MAX) => format!("a whole number of at least {least}"),
        (least, most) => format!("a whole number from {least} to {most}"),
    }
}

/// Names, as a sentence lists them.
pub(crate) fn listed<T: fmt::Display>(names: &[T]) -> String {
    match names {
        [] => String::new(),
        [one] => one.to_string(),
        [first @ .., last] => {
            let first: Vec<String> = first.iter().map(ToString::to_string).collect();
            format!("{} or {last}", first.join(", "))
        }
    }
}

/// The name that was probably meant.
pub(crate) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if written.len() > 64 {
        return None;
    }
    let lower = written.to_lowercase();
    known
        .map(|name| (strsim::normalized_damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= LIKENESS_MIN)
        .max_by(|(one, _), (other, _)| one.total_cmp(other))
        .map(|(_, name)| name)
}
