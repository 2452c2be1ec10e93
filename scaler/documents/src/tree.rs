//! Reads YAML or JSON text into trees whose every value knows its line.
//!
//! A document is read this way before it is typed, so that all its mistakes can be told at once, each with its line.

use std::collections::BTreeMap;
use std::fmt;

use excerpt::sentence;
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// The line of its first character, from 1.
    pub(crate) line: u64,
    pub(crate) value: Value,
}

/// What YAML's core schema makes of a node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Whole(i128),
    Decimal(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// A key of a map with its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    /// The line of the key.
    pub(crate) line: u64,
    pub(crate) node: Node,
}

impl Node {
    /// The entries of a map; none of anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value below a key; none where there is none, or null.
    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entries()
            .iter()
            .find(|entry| entry.key == key)
            .map(|entry| &entry.node)
            .filter(|node| !node.is_null())
    }

    /// Whether it is a map with this key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The items of a list; none of anything else.
    pub(crate) fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value as a message shows it.
    pub(crate) fn shown(&self) -> String {
        match &self.value {
            Value::Null => "null".into(),
            Value::Bool(value) => value.to_string(),
            Value::Whole(value) => value.to_string(),
            Value::Decimal(value) => value.to_string(),
            Value::Text(text) => format!("`{}`", excerpt::excerpt(text)),
            Value::List(items) => format!("a list of {}", items.len()),
            Value::Map(entries) => format!("a map of {}", entries.len()),
        }
    }
}

/// A text that is neither YAML nor JSON.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct SyntaxError {
    pub(crate) line: Option<u64>,
    pub(crate) message: String,
}

/// The documents of a text, in their order; those with nothing in them are left out.
pub(crate) fn read_trees(text: &str) -> Result<Vec<Node>, SyntaxError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let read: Result<Vec<Spanned<Value>>, _> = serde_saphyr::from_multiple(text);
    match read {
        Ok(documents) => Ok(documents.into_iter().map(node_of).filter(|node| !node.is_null()).collect()),
        Err(error) => {
            let line = error.location().map(|location| location.line()).filter(|line| *line > 0);
            let message = error.without_snippet().render_with_formatter(&serde_saphyr::UserMessageFormatter);
            Err(SyntaxError { line, message: sentence(message.lines().next().unwrap_or_default()) })
        }
    }
}

fn node_of(spanned: Spanned<Value>) -> Node {
    Node { line: spanned.referenced.line(), value: spanned.value }
}

/// The line of each field of a document, by its path.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    first: u64,
    by_path: BTreeMap<String, u64>,
}

impl Lines {
    pub(crate) fn of(document: &Node) -> Self {
        let mut lines = Self { first: document.line, by_path: BTreeMap::new() };
        lines.collect("", document);
        lines
    }

    fn collect(&mut self, path: &str, node: &Node) {
        for entry in node.entries() {
            let path = child(path, &entry.key);
            self.by_path.entry(path.clone()).or_insert(entry.line);
            self.collect(&path, &entry.node);
        }
        for (index, item) in node.items().iter().enumerate() {
            let path = format!("{path}[{index}]");
            self.by_path.insert(path.clone(), item.line);
            self.collect(&path, item);
        }
    }

    /// The line of a field, or where it is missing of the nearest one around it.
    pub fn of_field(&self, path: &str) -> u64 {
        let mut path = path;
        loop {
            if let Some(line) = self.by_path.get(path) {
                return *line;
            }
            // A key in brackets may have dots and slashes of its own.
            let end = if path.ends_with(']') { path.rfind('[') } else { path.rfind('.') };
            match end {
                Some(end) => path = &path[..end],
                None => return self.first,
            }
        }
    }
}

/// The path of a key below another: with a dot, or in brackets where the key has dots or slashes itself.
pub(crate) fn child(path: &str, key: &str) -> String {
    if key.contains(['.', '/', '[', ']']) {
        format!("{path}[{key}]")
    } else if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        Value::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Value::Whole(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Decimal(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Value, E> {
        Ok(Value::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element::<Spanned<Value>>()? {
            items.push(node_of(item));
        }
        Ok(Value::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(key) = access.next_key::<Spanned<String>>()? {
            let node = node_of(access.next_value::<Spanned<Value>>()?);
            entries.push(Entry { line: key.referenced.line(), key: key.value, node });
        }
        Ok(Value::Map(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_keeps_its_type_and_its_line() {
        let text = "a:\n  b: 50\n  c: \"50\"\n  d: [1.5, true, ~]\n---\n# nothing\n---\ne:\n  f.g/h: x\n";
        let trees = read_trees(text).unwrap();
        assert_eq!(trees.len(), 2);
        let a = trees[0].get("a").unwrap();
        assert_eq!(a.get("b").map(|node| (node.line, &node.value)), Some((2, &Value::Whole(50))));
        assert_eq!(a.get("c").map(|node| (node.line, &node.value)), Some((3, &Value::Text("50".into()))));
        let kinds: Vec<_> = a.get("d").unwrap().items().iter().map(|node| node.value.clone()).collect();
        assert_eq!(kinds, [Value::Decimal(1.5), Value::Bool(true), Value::Null]);
        let lines = Lines::of(&trees[1]);
        assert_eq!((lines.of_field("e"), lines.of_field("e[f.g/h]"), lines.of_field("e[x.y].z")), (8, 9, 8));
    }

    #[test]
    fn a_missing_field_has_the_line_of_what_is_around_it() {
        let trees = read_trees("kind: X\nspec:\n  metrics:\n    - type: A\n    - type: B\n").unwrap();
        let lines = Lines::of(&trees[0]);
        assert_eq!(lines.of_field("spec.metrics[1].resource.name"), 5);
        assert_eq!(lines.of_field("spec.maxReplicas"), 2);
        assert_eq!(lines.of_field("status"), 1);
    }

    #[test]
    fn json_is_read_as_well_and_broken_text_has_a_line() {
        let trees = read_trees("{\n\t\"a\": {\"b\": [1, \"x\\u0041\"]}\n}").unwrap();
        assert_eq!(trees[0].get("a").unwrap().get("b").unwrap().items()[1].text(), Some("xA"));
        assert!(read_trees("a: 1\nb: [\n").unwrap_err().line.is_some());
        assert_eq!(read_trees("a: 1\na: 2\n").unwrap_err().line, Some(2));
        assert_eq!(read_trees("\u{feff}a: 1\r\nb: 2\r\n").unwrap()[0].entries()[1].line, 2);
        assert_eq!(read_trees("").unwrap(), []);
    }

    #[test]
    fn aliases_and_hostile_texts_end() {
        let mut lines = vec!["a: &a [x,x,x,x,x,x,x,x,x]".to_owned()];
        for letter in b'b'..b'i' {
            let (new, old) = (letter as char, (letter - 1) as char);
            lines.push(format!("{new}: &{new} [{}]", vec![format!("*{old}"); 9].join(",")));
        }
        let bomb = lines.join("\n");
        assert!(read_trees(&bomb).is_err());
        assert!(read_trees(&"[".repeat(100_000)).is_err());
        assert!(read_trees(&"{a: ".repeat(10_000)).is_err());
        for text in ["\0", "%", "? ", "- -", "a: b: c", "!!binary x", "1: 2", "~: 1", "[a]: 1", ": 1"] {
            let _whatever = read_trees(text);
        }
    }
}
