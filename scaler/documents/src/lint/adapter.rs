//! Rules about the rules of the Prometheus Adapter.

use super::{Report, Severity};
use crate::adapter_rules::AdapterRule;

pub(super) const WITHOUT_GROUP_BY: &str = "adapter-rule-without-group-by";

/// Without grouping, a query has one value for all pods, and the adapter finds none for a single one.
pub(super) fn judge(rules: &[AdapterRule], report: &mut Report) {
    for (index, rule) in rules.iter().enumerate() {
        let query: String = rule.metrics_query.split_whitespace().collect();
        if rule.is_external
            || query.is_empty()
            || query.contains("by(<<.GroupBy>>")
            || query.contains("<<.GroupBySlice>>")
        {
            continue;
        }
        let message = format!(
            "the query of rule {} for `{}` does not group by what is asked for: it has one value for all pods, and no pod gets \
             one of its own; write sum(…) by (<<.GroupBy>>)",
            index + 1,
            excerpt::excerpt(rule.name_as.as_deref().unwrap_or(&rule.series_query)),
        );
        let field = format!("{}.metricsQuery", rule.field);
        report.add(
            WITHOUT_GROUP_BY,
            Severity::Error,
            (rule.line, &field),
            message,
            &[("rule", (index + 1) as f64)],
        );
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::found;
    use super::*;

    #[test]
    fn a_rule_groups_by_what_is_asked_for() {
        let rules = |query: &str| {
            format!("rules:\n  - seriesQuery: 'http_requests_total{{}}'\n    metricsQuery: '{query}'\n")
        };
        let finding =
            found(WITHOUT_GROUP_BY, &rules("sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m]))")).unwrap();
        assert_eq!((finding.line, finding.field.as_str()), (2, "rules[0].metricsQuery"));
        assert_eq!(
            found(
                WITHOUT_GROUP_BY,
                &rules("sum(rate(<<.Series>>{<<.LabelMatchers>>}[1m])) by (<<.GroupBy>>)")
            ),
            None
        );
        assert_eq!(
            found(WITHOUT_GROUP_BY, &rules("sum by (<<.GroupBy>>) (<<.Series>>{<<.LabelMatchers>>})")),
            None
        );
    }

    #[test]
    fn rules_are_found_in_the_adapters_config_map() {
        let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: adapter}\ndata:\n  config.yaml: |\n    rules:\n      - seriesQuery: a\n        metricsQuery: max(a)\n";
        assert_eq!(found(WITHOUT_GROUP_BY, text).unwrap().line, 7);
    }
}
