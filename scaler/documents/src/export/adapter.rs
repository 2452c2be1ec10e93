//! Writes the rules of the Prometheus Adapter that an autoscaler with this intent needs.

use super::intent::{Intent, Measure};
use super::quoted;

pub(super) fn write(intent: &Intent, lost: &mut Vec<String>) -> String {
    let (mut custom, mut external) = (Vec::new(), Vec::new());
    for metric in &intent.metrics {
        match &metric.measure {
            Measure::Resource(..) => {
                lost.push("resources: the metrics server has them, the adapter needs no rule".to_owned());
            }
            Measure::Pods(name) => custom.push(rule(name, "resources:\n      overrides:\n        namespace: {resource: namespace}\n        pod: {resource: pod}")),
            Measure::Object(name, object) => {
                let resource = object.kind.to_lowercase();
                custom.push(rule(name, &format!("resources:\n      overrides:\n        namespace: {{resource: namespace}}\n        {resource}: {{resource: {resource}}}")));
            }
            Measure::External(name) => external.push(rule(name, "resources: {namespaced: false}")),
            Measure::Query { query, .. } => external.push(format!(
                "  - seriesQuery: '{{__name__=~\".+\"}}'\n    name: {{as: query_result}}\n    resources: {{namespaced: false}}\n    \
                 metricsQuery: {}\n",
                quoted(query)
            )),
            Measure::Schedule { .. } => lost.push("the schedule: it is not a metric".to_owned()),
        }
    }
    let mut text = String::new();
    for (name, rules) in [("rules", custom), ("externalRules", external)] {
        if !rules.is_empty() {
            text.push_str(name);
            text.push_str(":\n");
            text.push_str(&rules.concat());
        }
    }
    if text.is_empty() { "rules: []\n".to_owned() } else { text }
}

/// A rule; `NAME_per_second` is the rate of the counter `NAME_total`, as everywhere in the lab.
fn rule(name: &str, resources: &str) -> String {
    let (series, query) = match name.strip_suffix("_per_second") {
        Some(stem) => {
            (format!("{stem}_total"), "sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)")
        }
        None => (name.to_owned(), "sum(<<.Series>>{<<.LabelMatchers>>}) by (<<.GroupBy>>)"),
    };
    format!(
        "  - seriesQuery: {}\n    name: {{as: {}}}\n    {resources}\n    metricsQuery: {}\n",
        quoted(&series),
        quoted(name),
        quoted(query)
    )
}
