//! Whatever an expression names exists.

use std::collections::BTreeSet;

use observability::buckets::{HTTP_DURATION_SECONDS, RESPONSE_TIME_SECONDS};
use observability::names;
use serde_json::Value;

use crate::files;
use crate::promql::{Selector, selectors};

/// What Prometheus itself adds, beside its own `prometheus_*` and the `scrape_*` of each target.
const PROMETHEUS_OWN: [&str; 2] = ["up", "ALERTS"];

fn without_suffix(metric: &str) -> &str {
    ["_bucket", "_sum", "_count"].iter().find_map(|suffix| metric.strip_suffix(suffix)).unwrap_or(metric)
}

fn all_selectors() -> Vec<(String, Selector)> {
    let expressions = files::expressions();
    assert!(expressions.len() > 150, "only {} expressions were found", expressions.len());
    expressions
        .into_iter()
        .flat_map(|(place, expression)| {
            selectors(&expression).into_iter().map(move |selector| (place.clone(), selector))
        })
        .collect()
}

#[test]
fn every_metric_exists() {
    let recorded: BTreeSet<String> = files::rules().into_iter().filter_map(|rule| rule.record).collect();
    for (place, Selector { metric, .. }) in all_selectors() {
        let exposed = [metric.as_str(), without_suffix(&metric)].iter().any(|name| names::ALL.contains(name));
        let known = exposed
            || recorded.contains(&metric)
            || PROMETHEUS_OWN.contains(&metric.as_str())
            || metric.starts_with("scrape_")
            || metric.starts_with("prometheus_");
        assert!(
            known,
            "{place} names `{metric}`, which neither observability::names nor a recording rule has"
        );
    }
}

#[test]
fn every_recording_rule_is_used() {
    let used: BTreeSet<String> = all_selectors().into_iter().map(|(_, selector)| selector.metric).collect();
    for name in files::rules().into_iter().filter_map(|rule| rule.record) {
        assert!(used.contains(&name), "nothing uses `{name}`");
    }
}

/// A `le` that is no bucket's selects nothing, silently.
#[test]
fn every_bound_is_a_bucket_and_written_as_all_versions_write_it() {
    let mut seen = 0;
    for (place, selector) in all_selectors() {
        for matcher in selector.matchers.iter().filter(|matcher| matcher.label == "le") {
            seen += 1;
            let bound: f64 = matcher.value.parse().unwrap_or_else(|error| panic!("{place}: {error}"));
            let bounds: &[f64] = match without_suffix(&selector.metric) {
                names::WEBAPP_REQUEST_DURATION_SECONDS
                | names::GATEWAY_REQUEST_DURATION_SECONDS
                | names::LOADGEN_REQUEST_DURATION_SECONDS => &RESPONSE_TIME_SECONDS,
                _ => &HTTP_DURATION_SECONDS,
            };
            assert!(bounds.contains(&bound), "{place}: {bound} is no bound of `{}`", selector.metric);
            // Prometheus 2 keeps a whole bound as the process wrote it, Prometheus 3 appends `.0`.
            assert!(
                bound.fract() > 0.0,
                "{place}: `le=\"{bound}\"` is written differently by versions 2 and 3"
            );
            assert_eq!(matcher.operator, "=", "{place}");
        }
    }
    assert!(seen > 0, "the latency objective counts requests below a bound");
}

#[test]
fn every_job_is_scraped_in_compose() {
    let configuration: Value = files::yaml(&files::folder().join("prometheus/prometheus.compose.yml"));
    let jobs: BTreeSet<&str> = configuration["scrape_configs"]
        .as_array()
        .expect("there are jobs")
        .iter()
        .map(|job| job["job_name"].as_str().expect("a job has a name"))
        .collect();
    for (place, selector) in all_selectors() {
        for matcher in selector.matchers.iter().filter(|matcher| matcher.label == "job") {
            for job in matcher.value.split('|') {
                assert!(jobs.contains(job), "{place}: no job is called `{job}`, only {jobs:?}");
            }
        }
    }
}

/// A dependency exposes what a replica exposes, so whoever speaks of replicas says so.
#[test]
fn every_webapp_metric_asks_for_a_job() {
    for (place, selector) in all_selectors() {
        let shared = selector.metric.starts_with("webapp_") && selector.metric != names::WEBAPP_INFO;
        let has_job = selector.matchers.iter().any(|matcher| matcher.label == "job");
        assert!(!shared || has_job, "{place}: `{}` without `job`", selector.metric);
    }
}
