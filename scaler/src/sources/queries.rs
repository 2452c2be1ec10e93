//! Asks a Prometheus the queries that policies bring along, such as those of KEDA's triggers, whatever the source of signals.
//!
//! A need for something outside the service whose name is not that of a metric is a query, as it stands. It is put to the
//! Prometheus that this scaler was given, and without one to the address in its label `serverAddress`. What it answers is
//! judged as KEDA does: an empty or infinite result is 0 unless the label `ignoreNullValues` is `false`, and several series
//! are an error.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use scaler_engine::keda::{PrometheusAnswer, PrometheusValue, prometheus_value};
use scaler_engine::{Answer, Metric, NamedMetric, Need, Reading, Scope};
use scaler_signals::{Wanted, is_metric_name, signal_of, unanswerable};

use super::problem::bounded;
use super::prometheus::PrometheusClient;

/// The label with the address of the Prometheus that a query is for.
const SERVER_ADDRESS: &str = "serverAddress";

/// The label that says whether nothing counts as 0.
const IGNORE_NULL_VALUES: &str = "ignoreNullValues";

/// The label by which a name is the address of a metrics API, not a query.
const VALUE_LOCATION: &str = "valueLocation";

/// The query that a need brings along; none if it brings none.
pub(super) fn query_of(need: &Need) -> Option<&NamedMetric> {
    let Metric::Named(metric) = &need.metric else { return None };
    let is_for_a_server = metric.labels.contains_key(SERVER_ADDRESS);
    let is_query = !metric.labels.contains_key(VALUE_LOCATION)
        && (is_for_a_server || !is_metric_name(&metric.name))
        && signal_of(&need.metric).is_none();
    (need.scope == Scope::External && is_query).then_some(metric)
}

/// Queries, where they are put, and what they last answered.
#[derive(Debug, Default)]
pub(super) struct Queries {
    /// The Prometheus that this scaler was given.
    given: Option<String>,
    clients: BTreeMap<String, PrometheusClient>,
    answers: BTreeMap<NamedMetric, (Duration, Result<f64, String>)>,
}

impl Queries {
    /// To be put to this Prometheus, or, without one, to those that the queries name.
    pub(super) fn to(given: Option<String>) -> Self {
        Self { given, ..Self::default() }
    }

    /// Asks all of them at the same time; what is not wanted any more is forgotten. `now` tells the run time of an answer.
    pub(super) async fn ask(&mut self, wanted: &Wanted, now: impl Fn() -> Duration) {
        let asked: Vec<&NamedMetric> = wanted.further().iter().filter_map(query_of).collect();
        for metric in &asked {
            self.connect(metric);
        }
        let (clients, given) = (&self.clients, self.given.as_deref());
        let now = &now;
        let answers = join_all(asked.into_iter().map(async |metric| {
            let client = address_of(metric, given).and_then(|address| clients.get(address));
            let outcome = match client {
                Some(client) => ask_one(client, metric).await,
                None => Err(without_server(metric, given)),
            };
            (metric.clone(), (now(), outcome))
        }));
        self.answers = answers.await.into_iter().collect();
    }

    fn connect(&mut self, metric: &NamedMetric) {
        let Some(address) = address_of(metric, self.given.as_deref()) else { return };
        if !self.clients.contains_key(address)
            && let Ok(client) = PrometheusClient::new(address)
        {
            self.clients.insert(address.to_owned(), client);
        }
    }

    /// The answer to a need that brings this query along.
    pub(super) fn answer(&self, need: &Need, query: &NamedMetric, now: Duration) -> Answer {
        match self.answers.get(query) {
            Some((at, Ok(value))) => {
                let reading = Reading { value: Some(*value), age: now.saturating_sub(*at) };
                Answer { reading: Some(reading), problem: None, ..unanswerable(need, String::new()) }
            }
            Some((_, Err(problem))) => unanswerable(need, problem.clone()),
            None => unanswerable(need, bounded(&format!("the query `{}` was not asked yet", query.name))),
        }
    }
}

/// Where a query is put.
fn address_of<'a>(query: &'a NamedMetric, given: Option<&'a str>) -> Option<&'a str> {
    given.or_else(|| query.labels.get(SERVER_ADDRESS).map(String::as_str))
}

fn without_server(query: &NamedMetric, given: Option<&str>) -> String {
    let problem = match address_of(query, given) {
        None => "there is no Prometheus to put it to".to_owned(),
        Some(address) => match PrometheusClient::new(address) {
            Err(error) => error.to_string(),
            Ok(_) => "it was not connected to".to_owned(),
        },
    };
    bounded(&format!(
        "the query `{}` has no answer: {problem}; hint: give one with --prometheus-url",
        query.name
    ))
}

async fn ask_one(client: &PrometheusClient, query: &NamedMetric) -> Result<f64, String> {
    let points = client.vector(&query.name).await?;
    let results = points.iter().map(|point| PrometheusValue::Text(point.sample().value().to_string()));
    let answer = PrometheusAnswer { http_status: 200, results: results.collect() };
    let ignores_null = query.labels.get(IGNORE_NULL_VALUES).is_none_or(|text| text != "false");
    prometheus_value(&answer, ignores_null).map_err(|error| {
        bounded(&format!("the query `{}` to {} has no value: {error}", query.name, client.name()))
    })
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::routing::post;
    use serde_json::json;

    use super::*;

    const WINDOW: Duration = Duration::from_secs(30);

    fn need(scope: Scope, name: &str, labels: &[(&str, &str)]) -> Need {
        let labels = labels.iter().map(|&(label, value)| (label.to_owned(), value.to_owned())).collect();
        Need { metric: Metric::Named(NamedMetric { name: name.to_owned(), labels }), scope, window: WINDOW }
    }

    #[test]
    fn a_name_that_no_metric_can_have_is_a_query_where_it_is_from_outside() {
        let server = [(SERVER_ADDRESS, "http://p:9090")];
        for (need, expected) in [
            (need(Scope::External, "sum(rate(a[1m]))", &[]), true),
            (need(Scope::External, "up", &server), true),
            (need(Scope::External, "up", &[]), false),
            (need(Scope::EachReplica, "sum(a)", &[]), false),
            (need(Scope::External, "http://api/lag", &[(VALUE_LOCATION, "a.b")]), false),
            (need(Scope::External, "in_flight", &[]), false),
        ] {
            assert_eq!(query_of(&need).is_some(), expected, "{need:?}");
        }
    }

    /// A Prometheus that answers by what is in the query.
    async fn prometheus() -> String {
        let answer = async |query: String| {
            let point = |value: &str| json!({"metric": {}, "value": [1.7e9, value]});
            let result = match () {
                () if query.contains("empty") => vec![],
                () if query.contains("several") => {
                    vec![json!({"metric": {"a": "b"}, "value": [1.7e9, "1"]}), point("2")]
                }
                () if query.contains("infinite") => vec![point("+Inf")],
                () => vec![point("41.5")],
            };
            axum::Json(json!({"status": "success", "data": {"resultType": "vector", "result": result}}))
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route("/api/v1/query", post(answer));
        tokio::spawn(async move { axum::serve(listener, app).await });
        url
    }

    #[tokio::test]
    async fn answers_are_judged_as_keda_judges_them() {
        let url = prometheus().await;
        let server = (SERVER_ADDRESS, url.as_str());
        let needs = [
            need(Scope::External, "sum(good)", &[server]),
            need(Scope::External, "sum(empty)", &[server]),
            need(Scope::External, "sum(empty)", &[server, (IGNORE_NULL_VALUES, "false")]),
            need(Scope::External, "sum(infinite)", &[server]),
            need(Scope::External, "sum(several)", &[server]),
            need(Scope::External, "sum(lost)", &[(SERVER_ADDRESS, "nowhere")]),
            need(Scope::External, "sum(lost)", &[]),
        ];
        let wanted = Wanted::signals_over(WINDOW).and_needs(needs.clone());
        let mut queries = Queries::to(None);
        queries.ask(&wanted, || Duration::from_secs(5)).await;
        let told: Vec<Result<f64, String>> = needs
            .iter()
            .map(|need| {
                let answer = queries.answer(need, query_of(need).unwrap(), Duration::from_secs(6));
                let reading = answer.reading.map(|reading| (reading.value.unwrap(), reading.age));
                assert!(reading.is_none_or(|(_, age)| age == Duration::from_secs(1)));
                reading.map(|(value, _)| value).ok_or_else(|| answer.problem.unwrap())
            })
            .collect();
        assert_eq!((&told[0], &told[1], &told[3]), (&Ok(41.5), &Ok(0.0), &Ok(0.0)));
        for (place, part) in [
            (2, "the result of the query is empty"),
            (4, "the query has 2 results"),
            (5, "nowhere"),
            (6, "no Prometheus"),
        ] {
            assert!(told[place].as_ref().unwrap_err().contains(part), "{:?}", told[place]);
        }
        // The flag's address comes before the policy's.
        let mut given = Queries::to(Some(url.clone()));
        given.ask(&wanted, || Duration::ZERO).await;
        let lost = &needs[5];
        let answer = given.answer(lost, query_of(lost).unwrap(), Duration::ZERO);
        assert_eq!(answer.reading.and_then(|reading| reading.value), Some(41.5));
    }
}
