//! Reads rules of the Prometheus Adapter, as far as `lint` judges them: alone, or in the adapter's `ConfigMap`.

use crate::problem::Problems;
use crate::tree::{Lines, Node, read_trees};

/// A rule that makes a metric of the custom metrics API.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterRule {
    /// Its path in the document.
    pub field: String,
    /// Its line.
    pub line: u64,
    /// `seriesQuery`.
    pub series_query: String,
    /// `metricsQuery`.
    pub metrics_query: String,
    /// `name.as`, where the metric is named.
    pub name_as: Option<String>,
    /// Whether it is for the external metrics API.
    pub is_external: bool,
}

/// The rules of a document; none if it is not a document of rules.
pub(crate) fn read_rules(node: &Node, problems: &mut Problems) -> Option<Vec<AdapterRule>> {
    if node.get("kind").and_then(Node::text) == Some("ConfigMap") {
        let config = node.get("data")?.get("config.yaml")?;
        // The rules are a text within the text; its lines are counted from its own beginning.
        let inner = read_trees(config.text()?).ok()?;
        let rules = rules_of(inner.first()?, "data[config.yaml].")?;
        let first = Lines::of(node).of_field("data[config.yaml]");
        return Some(rules.into_iter().map(|rule| AdapterRule { line: rule.line + first, ..rule }).collect());
    }
    if node.has("kind") {
        return None;
    }
    let rules = rules_of(node, "")?;
    for rule in rules.iter().filter(|rule| rule.metrics_query.is_empty()) {
        let hint = "sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>), for example";
        problems.missing(&format!("{}.metricsQuery", rule.field), "the query of the rule", hint);
    }
    Some(rules)
}

fn rules_of(node: &Node, prefix: &str) -> Option<Vec<AdapterRule>> {
    let lists = [("rules", false), ("externalRules", true)];
    let lists = lists.into_iter().filter(|(name, _)| node.has(name)).collect::<Vec<_>>();
    if lists.is_empty() {
        return None;
    }
    let lines = Lines::of(node);
    let mut rules = Vec::new();
    for (name, is_external) in lists {
        for (index, item) in node.get(name)?.items().iter().enumerate() {
            let text = |key: &str| item.get(key).and_then(Node::text).unwrap_or_default().to_owned();
            let path = format!("{name}[{index}]");
            rules.push(AdapterRule {
                line: lines.of_field(&path),
                field: format!("{prefix}{path}"),
                series_query: text("seriesQuery"),
                metrics_query: text("metricsQuery"),
                name_as: item
                    .get("name")
                    .and_then(|name| name.get("as"))
                    .and_then(Node::text)
                    .map(str::to_owned),
                is_external,
            });
        }
    }
    Some(rules)
}
