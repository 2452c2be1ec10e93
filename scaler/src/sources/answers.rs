//! Answers what policies want besides the signals of one window, the same way for every source.

use std::collections::BTreeMap;
use std::time::Duration;

use scaler_engine::{Answer, Metric, NamedMetric, Need};
use scaler_signals::{ServiceInWindow, Wanted, is_metric_name, signal_of, unanswerable};

use super::problem::bounded;
use super::queries::query_of;

/// An answer to each further need: signals from what is known of all replicas in a window, queries that policies bring along
/// from their server, metrics with open names, of which the need's place is told, as the source finds them.
pub(super) fn to<'a>(
    wanted: &Wanted,
    in_window: impl Fn(Duration) -> ServiceInWindow<'a>,
    brought_along: impl Fn(&Need, &NamedMetric) -> Answer,
    named: impl Fn(usize, &Need, &NamedMetric) -> Answer,
) -> Vec<Answer> {
    let mut windows = BTreeMap::new();
    let answer = |(place, need): (usize, &Need)| {
        if let Some(query) = query_of(need) {
            return brought_along(need, query);
        }
        match (&need.metric, signal_of(&need.metric)) {
            (_, Some(signal)) => {
                windows.entry(need.window).or_insert_with(|| in_window(need.window)).answer(need, signal)
            }
            (Metric::Named(metric), None) if can_be_looked_for(metric) => named(place, need, metric),
            (metric, None) => unanswerable(
                need,
                bounded(&format!(
                    "`{metric}` is not a metric that can be exposed, expected letters, digits, `_` and `:` in its \
                     name, and no digit first"
                )),
            ),
        }
    };
    wanted.further().iter().enumerate().map(answer).collect()
}

/// Whether Prometheus' text can hold such a metric with such labels.
pub(super) fn can_be_looked_for(metric: &NamedMetric) -> bool {
    let is_label = |label: &String| is_metric_name(label) && !label.contains(':');
    is_metric_name(&metric.name) && metric.labels.keys().all(is_label)
}

/// Why metrics with open names are not measured, one sentence each.
pub(super) fn problems(answers: &[Answer]) -> Vec<String> {
    let mut problems: Vec<String> = Vec::new();
    for Answer { need, problem, .. } in answers {
        if let (Metric::Named(_), Some(problem)) = (&need.metric, problem) {
            let problem = bounded(&format!("a policy's metric is not measured: {problem}"));
            if !problems.contains(&problem) {
                problems.push(problem);
            }
        }
    }
    problems
}
