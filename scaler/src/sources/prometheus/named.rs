//! Asks for the metrics with open names that policies need: one query for all of them.
//!
//! Of each metric it asks for the value by that very name, the rate of the counter that the name stands for, and whether
//! there are series at all, so that an absence can be explained.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use prometheus_http_query::response::InstantVector;
use scaler_engine::{Answer, Metric, NamedMetric, Need, Reading, Scope};
use scaler_signals::{Found, Wanted, counter_of, signal_of, unanswerable};

use super::queries::{FIGURE, instances_pattern, together};
use crate::sources::answers::can_be_looked_for;
use crate::sources::queries::query_of;

const VALUE: &str = "value";
const RATE: &str = "rate";
/// The counter, of which there may be too few samples for a rate.
const COUNTER: &str = "counter";
/// Series of either name with any labels.
const ANY: &str = "any";
/// When the newest sample was taken; seconds since the Unix epoch.
const AT: &str = "at";

/// What the query brought.
#[derive(Debug, Default)]
pub(super) struct NamedAnswer {
    /// When it came (run time).
    pub(super) at: Duration,
    /// The moment of evaluation; seconds since the Unix epoch as Prometheus tells it.
    evaluated_at: f64,
    /// By figure and `instance`, which what is outside the service does not have.
    values: BTreeMap<(String, Option<String>), f64>,
}

/// The query; none if no metric has an open name. `range` says how long a span to ask for is for a window.
pub(super) fn query<'a>(
    wanted: &Wanted,
    instances: impl Iterator<Item = &'a str>,
    range: impl Fn(Duration) -> Duration,
) -> Option<String> {
    let replicas = instances_pattern(instances);
    let mut parts = Vec::new();
    for (place, need) in wanted.further().iter().enumerate() {
        if let (Metric::Named(metric), None) = (&need.metric, signal_of(&need.metric))
            && can_be_looked_for(metric)
            && query_of(need).is_none()
        {
            let expressions = Expressions::of(need, metric, &replicas, range(need.window));
            parts.extend(expressions.0.into_iter().map(|(figure, text)| (figure_of(place, figure), text)));
        }
    }
    let parts: Vec<(&str, String)> =
        parts.iter().map(|(figure, text)| (figure.as_str(), text.clone())).collect();
    (!parts.is_empty()).then(|| together(&parts))
}

fn figure_of(place: usize, figure: &str) -> String {
    format!("{place}_{figure}")
}

/// The expressions of one need, each with its figure.
struct Expressions(Vec<(&'static str, String)>);

impl Expressions {
    fn of(need: &Need, metric: &NamedMetric, replicas: &str, range: Duration) -> Self {
        let (by, own) = match need.scope {
            Scope::External => ("", String::new()),
            Scope::Service | Scope::EachReplica => (" by (instance) ", replicas.to_owned()),
        };
        let mut selector = own.clone();
        for (label, value) in &metric.labels {
            let comma = if selector.is_empty() { "" } else { "," };
            write!(selector, "{comma}{label}=\"{}\"", escaped(value))
                .expect("writing to a string does not fail");
        }
        let name = &metric.name;
        let (series, any) = (format!("{name}{{{selector}}}"), format!("{name}{{{own}}}"));
        let mut expressions = vec![(VALUE, format!("sum{by}({series})"))];
        let (mut all, mut times) = (any, format!("timestamp({series})"));
        if let Some(counter) = counter_of(name) {
            let counted = format!("{counter}{{{selector}}}");
            let rate = format!("sum{by}(rate({counted}[{}ms]))", range.as_millis());
            expressions.push((RATE, rate));
            expressions.push((COUNTER, format!("sum{by}({counted})")));
            write!(all, " or {counter}{{{own}}}").expect("writing to a string does not fail");
            write!(times, " or timestamp({counted})").expect("writing to a string does not fail");
        }
        expressions.push((ANY, format!("count{by}({all})")));
        if need.scope == Scope::External {
            expressions.push((AT, format!("max({times})")));
        }
        Self(expressions)
    }
}

/// A label's value within double quotes.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

impl NamedAnswer {
    /// Reads the answer, which came at `at` (run time).
    pub(super) fn read(at: Duration, points: Vec<InstantVector>) -> Self {
        let mut answer = Self { at, ..Self::default() };
        for point in points {
            let (mut labels, sample) = point.into_inner();
            answer.evaluated_at = answer.evaluated_at.max(sample.timestamp());
            if let Some(figure) = labels.remove(FIGURE) {
                answer.values.insert((figure, labels.remove("instance")), sample.value());
            }
        }
        answer
    }

    fn value(&self, place: usize, figure: &str, instance: Option<&str>) -> Option<f64> {
        self.values.get(&(figure_of(place, figure), instance.map(str::to_owned))).copied()
    }

    /// What is known of the metric of the need at `place`, at an instance or outside the service.
    pub(super) fn found(&self, place: usize, instance: Option<&str>) -> Found {
        let value = |figure| self.value(place, figure, instance);
        if let Some(value) = value(VALUE).or_else(|| value(RATE)) {
            Found::Value(value)
        } else if value(COUNTER).is_some() {
            Found::CounterOnce
        } else if value(ANY).is_some() {
            Found::OtherLabels
        } else {
            Found::Nothing
        }
    }

    /// The answer to a need for something outside the service, which was looked for in `place_name`.
    pub(super) fn external(
        &self,
        place: usize,
        need: &Need,
        metric: &NamedMetric,
        place_name: &str,
        now: Duration,
    ) -> Answer {
        let found = self.found(place, None);
        let problem = found.why_absent(metric, place_name).unwrap_or_default();
        let Some(value) = found.value() else { return unanswerable(need, problem) };
        let sampled = self.value(place, AT, None).unwrap_or(self.evaluated_at);
        let age = Duration::try_from_secs_f64(self.evaluated_at - sampled).unwrap_or_default();
        let age = age + now.saturating_sub(self.at);
        Answer {
            reading: Some(Reading { value: Some(value), age }),
            problem: None,
            ..unanswerable(need, problem)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metric(name: &str, labels: &[(&str, &str)]) -> NamedMetric {
        let labels = labels.iter().map(|&(label, value)| (label.to_owned(), value.to_owned())).collect();
        NamedMetric { name: name.to_owned(), labels }
    }

    #[test]
    fn one_query_asks_for_values_rates_and_what_explains_an_absence() {
        let window = Duration::from_secs(15);
        let orders = metric("orders_per_second", &[("region", "e\"u")]);
        let lag = Need { metric: Metric::Named(metric("lag", &[])), scope: Scope::External, window };
        let bad = metric("a\"} or vector(1)", &[]);
        let wanted = Wanted::signals_over(Duration::from_secs(30)).and_needs([
            Need::of_each_replica(Metric::Named(orders), window),
            lag,
            Need::of_service(Metric::Named(bad), window),
        ]);
        let query = query(&wanted, ["a:1", "b:2"].into_iter(), |window| window * 2).unwrap();
        for part in [
            "sum by (instance) (orders_per_second{instance=~\"a:1|b:2\",region=\"e\\\"u\"}), \"figure\", \"0_value\"",
            "sum by (instance) (rate(orders_total{instance=~\"a:1|b:2\",region=\"e\\\"u\"}[30000ms]))",
            "count by (instance) (orders_per_second{instance=~\"a:1|b:2\"} or orders_total{instance=~\"a:1|b:2\"})",
            "sum(lag{}), \"figure\", \"1_value\"",
            "max(timestamp(lag{})), \"figure\", \"1_at\"",
        ] {
            assert!(query.contains(part), "{part} is missing: {query}");
        }
        assert!(!query.contains("vector"), "{query}");
        let signals = Wanted::signals_over(window);
        assert_eq!(super::query(&signals, ["a:1"].into_iter(), |window| window), None);
    }
}
