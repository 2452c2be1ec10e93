//! Reads what every object of Kubernetes has: `apiVersion`, `kind`, `metadata`.

use std::collections::BTreeMap;

use excerpt::excerpt;

use crate::fields::Fields;
use crate::problem::Problems;
use crate::tree::{Node, Value};

/// The longest name of an object.
const NAME_CHARS_MAX: usize = 253;

/// What of `metadata` matters here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.namespace`; none is the namespace that `kubectl` is set to.
    pub namespace: Option<String>,
    /// `metadata.labels`.
    pub labels: BTreeMap<String, String>,
    /// `metadata.annotations`.
    pub annotations: BTreeMap<String, String>,
}

impl Header {
    /// Whether two objects can be in one namespace.
    pub fn shares_namespace_with(&self, other: &Self) -> bool {
        match (&self.namespace, &other.namespace) {
            (Some(one), Some(other)) => one == other,
            _ => true,
        }
    }
}

/// Takes `apiVersion`, `kind` and `metadata`, and passes `status` over, which only a server writes.
pub(crate) fn read_header(document: &mut Fields<'_>, problems: &mut Problems) -> Header {
    document.pass_over(&["apiVersion", "kind", "status"]);
    let Some(mut metadata) = document.map("metadata", problems) else {
        problems.missing("metadata.name", "a name", "add metadata: {name: …}");
        return Header::default();
    };
    let hint = "use lowercase letters, digits, `-` and `.`, with a letter or digit at both ends";
    let name = if metadata.take("generateName").is_some() && metadata.take("name").is_none() {
        metadata.text("generateName", problems)
    } else {
        metadata.required_text("name", "a name", hint, problems)
    };
    if let Some(name) = name
        && !is_name(name.trim_end_matches('-'))
    {
        problems.wrong("metadata.name", format_args!("`{}`", excerpt(name)), "a name as DNS has them", hint);
    }
    let header = Header {
        name: name.unwrap_or_default().to_owned(),
        namespace: metadata.text("namespace", problems).map(str::to_owned),
        labels: texts(&mut metadata, "labels", problems),
        annotations: texts(&mut metadata, "annotations", problems),
    };
    metadata.pass_over(&[
        "creationTimestamp",
        "deletionGracePeriodSeconds",
        "deletionTimestamp",
        "finalizers",
        "generation",
        "managedFields",
        "ownerReferences",
        "resourceVersion",
        "selfLink",
        "uid",
    ]);
    metadata.finish(problems);
    header
}

/// A map of texts, such as labels.
pub(crate) fn texts(
    fields: &mut Fields<'_>,
    name: &'static str,
    problems: &mut Problems,
) -> BTreeMap<String, String> {
    let Some(node) = fields.take(name) else { return BTreeMap::new() };
    texts_of(node, &fields.at(name), problems)
}

/// As [`texts`], of a node.
pub(crate) fn texts_of(node: &Node, path: &str, problems: &mut Problems) -> BTreeMap<String, String> {
    if !matches!(node.value, Value::Map(_)) {
        problems.wrong(path, node.shown(), "a map of texts", "indent its entries below it");
    }
    let mut read = BTreeMap::new();
    for entry in node.entries() {
        if let Some(text) = entry.node.text() {
            read.insert(entry.key.clone(), text.to_owned());
        } else {
            let field = crate::tree::child(path, &entry.key);
            let hint = format!("write it in quotes: {}: \"{}\"", entry.key, quoted(&entry.node));
            problems.wrong(&field, entry.node.shown(), "a text, in quotes", hint);
        }
    }
    read
}

fn quoted(node: &Node) -> String {
    match node.value {
        Value::Null => String::new(),
        _ => node.shown(),
    }
}

/// Whether Kubernetes takes this as the name of an object: a DNS subdomain.
pub(crate) fn is_name(name: &str) -> bool {
    let is_edge = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_label = |label: &str| {
        let bytes = label.as_bytes();
        bytes.first().is_some_and(|byte| is_edge(*byte))
            && bytes.last().is_some_and(|byte| is_edge(*byte))
            && bytes.iter().all(|byte| is_edge(*byte) || *byte == b'-')
    };
    name.len() <= NAME_CHARS_MAX && name.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_dns_subdomains() {
        for name in ["x", "shop-2", "a.b.c", "0"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "Shop", "-a", "a-", "a..b", "a_b", "ä", &"x".repeat(254)] {
            assert!(!is_name(name), "{name}");
        }
    }
}
