//! Both sources answer what policies need besides: signals over another window, metrics by name, queries.
//!
//! Under a steady load of a known size, so that each answer can be compared with what it has to be.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use scaler::sources::{
    Clock, PrometheusSettings, PrometheusSource, Sample, ScrapeSettings, ScrapeSource, Source, Wanted,
};
use scaler_engine::{Answer, Metric, NamedMetric, Need, Scope, Signal};

use crate::running_prometheus::{RunningPrometheus, is_installed};
use crate::support::{TIMEOUT, Up};

const WINDOW: Duration = Duration::from_secs(10);

/// Long enough for four scrapes.
const SHORT: Duration = Duration::from_secs(5);

/// Prometheus takes up targets, and then the window has to fill.
const PATIENCE: Duration = Duration::from_secs(60);

/// 40 requests/s of 50 ms each are 2 busy workers of 4.
const BUSY_WORKERS: f64 = 2.0;

/// The places of the needs below.
const CPU: usize = 0;
const RATE: usize = 1;
const LABELLED: usize = 2;
const GAUGE: usize = 3;
const OUTSIDE: usize = 4;
const QUERY: usize = 5;
const MISSING: usize = 6;
const OTHER_LABELS: usize = 7;

fn needs() -> Vec<Need> {
    let named = |scope, name: &str, labels: &[(&str, &str)]| {
        let labels = labels.iter().map(|&(label, value)| (label.to_owned(), value.to_owned())).collect();
        Need { metric: Metric::Named(NamedMetric { name: name.to_owned(), labels }), scope, window: SHORT }
    };
    vec![
        Need::of_each_replica(Signal::CpuCores, SHORT),
        named(Scope::EachReplica, "webapp_workers_busy_seconds_per_second", &[]),
        named(Scope::EachReplica, "webapp_request_duration_seconds_count", &[("origin", "synthetic")]),
        named(Scope::Service, "webapp_workers", &[]),
        named(Scope::External, "webapp_workers", &[]),
        named(Scope::External, "2 * sum(webapp_workers)", &[]),
        named(Scope::EachReplica, "orders_of_nobody_per_second", &[]),
        named(Scope::EachReplica, "webapp_request_duration_seconds_count", &[("origin", "nobody")]),
    ]
}

fn only(answer: &Answer) -> Option<f64> {
    let values: Vec<f64> = answer.of_replicas.values().copied().flatten().collect();
    assert!(values.len() <= 1, "there is one replica: {answer:?}");
    values.first().copied()
}

fn reading(answer: &Answer) -> Option<f64> {
    answer.reading.and_then(|reading| reading.value)
}

fn is_near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found / expected - 1.0).abs() < 0.25)
}

/// What is not yet as it has to be; empty once all of it is.
fn differences(sample: &Sample, place: &str) -> Vec<String> {
    let answers = &sample.further;
    let count = only(&answers[LABELLED]);
    let problem = |need: usize| answers[need].problem.clone().unwrap_or_default();
    let checks = [
        (CPU, is_near(only(&answers[CPU]), BUSY_WORKERS * 0.25)),
        (RATE, is_near(only(&answers[RATE]), BUSY_WORKERS)),
        (LABELLED, count.is_some_and(|count| count > 40.0)),
        (GAUGE, reading(&answers[GAUGE]) == Some(4.0)),
        (OUTSIDE, reading(&answers[OUTSIDE]) == Some(4.0)),
        (QUERY, reading(&answers[QUERY]) == Some(8.0)),
        (MISSING, problem(MISSING).contains("`orders_of_nobody_total`") && problem(MISSING).contains(place)),
        (OTHER_LABELS, problem(OTHER_LABELS).contains("no series has the labels")),
    ];
    let wrong = checks.into_iter().filter(|(_, is_right)| !is_right);
    wrong.map(|(need, _)| format!("{:?}", answers[need])).collect()
}

#[tokio::test]
async fn both_sources_answer_by_window_by_name_and_by_query() {
    if !is_installed() {
        return;
    }
    let prometheus = RunningPrometheus::start().await;
    let up = Up::start(&["--base-rps", "40", "--check-interval", "1h"]);
    prometheus.scrape_replicas(&up.admin);
    up.wait_for_replicas(1, TIMEOUT).await;
    let (clock, interval) = (Clock::start(), Duration::from_secs(1));
    let settings = ScrapeSettings { gateway_admin: up.admin.clone(), window: WINDOW, interval };
    let scrape = ScrapeSource::new(settings, clock).with_prometheus(Some(prometheus.url.clone()));
    let settings = PrometheusSettings {
        prometheus_url: prometheus.url.clone(),
        gateway_admin: up.admin.clone(),
        window: WINDOW,
        interval,
    };
    let through_prometheus = PrometheusSource::new(settings, clock).expect("its address is one");
    let mut sources: BTreeMap<&str, Box<dyn Source>> = BTreeMap::new();
    sources.insert("/metrics", Box::new(scrape.with_cpu_per_worker(0.25)));
    sources.insert("Prometheus at", Box::new(through_prometheus.with_cpu_per_worker(0.25)));
    let wanted = Wanted::signals_over(WINDOW).and_needs(needs());
    sources.values_mut().for_each(|source| source.set_wanted(wanted.clone()));
    let began = Instant::now();
    loop {
        let mut wrong = Vec::new();
        for (place, source) in &mut sources {
            let sample = source.sample().await;
            assert_eq!(sample.further.len(), needs().len());
            wrong.extend(differences(&sample, place).into_iter().map(|wrong| format!("{place}: {wrong}")));
        }
        if wrong.is_empty() {
            return;
        }
        assert!(
            began.elapsed() < PATIENCE,
            "after {PATIENCE:?}:\n{}\n{}",
            wrong.join("\n"),
            prometheus.log()
        );
        tokio::time::sleep(interval).await;
    }
}
