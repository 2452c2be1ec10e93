//! The dots on a graph lead somewhere: what Prometheus kept of each histogram's exemplars are traces that were exported.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::collector::{Collector, Manner, Seen};
use crate::running_load::RunningLoad;
use crate::running_prometheus::{RunningPrometheus, is_installed};
use crate::shipped;
use crate::support::{TIMEOUT, Up};

/// Every histogram that carries exemplars, of every part, and the service whose spans they name.
const TRACED: [(&str, &str); 8] = [
    (r#"loadgen_request_duration_seconds_bucket{job="loadgen"}"#, "loadgen"),
    (r#"gateway_request_duration_seconds_bucket{job="gateway"}"#, "gateway"),
    (r#"http_server_request_duration_seconds_bucket{job="webapp"}"#, "webapp"),
    (r#"webapp_request_duration_seconds_bucket{job="webapp"}"#, "webapp"),
    (r#"webapp_dependency_wait_seconds_bucket{job="webapp"}"#, "webapp"),
    (r#"webapp_dependency_duration_seconds_bucket{job="webapp"}"#, "webapp"),
    (r#"http_server_request_duration_seconds_bucket{job="dependency"}"#, "database"),
    (r#"webapp_request_duration_seconds_bucket{job="dependency"}"#, "database"),
];

/// Discovery takes up to 15 s, a scrape 5 s.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn exemplars_come_back_and_their_traces_are_among_the_exported_ones() {
    if !is_installed() {
        return;
    }
    let collector = Collector::start(Manner::Good).await;
    let traced = ["--otlp-endpoint", &collector.url];
    let up = Up::start(&[&["--with-dependency", "--check-interval", "1h"], &traced[..]].concat());
    up.wait_for_replicas(1, TIMEOUT).await;
    let load = RunningLoad::start(&up, &traced);
    let prometheus = RunningPrometheus::start().await;
    shipped::watch(&prometheus, &up, &load);

    for (histogram, service) in TRACED {
        let began = Instant::now();
        let leads: BTreeSet<(String, String)> = loop {
            let found = prometheus.exemplars(histogram).await;
            if !found.is_empty() {
                break found.into_iter().collect();
            }
            assert!(
                began.elapsed() < PATIENCE,
                "{histogram} has no exemplar within {PATIENCE:?}:\n{}\n{}",
                prometheus.log(),
                load.log()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let exported = |spans: &[Seen]| -> BTreeSet<(String, String)> {
            let of_service = spans.iter().filter(|span| span.service() == service);
            of_service.map(|span| (span.trace.clone(), span.id.clone())).collect()
        };
        // Spans are sent once a second, so the newest come a little later than a scrape.
        collector
            .wait_for(&format!("the spans of {service} that {histogram} names: {leads:?}"), |spans| {
                leads.is_subset(&exported(spans))
            })
            .await;
    }
}
